"""One service's script in the collector: its log directories and status files, which others may write to, and `1`.

With standard output as a sink beside it, a directory in trouble keeps its lines in memory, up to MEMORY bytes. More
lines are left out of it, counted, and marked in it. Without such a sink nothing is left out: the service waits.
"""

import posix

from pyinit import report
from pyinit.formats.wire import PROG, RAW
from pyinit.logs.collector.own_folder import OwnFolder, open_own
from pyinit.logs.collector.printer import ActionPrinter
from pyinit.logs.multilog.directory import IN_USE, LogDirectory
from pyinit.logs.multilog.lines import label_for
from pyinit.logs.multilog.multilog import Multilog
from pyinit.logs.multilog.oldfiles import FINISHED
from pyinit.logs.multilog.retry import attempt, fatal
from pyinit.logs.multilog.script import LEAST_SIZE, Directory, Stamp, Status, Stdout
from pyinit.logs.multilog.sinks import StatusFile
from pyinit.tai import TEXT_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.counters import Counters
    from pyinit.formats.wire import Job
    from pyinit.logs.multilog.multilog import LineSink, Warn, Write
    from pyinit.logs.multilog.retry import Work
    from pyinit.logs.multilog.script import Action, Script

MEMORY = 1 << 20
"""Bytes that the directories of one service keep while they are in trouble and standard output goes on."""

NEWLINE = 10
UNLIMITED = 1 << 63


def largest_file() -> int:
    """Bytes that a log file of this process may have: RLIMIT_FSIZE, as far as multilog can work with that."""
    from resource import RLIM_INFINITY, RLIMIT_FSIZE, getrlimit

    try:
        soft = getrlimit(RLIMIT_FSIZE)[0]
    except OSError:
        return UNLIMITED
    return UNLIMITED if soft == RLIM_INFINITY else max(soft, LEAST_SIZE)


class ServiceDirectory(LogDirectory):
    """A log directory that is made anew when it is gone, and may be closed for a while."""

    __slots__ = ()
    make_folder = OwnFolder

    @property
    def path(self) -> bytes:
        """Its name in the script."""
        return self._folder.path

    @property
    def owner(self) -> int:
        """The account that owns the open directory. Raises OSError."""
        return posix.fstat(self._folder.descriptor).st_uid

    def open(self) -> None:
        """Open it, unless it is open already. Raises CannotOpenLog."""
        if self.is_paused:
            super().open()

    @property
    def is_paused(self) -> bool:
        """Whether it is closed."""
        return self._current_fd < 0 and not self.is_busy

    def finish(self) -> None:
        """Write `current` to disk and mark it as finished; one that is closed for a while has that behind it."""
        if not self.is_paused:
            super().finish()

    def pause(self) -> bool:
        """Close it as at a clean end, for want of descriptors; `open` goes on. False if that cannot be done now."""
        if self.is_busy or self._current_fd < 0:
            return False
        try:
            posix.fsync(self._current_fd)
            posix.fchmod(self._current_fd, FINISHED)
        except OSError:
            return False
        self.close()
        return True

    def _rotate(self, if_used: bool = False) -> "Work[None]":
        """Make `current` an old file; begin anew where somebody has removed it."""
        work = super()._rotate(if_used)
        outcome: int | None = None
        while not self._is_gone():
            try:
                waits_for = work.send(outcome)
            except StopIteration:
                return
            outcome = yield waits_for
        yield from self._make_anew()

    def _is_gone(self) -> bool:
        """Whether somebody has removed `current`; not if that cannot be told."""
        try:
            return self._current_fd >= 0 and posix.fstat(self._current_fd).st_nlink == 0
        except OSError:
            return False

    def _make_anew(self) -> "Work[None]":
        """Begin a new `current`, in a new directory if that is gone too."""
        folder, path = self._folder, self._folder.path
        report.warn(PROG, b"%b/current is gone, making it anew" % path)
        status = yield from attempt(b"unable to stat %b", path, posix.fstat, folder.descriptor)
        if status.st_nlink == 0:
            folder.close()
            yield from attempt(b"unable to open directory %b", path, folder.open)
            yield from attempt(b"unable to lock directory %b", path, folder.lock)
            yield from attempt(b"unable to write to %b/state", path, folder.make_empty, b"state")
        yield from attempt(b"unable to create %b/current", path, self._begin)
        yield from attempt(b"unable to set mode of %b/current", path, posix.fchmod, self._current_fd, IN_USE)


class BoundedDirectory(ServiceDirectory):
    """A log directory beside standard output: while it is busy it keeps at most `room` bytes, and leaves out more."""

    __slots__ = ("_clock", "_counters", "_is_inside", "_is_stamped", "_kept", "_missing", "_skips", "room")

    def __init__(
        self,
        limits: Directory,
        clock: "Callable[[], int]",
        warn: "Warn",
        start: "Callable[[int, bytes], int] | None",
        counters: "Counters",
        is_stamped: bool,
    ) -> None:
        super().__init__(limits, clock, warn, start)
        self.room = MEMORY
        self._clock = clock
        self._counters = counters
        self._is_stamped = is_stamped
        self._kept = 0
        self._missing = 0
        self._is_inside = self._skips = False

    def write(self, data: bytes, start: int, stop: int) -> None:
        """Append data[start:stop], or leave it out if there is no room."""
        if not self.is_busy:
            self._kept = 0
            if self._missing:
                self._mark()
        size = stop - start
        if self._skips or (self.is_busy and self._kept + size > self.room):
            self._leave_out(data, start, stop)
            return
        super().write(data, start, stop)
        self._is_inside = data[stop - 1] != NEWLINE
        if self.is_busy:
            self._kept += size

    more = write

    def _leave_out(self, data: bytes, start: int, stop: int) -> None:
        """Leave out lines, and the rest of a line that has begun."""
        if self._is_inside:
            self._is_inside = False
            super().write(b"\n", 0, 1)
        lines = data.count(b"\n", start, stop)
        self._skips = data[stop - 1] != NEWLINE
        self._missing += lines
        labels = lines * (TEXT_LENGTH + 1) if self._is_stamped else 0
        self._counters.leave_out(lines, stop - start - labels)

    def _mark(self) -> None:
        """Write down how many lines are missing here."""
        label = label_for(self._clock()) if self._is_stamped else b""
        text = b"%bpyinit: %d lines are missing here\n" % (label, self._missing)
        self._missing = 0
        super().write(text, 0, len(text))

    def _go_on(self, outcome: int | None) -> None:
        super()._go_on(outcome)
        if self._missing and not self.is_busy and not self._is_inside:
            self._mark()


class OwnStatus(StatusFile):
    """A status file that is never reached through a link."""

    __slots__ = ()

    def open(self) -> None:
        """Open our file, unless it is open; a missing one is made with mode 0600. Raises CannotOpenLog."""
        if self._status_fd < 0:
            self._status_fd = fatal(b"unable to write %b", self._name, open_own, self._name, posix.O_CREAT, 0o600)


class ServiceLog(Multilog):
    """The script of one job. `printer` is standard output as a sink beside it, None for none."""

    __slots__ = ("_is_raw", "_is_stamped", "_job_counters", "prints")

    def __init__(
        self,
        job: "Job",
        script: "Script",
        clock: "Callable[[], int]",
        writers: "tuple[Write, Write, Warn]",
        start: "Callable[[int, bytes], int]",
        printer: "LineSink | None",
        counters: "Counters",
    ) -> None:
        self._is_raw = job.fallback == RAW
        self._is_stamped = any(isinstance(action, Stamp) for action in script)
        self._job_counters = counters
        self.prints = printer is not None or any(isinstance(action, Stdout) for action in script)
        """Whether its lines go to standard output."""
        super().__init__(script, clock, *writers, start, printer)
        self.counters = counters
        for directory in self.directories:
            if isinstance(directory, BoundedDirectory):
                directory.room = MEMORY // len(self.directories)

    @property
    def goes_on(self) -> bool:
        """Whether lines may come while some are unwritten: standard output takes them, directories keep them."""
        return self.prints and self.has_trouble and not self.processors

    @property
    def directories(self) -> "list[ServiceDirectory]":
        """The log directories of the script."""
        return [each for each in self._directories if isinstance(each, ServiceDirectory)]

    def pause(self) -> bool:
        """Close the idle log directories; `open` opens them. True if that freed descriptors."""
        return bool([each for each in self.directories if each.pause()])

    def _directory(
        self, limits: Directory, clock: "Callable[[], int]", warn: "Warn", start: "Callable[[int, bytes], int] | None"
    ) -> ServiceDirectory:
        limits.size = min(limits.size, largest_file())
        if self.prints:
            return BoundedDirectory(limits, clock, warn, start, self._job_counters, self._is_stamped)
        return ServiceDirectory(limits, clock, warn, start)

    def _sink_of(
        self,
        action: "Action",
        clock: "Callable[[], int]",
        stdout: "Write",
        stderr: "Write",
        warn: "Warn",
        start: "Callable[[int, bytes], int] | None",
    ) -> "LineSink":
        match action:
            case Directory():
                directory = self._directory(action, clock, warn, start)
                self._directories.append(directory)
                return directory
            case Status():
                status = OwnStatus(action.name, warn)
                self._keepers.append(status)
                return status
            case Stdout() if not self._is_raw:
                return ActionPrinter(stdout, clock, action.prefix)
        return super()._sink_of(action, clock, stdout, stderr, warn, start)
