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

from pyinit.logs.multilog.folder import KEEP, Folder, Keeper
from pyinit.logs.multilog.lines import stamp_lines
from pyinit.logs.multilog.retry import Trouble, attempt, fatal, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.logs.multilog.retry import Steps, Work
    from pyinit.logs.multilog.script import Directory

SLACK = 2000
"""A file is finished at a newline within so many bytes of its maximum size."""

FINISHED = 0o744
IN_USE = 0o644


class LogDirectory:
    """One log directory. umask must be 022. `clock` tells unix nanoseconds; `warn` is told of each trouble.

    `start` starts a processor, given the directory's descriptor and the command, and returns its pid.
    After `open`, `write`, `rotate`, `finish`, `retry` and `reaped` look at `is_busy`, `trouble` and `pid`: work that
    is left waits for `retry`, a pause after the trouble, or for `reaped`. Work given meanwhile waits its turn.
    """

    __slots__ = ("_current", "_folder", "_keeper", "_limits", "_start", "_warn", "_work", "pid", "size", "trouble")

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
        self._folder = Folder(limits.name)
        self._keeper = Keeper(self._folder, clock, limits.count)
        self._current = -1
        self._warn = warn
        self._start = start or start_processor
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

    def write(self, data: bytes, start: int, stop: int) -> None:
        """Append data[start:stop], rotating where it is due. While it can't be written all of data is kept."""
        if not self._work and self.size + stop - start < self._limits.size - SLACK:
            try:
                written = posix.write(self._current, memoryview(data)[start:stop])
            except OSError:
                written = 0  # it is tried again below, where trouble is told and data kept
            self.size += written
            start += written
            if start == stop:
                return
        self._do(self._append(data, start, stop))

    def whole(self, text: bytes, label: bytes) -> None:
        """Append whole lines."""
        self.write(*stamp_lines(text, 0, len(text), label))

    def begun(self, text: bytes, label: bytes) -> None:
        """Append the beginning of a long line."""
        self.write(label + text, 0, len(label + text))

    more = write

    def rotate(self) -> None:
        """Finish `current` now, unless it is empty."""
        self._do(self._rotate(if_used=True))

    def finish(self) -> None:
        """Write to disk and mark `current` as finished: the clean end. `close` follows when it is done."""
        self._do(self._finish())

    def retry(self) -> None:
        """Try again what failed."""
        if self.trouble:
            self._go_on(None)

    def reaped(self, outcome: int) -> None:
        """Go on after the processor. `outcome`: its exit code, or minus the signal that killed it."""
        if self.pid:
            self._go_on(outcome)

    def close(self) -> None:
        """Give up the lock, whatever was left to do: without `finish` the next start finds a crash to recover from."""
        self._work.clear()
        self.trouble, self.pid = None, 0
        if self._current >= 0:
            posix.close(self._current)
            self._current = -1
        self._folder.close()

    def _do(self, work: "Work[None]") -> None:
        self._work.append(work)
        if len(self._work) == 1:
            self._go_on(None)

    def _go_on(self, outcome: int | None) -> None:
        """Resume the work until it is done or has to wait."""
        self.trouble, self.pid = None, 0
        while self._work:
            try:
                waits_for = self._work[0].send(outcome)
            except StopIteration:
                del self._work[0]
                outcome = None
                continue
            if isinstance(waits_for, Trouble):
                self.trouble = waits_for
                self._warn(waits_for)
            else:
                self.pid = waits_for
            return

    def _open(self) -> "Work[None]":
        folder, path = self._folder, self._folder.path
        is_new = fatal(b"unable to open directory %b", path, folder.open)
        fatal(b"unable to lock directory %b", path, folder.lock)
        status = None if is_new else fatal(b"unable to stat %b/current", path, folder.stat, b"current")
        if status and status.st_mode & 0o100:
            self._current = fatal(b"unable to append to %b/current", path, folder.append_to, b"current")
            self.size = status.st_size
        else:
            if status or not is_new:
                yield from self._recover()
            fatal(b"unable to write to %b/state", path, folder.make_empty, b"state")
            self._current = fatal(b"unable to write to %b/current", path, folder.append_to, b"current")
        fatal(b"unable to set mode of %b/current", path, posix.fchmod, self._current, IN_USE)

    def _recover(self) -> "Work[None]":
        """Keep what a crash left; only the processor's state is lost."""
        self._clear_away(b"state")
        self._clear_away(b"newstate")
        processed = fatal(b"unable to stat %b/processed", self._folder.path, self._folder.stat, b"processed")
        if processed and processed.st_mode & 0o100:
            self._clear_away(b"previous")
            yield from self._keep(b"processed", b"s")
        else:
            self._clear_away(b"processed")
            yield from self._keep(b"previous", b"u")
        yield from self._keep(b"current", b"u")

    def _clear_away(self, name: bytes) -> None:
        """Remove a file that may as well stay."""
        try:
            self._folder.remove(name)
        except OSError:
            pass

    def _append(self, data: bytes, start: int, stop: int) -> "Work[None]":
        view, limit, path = memoryview(data), self._limits.size, self._folder.path
        while start < stop:
            if self.size >= limit:
                yield from self._rotate()
            piece = view[start : self._cut(data, start, stop)]
            try:
                written = posix.write(self._current, piece)
            except OSError as error:
                yield Trouble(b"unable to write to %b/current" % path, error)
                continue
            start += written
            self.size += written
            if self.size >= limit - SLACK and data[start - 1] == 10:
                yield from self._rotate()

    def _cut(self, data: bytes, start: int, stop: int) -> int:
        """Where the next piece ends: within the maximum size, and at a newline if that would be nearly reached."""
        stop = min(start + self._limits.size - self.size, stop)
        if self.size + stop - start >= self._limits.size - SLACK:
            return data.rfind(b"\n", start, stop) + 1 or stop
        return stop

    def _rotate(self, if_used: bool = False) -> "Work[None]":
        """Make `current` an old file and begin another."""
        if if_used and not self.size:
            return
        yield from take(BEGIN_ANOTHER, self)
        if self._limits.processor is None:
            yield from self._keep(b"previous", b"s")
        else:
            yield from self._process(self._limits.processor)

    def _write_to_disk(self) -> None:
        posix.fsync(self._current)

    def _set_aside(self) -> None:
        self._folder.rename(b"current", b"previous")

    def _begin(self) -> None:
        if self._current >= 0:
            descriptor, self._current = self._current, -1  # before the call: it is closed even if that fails
            posix.close(descriptor)
        self._current = self._folder.append_to(b"current")
        self.size = 0

    def _mark_in_use(self) -> None:
        posix.fchmod(self._current, IN_USE)

    def _mark_finished(self) -> None:
        self._folder.set_mode(b"previous", FINISHED)

    def _process(self, command: bytes) -> "Work[None]":
        """Have the processor turn `previous` into `processed`, however often it fails."""
        folder, path = self._folder, self._folder.path
        while True:
            what = b"unable to fork for processor in %b"
            pid = yield from attempt(what, path, self._start, folder.descriptor, command)
            outcome = yield pid
            if not outcome:
                break
            if outcome < 0:  # its reason is an accident in the C program
                yield Trouble(b"processor crashed in " + path, OSError(ENOENT, ""))
            yield Trouble(b"processor failed in " + path)
        yield from self._sync(b"processed", FINISHED)
        yield from self._sync(b"newstate")
        yield from attempt(b"unable to remove %b/previous", path, folder.remove, b"previous")
        what = b"unable to rename newstate to state in directory %b"
        yield from attempt(what, path, folder.rename, b"newstate", b"state")
        yield from self._keep(b"processed", b"s")

    def _sync(self, name: bytes, mode: int | None = None) -> "Work[None]":
        """Write one of the processor's files to disk, and mark it."""
        full = b"%b/%b" % (self._folder.path, name)
        descriptor = yield from attempt(b"unable to create %b", full, self._folder.append_to, name)
        try:
            yield from attempt(b"unable to write %b to disk", full, posix.fsync, descriptor)
            if mode is not None:
                yield from attempt(b"unable to set mode of %b", full, posix.fchmod, descriptor, mode)
        finally:
            posix.close(descriptor)

    def _keep(self, name: bytes, code: bytes) -> "Iterable[Trouble]":
        """Make the file, if it exists, an old file, and remove surplus ones."""
        self._keeper.begin(name, code)
        return take(KEEP, self._keeper)

    def trouble_names(self) -> dict[bytes, bytes]:
        """What the messages of BEGIN_ANOTHER speak of."""
        return {b"path": self._folder.path}

    def _finish(self) -> "Work[None]":
        path = self._folder.path
        yield from attempt(b"unable to write %b/current to disk", path, posix.fsync, self._current)
        yield from attempt(b"unable to set mode of %b/current", path, posix.fchmod, self._current, FINISHED)


BEGIN_ANOTHER: "Steps[LogDirectory]" = (
    (b"unable to write %(path)b/current to disk", LogDirectory._write_to_disk),
    (b"unable to rename current to previous in directory %(path)b", LogDirectory._set_aside),
    (b"unable to create %(path)b/current", LogDirectory._begin),
    (b"unable to set mode of %(path)b/current", LogDirectory._mark_in_use),
    (b"unable to set mode of %(path)b/previous", LogDirectory._mark_finished),
)
"""From a `current` that is full to a new one. The order of the system calls is the contract."""


def start_processor(directory: int, command: bytes) -> int:
    """Start `/bin/sh -c command` in the directory; returns the pid. Imported where one is needed."""
    from pyinit.logs.multilog.processor import start

    return start(directory, command)
