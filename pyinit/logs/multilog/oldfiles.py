"""Old files of a log directory: how a finished file becomes one, and what recovery makes of a crash.

    previous   0744  the file that is being finished
    processed  0644, then 0744 when complete: the output of the processor
    state, newstate: what the processor keeps from run to run
    @LABEL.s   0744  an old file, complete, processed if there is a processor; LABEL: when it was finished
    @LABEL.u   as it was  an old file that a crash cut off

The order of the system calls is the contract (daemontools 0.76 `multilog.c`). A crash after any of them leaves the file
under one of its names or under both, and the next start can tell. Every method is work: see `retry`.
"""

import posix
from errno import ENOENT

from pyinit.logs.multilog.retry import Trouble, attempt, fatal
from pyinit.tai import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.multilog.folder import Folder
    from pyinit.logs.multilog.retry import Work
    from pyinit.logs.multilog.script import Directory

FINISHED = 0o744
"""The mode of a complete file."""


class OldFiles:
    """The old files of `folder`, of which `limits.count` less one are kept.

    `clock` returns unix ns. `start` starts the processor, given the descriptor of the directory and the command, and
    returns its pid.
    """

    __slots__ = ("_clock", "_folder", "_limits", "_start")

    def __init__(
        self,
        folder: "Folder",
        limits: "Directory",
        clock: "Callable[[], int]",
        start: "Callable[[int, bytes], int] | None",
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._start = start or start_processor

    def recover(self) -> "Work[None]":
        """Keep the files that a crash left. Only the state of the processor is lost. Raises CannotOpenLog."""
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

    def take_previous(self) -> "Work[None]":
        """Make `previous`, which is complete, an old file, through the processor if there is one."""
        if self._limits.processor is None:
            yield from self._keep(b"previous", b"s")
        else:
            yield from self._process(self._limits.processor)

    def _clear_away(self, name: bytes) -> None:
        """Remove a file; if that fails it does no harm."""
        try:
            self._folder.remove(name)
        except OSError:
            pass

    def _keep(self, name: bytes, code: bytes) -> "Work[None]":
        """Make the file, if it exists, an old file, and remove surplus ones."""
        folder, path = self._folder, self._folder.path
        status = yield from attempt(b"unable to stat %b/" + name, path, folder.stat, name)
        if status is None:
            return
        if status.st_nlink == 1:  # else a crash came between the two calls below, and the second name is there
            yield from self._link(name, code)
        yield from attempt(b"unable to remove %b/" + name, path, folder.remove, name)
        yield from attempt(b"unable to read %b", path, folder.remove_surplus, self._limits.count)

    def _link(self, name: bytes, code: bytes) -> "Work[None]":
        """Give the file the name of an old file; each try takes the label of its own time."""
        while True:
            old = b"%b.%b" % (label(self._clock()), code)
            try:
                return self._folder.link(name, old)
            except OSError as error:
                yield Trouble(b"unable to link to %b/%b" % (self._folder.path, old), error)

    def _process(self, command: bytes) -> "Work[None]":
        """Have the processor turn `previous` into `processed`, however often it fails."""
        folder, path = self._folder, self._folder.path
        while True:
            what = b"unable to fork for processor in %b"
            pid = yield from attempt(what, path, self._start, folder.descriptor, command)
            outcome = yield pid
            if not outcome:
                break
            if outcome < 0:  # the C program adds the text of a stale errno here
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
        file_fd = yield from attempt(b"unable to create %b", full, self._folder.append_to, name)
        try:
            yield from attempt(b"unable to write %b to disk", full, posix.fsync, file_fd)
            if mode is not None:
                yield from attempt(b"unable to set mode of %b", full, posix.fchmod, file_fd, mode)
        finally:
            posix.close(file_fd)


def start_processor(directory_fd: int, command: bytes) -> int:
    """Start `/bin/sh -c command` in the directory; returns its pid. Raises OSError."""
    from pyinit.logs.multilog.processor import start

    return start(directory_fd, command)
