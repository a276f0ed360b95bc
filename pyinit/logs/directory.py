"""A log directory: `current`, rotation, the processor, pruning, recovery after a crash (daemontools 0.76 `multilog.c`).

    lock       0600  held while the directory is in use
    current    0644  being written; 0744 finished: whoever wrote it ended cleanly
    @LABEL.s   0744  an old file, complete, processed if there is a processor; LABEL is when it was finished
    @LABEL.u   as it was  an old file that was cut off by a crash
    previous   0744  during a rotation: the file being finished
    processed  0644, then 0744 when complete: the processor's output;  state, newstate: what it keeps from run to run

Names and modes are the journal: after any system call a crash leaves what the next start can sort out.

Doing and waiting are apart. After start-up every system call that fails is tried again later, from where it was, and
the bytes are kept: the work is a generator that yields what it has to wait for, a Trouble to be retried after a
pause or a processor's pid. The caller decides how to wait. All names are relative to a descriptor of the directory.
"""

import posix
from errno import ENOENT

from pyinit.logs.lines import stamp
from pyinit.logs.trouble import Trouble, attempt, fatal
from pyinit.system import files
from pyinit.system.process import encoded
from pyinit.tai import TEXT_LENGTH, label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.script import Directory
    from pyinit.logs.trouble import Work

SLACK = 2000
"""A file is finished at a newline within so many bytes of its maximum size."""

APPEND = files.WRITE_FLAGS | posix.O_APPEND | posix.O_CREAT
TRUNCATE = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT
FINISHED = 0o744
IN_USE = 0o644


class LogDirectory:
    """One log directory. umask must be 022. `clock` tells unix nanoseconds; `warn` is told of each trouble.

    `start` starts a processor, given the directory's descriptor and the command, and returns its pid.
    After `open`, `write`, `rotate`, `finish`, `retry` and `reaped` look at `is_busy`, `trouble` and `pid`: work that
    is left waits for `retry`, a pause after the trouble, or for `reaped`. Work given meanwhile waits its turn.
    """

    __slots__ = (
        "_clock", "_current", "_directory", "_limits", "_lock", "_path", "_start", "_warn", "_work",
        "pid", "size", "trouble",
    )  # fmt: skip

    def __init__(
        self,
        limits: "Directory",
        clock: "Callable[[], int]",
        warn: "Callable[[Trouble], None]",
        start: "Callable[[int, bytes], int] | None" = None,
    ) -> None:
        self.size = 0
        """Bytes in `current`."""
        self.trouble: Trouble | None = None
        self.pid = 0
        self._limits = limits
        self._path = limits.name
        self._clock = clock
        self._warn = warn
        self._start = start or start_processor
        self._directory = self._lock = self._current = -1
        self._work: list[Work[None]] = []

    @property
    def is_busy(self) -> bool:
        """Whether there is work left that could not be done."""
        return bool(self._work)

    def open(self) -> None:
        """Make the directory if it is missing, lock it, recover. Raises CannotOpen for what is fatal at start-up.

        Recovery may be left waiting, as other work may; then `retry` raises what is fatal after it.
        """
        self._do(self._open())

    def write(self, data: bytes) -> None:
        """Append data, rotating where it is due."""
        if not self._work and self.size + len(data) < self._limits.size - SLACK:
            try:
                written = posix.write(self._current, data)
            except OSError:
                written = 0  # and again below, where it is told and kept
            self.size += written
            if written == len(data):
                return
            data = data[written:]
        self._do(self._append(data))

    def rotate(self) -> None:
        """Finish `current` now, unless it is empty."""
        self._do(self._rotate_what_there_is())

    def finish(self) -> None:
        """Write to disk and mark `current` as finished: the clean end. `close` follows when it is done."""
        self._do(self._finish())

    def retry(self) -> None:
        """Try again what failed."""
        if self.trouble:
            self._go_on(None)

    def reaped(self, status: int) -> None:
        """Go on after the processor, given its wait status."""
        if self.pid:
            self._go_on(status)

    def close(self) -> None:
        """Give up the lock, whatever was left to do: without `finish` the next start finds a crash to recover from."""
        self._work.clear()
        self.trouble, self.pid = None, 0
        files.close_all(self._current, self._lock, self._directory)
        self._current = self._lock = self._directory = -1

    def whole(self, text: bytes, label: bytes) -> None:
        """Append whole lines."""
        self.write(stamp(text, label))

    def begun(self, text: bytes, label: bytes) -> None:
        """Append the beginning of a long line."""
        self.write(label + text)

    more = write

    def _do(self, work: "Work[None]") -> None:
        self._work.append(work)
        if len(self._work) == 1:
            self._go_on(None)

    def _go_on(self, status: int | None) -> None:
        """Resume the work until it is done or has to wait."""
        self.trouble, self.pid = None, 0
        while self._work:
            try:
                waits_for = self._work[0].send(status)
            except StopIteration:
                del self._work[0]
                status = None
                continue
            if isinstance(waits_for, Trouble):
                self.trouble = waits_for
                self._warn(waits_for)
            else:
                self.pid = waits_for
            return

    def _file(self, name: bytes) -> bytes:
        return b"%b/%b" % (self._path, name)

    def _open(self) -> "Work[None]":
        try:
            posix.mkdir(self._path, 0o700)
        except OSError:
            pass
        self._directory = fatal(b"unable to open directory " + self._path, _open_directory, self._path)
        self._lock = fatal(b"unable to lock directory " + self._path, files.lock, b"lock", self._directory)
        status = fatal(b"unable to stat " + self._file(b"current"), self._stat, b"current")
        if status and status.st_mode & 0o100:
            self._current = fatal(b"unable to append to " + self._file(b"current"), self._create, b"current")
            self.size = status.st_size
        else:
            yield from self._recover()
            state = fatal(b"unable to write to " + self._file(b"state"), self._create, b"state", TRUNCATE, IN_USE)
            posix.close(state)
            self._current = fatal(b"unable to write to " + self._file(b"current"), self._create, b"current")
            self.size = 0
        fatal(b"unable to set mode of " + self._file(b"current"), posix.fchmod, self._current, IN_USE)

    def _recover(self) -> "Work[None]":
        """Keep what a crash left; only the processor's state is lost."""
        self._remove(b"state")
        self._remove(b"newstate")
        processed = fatal(b"unable to stat " + self._file(b"processed"), self._stat, b"processed")
        if processed and processed.st_mode & 0o100:
            self._remove(b"previous")
            yield from self._keep(b"processed", b"s")
        else:
            self._remove(b"processed")
            yield from self._keep(b"previous", b"u")
        yield from self._keep(b"current", b"u")

    def _append(self, data: bytes) -> "Work[None]":
        view = memoryview(data)
        start = 0
        while start < len(data):
            if self.size >= self._limits.size:
                yield from self._rotate()
            piece = view[start : self._cut(data, start)]
            written = yield from attempt(
                b"unable to write to " + self._file(b"current"), posix.write, self._current, piece
            )
            start += written
            self.size += written
            if self.size >= self._limits.size - SLACK and data[start - 1] == 10:
                yield from self._rotate()

    def _cut(self, data: bytes, start: int) -> int:
        """Where the next piece ends: within the maximum size, and at a newline if that would be nearly reached."""
        stop = min(start + self._limits.size - self.size, len(data))
        if self.size + stop - start >= self._limits.size - SLACK:
            return data.rfind(b"\n", start, stop) + 1 or stop
        return stop

    def _rotate_what_there_is(self) -> "Work[None]":
        if self.size:
            yield from self._rotate()

    def _rotate(self) -> "Work[None]":
        """`current` becomes an old file, or surplus. The order of the system calls is the contract."""
        current, previous = self._file(b"current"), self._file(b"previous")
        yield from attempt(b"unable to write %b to disk" % current, posix.fsync, self._current)
        posix.close(self._current)
        self._current = -1
        what = b"unable to rename current to previous in directory " + self._path
        yield from attempt(what, self._rename, b"current", b"previous")
        self._current = yield from attempt(b"unable to create " + current, self._create, b"current")
        self.size = 0
        yield from attempt(b"unable to set mode of " + current, posix.fchmod, self._current, IN_USE)
        yield from attempt(b"unable to set mode of " + previous, self._set_mode, b"previous", FINISHED)
        if self._limits.processor is None:
            yield from self._keep(b"previous", b"s")
        else:
            yield from self._process(self._limits.processor)

    def _process(self, command: bytes) -> "Work[None]":
        """Have the processor turn `previous` into `processed`, until it succeeds."""
        processed, newstate = self._file(b"processed"), self._file(b"newstate")
        while True:
            what = b"unable to fork for processor in " + self._path
            pid = yield from attempt(what, self._start, self._directory, command)
            status = yield pid
            if not status:
                break
            if not posix.WIFEXITED(status or 0):  # the reason is an accident in the C program
                yield Trouble(b"processor crashed in %b, pausing" % self._path, OSError(ENOENT, ""))
            yield Trouble(b"processor failed in %b, pausing" % self._path)
        descriptor = yield from attempt(b"unable to create " + processed, self._create, b"processed")
        yield from attempt(b"unable to write %b to disk" % processed, posix.fsync, descriptor)
        yield from attempt(b"unable to set mode of " + processed, posix.fchmod, descriptor, FINISHED)
        posix.close(descriptor)
        descriptor = yield from attempt(b"unable to create " + newstate, self._create, b"newstate")
        yield from attempt(b"unable to write %b to disk" % newstate, posix.fsync, descriptor)
        posix.close(descriptor)
        yield from attempt(b"unable to remove " + self._file(b"previous"), self._unlink, b"previous")
        what = b"unable to rename newstate to state in directory " + self._path
        yield from attempt(what, self._rename, b"newstate", b"state")
        yield from self._keep(b"processed", b"s")

    def _keep(self, name: bytes, code: bytes) -> "Work[None]":
        """Make the file, if it exists, an old file, and remove surplus ones. With a second link it is one already."""
        status = yield from attempt(b"unable to stat " + self._file(name), self._stat, name)
        if not status:
            return
        is_linked = status.st_nlink != 1
        while not is_linked:
            old = b"%b.%b" % (label(self._clock()), code)
            try:
                posix.link(name, old, src_dir_fd=self._directory, dst_dir_fd=self._directory)
                is_linked = True
            except OSError as error:
                yield Trouble(b"unable to link to " + self._file(old), error)
        yield from attempt(b"unable to remove " + self._file(name), self._unlink, name)
        yield from attempt(b"unable to read " + self._path, self._prune)

    def _prune(self) -> None:
        """Remove the oldest while there are too many. A directory of such a name is none of ours."""
        names = [encoded(name) for name in posix.listdir(self._directory) if name[0] == "@"]
        names = sorted(name for name in names if len(name) >= TEXT_LENGTH)
        while len(names) >= self._limits.count:
            try:
                self._unlink(names.pop(0))
            except (FileNotFoundError, IsADirectoryError):
                pass

    def _finish(self) -> "Work[None]":
        current = self._file(b"current")
        yield from attempt(b"unable to write %b to disk" % current, posix.fsync, self._current)
        yield from attempt(b"unable to set mode of " + current, posix.fchmod, self._current, FINISHED)

    def _stat(self, name: bytes) -> "posix.stat_result | None":
        try:
            return posix.stat(name, dir_fd=self._directory)
        except FileNotFoundError:
            return None

    def _create(self, name: bytes, flags: int = APPEND, mode: int = 0o600) -> int:
        return posix.open(name, flags, mode, dir_fd=self._directory)

    def _rename(self, old: bytes, new: bytes) -> None:
        posix.rename(old, new, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def _set_mode(self, name: bytes, mode: int) -> None:
        posix.chmod(name, mode, dir_fd=self._directory)

    def _unlink(self, name: bytes) -> None:
        posix.unlink(name, dir_fd=self._directory)

    def _remove(self, name: bytes) -> None:
        """Remove a file whose absence is as well."""
        try:
            self._unlink(name)
        except OSError:
            pass


def _open_directory(path: bytes) -> int:
    """A descriptor for the directory, which may be read and searched."""
    descriptor = posix.open(path, files.READ_FLAGS | posix.O_DIRECTORY)
    try:
        posix.stat(b".", dir_fd=descriptor)
    except OSError:
        posix.close(descriptor)
        raise
    return descriptor


def start_processor(directory: int, command: bytes) -> int:
    """Start /bin/sh -c command in the directory, as the only code that needs to be there for it; returns the pid."""
    from pyinit.logs.processor import start

    return start(directory, command)
