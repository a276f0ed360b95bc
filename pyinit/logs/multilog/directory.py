"""A log directory: `current`, its rotation, and recovery after a crash (daemontools 0.76 `multilog.c`).

    lock       0600  held while the directory is in use
    current    0644  being written; 0744 finished: its writer ended cleanly

The rest of the files is in `oldfiles.py`. Names and modes are the journal: after any system call a crash leaves files
that the next start can sort out.

Doing and waiting are apart. After start-up every system call that fails is tried again later, and the bytes are kept:
the work is a generator. It yields a Trouble, to be retried after a pause, or the pid of a processor. The caller decides
how to wait. All names are relative to a descriptor of the directory.
"""

import posix

from pyinit.logs.multilog.folder import Folder
from pyinit.logs.multilog.lines import stamp_lines
from pyinit.logs.multilog.oldfiles import FINISHED, OldFiles
from pyinit.logs.multilog.retry import Trouble, attempt, fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.multilog.retry import Work
    from pyinit.logs.multilog.script import Directory

SLACK = 2000
"""A file is finished at a newline within so many bytes of its maximum size."""

IN_USE = 0o644


class LogDirectory:
    """One log directory. The umask must be 022. `clock` returns unix ns; `warn` is called with each Trouble.

    `start` starts a processor, given the descriptor of the directory and the command, and returns its pid.
    After each method look at `is_busy`, `trouble` and `pid`. Unfinished work waits for `retry`, a pause after the
    trouble, or for `reaped`. Work given meanwhile waits for its turn.
    """

    __slots__ = (
        "_current_fd",
        "_folder",
        "_limits",
        "_old_files",
        "_warn",
        "_work",
        "is_busy",
        "pid",
        "size",
        "trouble",
    )
    is_counted = True
    make_folder: "Callable[[bytes], Folder]" = Folder
    """What its files are reached through."""

    def __init__(
        self,
        limits: "Directory",
        clock: "Callable[[], int]",
        warn: "Callable[[Trouble], None]",
        start: "Callable[[int, bytes], int] | None" = None,
    ) -> None:
        self.size = 0
        """Bytes in `current`."""
        self.is_busy = False
        """Whether there is unfinished work."""
        self.trouble: Trouble | None = None
        self.pid = 0
        self._limits = limits
        self._folder = self.make_folder(limits.name)
        self._old_files = OldFiles(self._folder, limits, clock, start)
        self._current_fd = -1
        self._warn = warn
        self._work: list[Work[None]] = []

    def open(self) -> None:
        """Make the directory if it is missing, lock it, recover. Raises CannotOpenLog.

        Recovery may be left unfinished, as other work may; then `retry` raises CannotOpenLog too.
        """
        self._do(self._open())

    def write(self, data: bytes, start: int, stop: int) -> None:
        """Append data[start:stop], and rotate where that is due. All of data is kept until it is written."""
        if not self._work and self.size + stop - start < self._limits.size - SLACK:
            try:
                written = posix.write(self._current_fd, memoryview(data)[start:stop])
            except OSError:
                written = 0  # the work below tries again, and tells of the trouble
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
        """Write `current` to disk and mark it as finished: the clean end. `close` follows when this is done."""
        self._do(self._finish())

    def retry(self) -> None:
        """Resume the work after a failed try."""
        if self.trouble:
            self._go_on(None)

    def reaped(self, outcome: int) -> None:
        """Resume the work after the processor. `outcome`: its exit code, or minus the signal that killed it."""
        if self.pid:
            self._go_on(outcome)

    def close(self) -> None:
        """Give up the lock and all unfinished work. Without `finish` the next start finds a crash to recover from."""
        self._work.clear()
        self.is_busy, self.trouble, self.pid = False, None, 0
        if self._current_fd >= 0:
            posix.close(self._current_fd)
            self._current_fd = -1
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
            self.is_busy = True
            if isinstance(waits_for, Trouble):
                self.trouble = waits_for
                self._warn(waits_for)
            else:
                self.pid = waits_for
            return
        self.is_busy = False

    def _open(self) -> "Work[None]":
        folder, path = self._folder, self._folder.path
        is_new = fatal(b"unable to open directory %b", path, folder.open)
        fatal(b"unable to lock directory %b", path, folder.lock)
        status = None if is_new else fatal(b"unable to stat %b/current", path, folder.stat, b"current")
        if status and status.st_mode & 0o100:
            self._current_fd = fatal(b"unable to append to %b/current", path, folder.append_to, b"current")
            self.size = status.st_size
        else:
            if status or not is_new:
                yield from self._old_files.recover()
            fatal(b"unable to write to %b/state", path, folder.make_empty, b"state")
            self._current_fd = fatal(b"unable to write to %b/current", path, folder.append_to, b"current")
        fatal(b"unable to set mode of %b/current", path, posix.fchmod, self._current_fd, IN_USE)

    def _append(self, data: bytes, start: int, stop: int) -> "Work[None]":
        view, limit, path = memoryview(data), self._limits.size, self._folder.path
        while start < stop:
            if self.size >= limit:
                yield from self._rotate()
            piece = view[start : self._cut(data, start, stop)]
            try:
                written = posix.write(self._current_fd, piece)
            except OSError as error:
                yield Trouble(b"unable to write to %b/current" % path, error)
                continue
            start += written
            self.size += written
            if self.size >= limit - SLACK and data[start - 1] == 10:
                yield from self._rotate()

    def _cut(self, data: bytes, start: int, stop: int) -> int:
        """Where the next piece ends: within the maximum size; at a newline if the piece would nearly reach that."""
        stop = min(start + self._limits.size - self.size, stop)
        if self.size + stop - start >= self._limits.size - SLACK:
            return data.rfind(b"\n", start, stop) + 1 or stop
        return stop

    def _rotate(self, if_used: bool = False) -> "Work[None]":
        """Make `current` an old file and begin another."""
        if if_used and not self.size:
            return
        folder, path = self._folder, self._folder.path
        yield from attempt(b"unable to write %b/current to disk", path, posix.fsync, self._current_fd)
        what = b"unable to rename current to previous in directory %b"
        yield from attempt(what, path, folder.rename, b"current", b"previous")
        yield from attempt(b"unable to create %b/current", path, self._begin)
        yield from attempt(b"unable to set mode of %b/current", path, posix.fchmod, self._current_fd, IN_USE)
        yield from attempt(b"unable to set mode of %b/previous", path, folder.set_mode, b"previous", FINISHED)
        yield from self._old_files.take_previous()

    def _begin(self) -> None:
        if self._current_fd >= 0:
            finished_fd, self._current_fd = self._current_fd, -1  # before the call: it closes even if it fails
            posix.close(finished_fd)
        self._current_fd = self._folder.append_to(b"current")
        self.size = 0

    def _finish(self) -> "Work[None]":
        path = self._folder.path
        yield from attempt(b"unable to write %b/current to disk", path, posix.fsync, self._current_fd)
        yield from attempt(b"unable to set mode of %b/current", path, posix.fchmod, self._current_fd, FINISHED)
