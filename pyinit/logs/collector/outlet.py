"""The container's standard output, never waited for.

All lines of all services leave through one process, whole. A writable pipe takes PIPE_BUF bytes without blocking, and
in one piece even if other programs write to it. So lines leave in portions of that size, cut at line ends. O_NONBLOCK
was rejected: it would be set for every process that shares the descriptor. A terminal takes less without blocking. A
file, or a device that epoll does not know, is always ready.

A failed write is tried again every PAUSE seconds, unless it says that nobody will ever read.
"""

import posix
from _stat import S_ISCHR, S_ISFIFO, S_ISREG
from errno import EBADF, EIO, EPIPE
from time import monotonic

from pyinit import report
from pyinit.formats.visible import visible_name
from pyinit.formats.wire import PROG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.counters import Counters
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

PIPE_BUF = 4096
TERMINAL_PORTION = 256
FILE_PORTION = 1 << 20
STUCK = 5.0
"""After so many seconds without a byte taken, a full output counts as stuck, until it takes one."""

PAUSE = 1.0
"""Seconds between two tries."""

CAPACITY = 1 << 16
"""Bytes kept for a blocked output; with more, its sources must stop."""


class Outlet:
    """Descriptor `output_fd` of this process, which stays the caller's.

    `on_change` is called when the output is not full any more, or got stuck; `on_empty`, when everything is out.
    """

    __slots__ = (
        "_always_ready",
        "_gone",
        "_has_warned",
        "_is_in_trouble",
        "_kept",
        "_loop",
        "_output_fd",
        "_portion",
        "_stuck_timer",
        "_took",
        "is_open",
        "is_stuck",
        "left_out",
        "on_change",
        "on_empty",
        "sources",
    )

    def __init__(self, loop: "Loop", output_fd: int) -> None:
        self.on_change: Callable[[], None] | None = None
        self.on_empty: Callable[[], None] | None = None
        self.is_open = True
        self.is_stuck = False
        """Whether the output is full and has taken nothing for STUCK seconds."""
        self.left_out = 0
        """Lines that went on without it since it got stuck."""
        self.sources: set[bytes] = set()
        """The names of services whose lines it keeps, and no directory has."""
        self._took = monotonic()
        self._stuck_timer: Deadline | None = None
        self._loop = loop
        self._output_fd = output_fd
        self._kept = bytearray()
        mode = posix.fstat(output_fd).st_mode
        self._portion = PIPE_BUF if S_ISFIFO(mode) else TERMINAL_PORTION if S_ISCHR(mode) else FILE_PORTION
        self._gone = (EPIPE, EBADF) if S_ISREG(mode) else (EPIPE, EBADF, EIO)
        """The errors after which nobody will ever read; a terminal that is hung up says EIO."""
        self._always_ready = False
        self._is_in_trouble = self._has_warned = False

    @property
    def is_full(self) -> bool:
        """Whether its sources should write no more for now."""
        return len(self._kept) >= CAPACITY

    @property
    def is_empty(self) -> bool:
        """Whether everything is out."""
        return not self._kept

    def write(self, lines: bytes) -> None:
        """Take whole lines; they leave as soon as they can. It never blocks and never raises."""
        was_empty = not self._kept
        if self.is_open:
            self._kept += lines
        if was_empty:
            self._took = monotonic()
            self._wait()
        if self.is_full and not self.is_stuck:
            self._watch()

    def give_up(self) -> bool:
        """Leave what is not out yet, and say how much. True if no log directory has it."""
        if not self._kept:
            return False
        names = b", ".join(sorted(map(visible_name, self.sources)))
        whose = b"lines of " + names if names else b"lines, which log directories have,"
        report.warn(PROG, b"%d %b are missing on standard output, which took none" % (self._kept.count(b"\n"), whose))
        is_lost = bool(self.sources)
        self._kept.clear()
        self._loop.remove_writer(self._output_fd)
        self._emptied()
        return is_lost

    def _watch(self) -> None:
        """Look again STUCK seconds after it last took a byte."""
        if not self._stuck_timer:
            self._stuck_timer = self._loop.call_at(self._took + STUCK, self._look)

    def _look(self) -> None:
        self._stuck_timer = None
        if not self.is_full:
            return None
        if monotonic() < self._took + STUCK:
            return self._watch()
        self.is_stuck = True
        report.warn(PROG, b"standard output is stuck: log directories go on without it")
        return self._changed()

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()

    def _wait(self) -> None:
        """Have `_flush` called when the output is ready; write at once if it always is."""
        if not self._always_ready:
            try:
                return self._loop.add_writer(self._output_fd, self._flush)
            except PermissionError:  # epoll does not know regular files: they are always ready
                self._always_ready = True
            except OSError as error:
                return self._try_later(error)
        if not self._kept:
            return self._emptied()
        while self._kept and not self._is_in_trouble:
            self._flush()
        return None

    def _emptied(self) -> None:
        self.sources.clear()
        if self.on_empty:
            self.on_empty()

    def _flush(self) -> None:
        """Write one portion: the kernel said that much does not block."""
        was_full = self.is_full
        if not self._put():
            return
        if not self._kept:
            self._loop.remove_writer(self._output_fd)
        self._took = monotonic()
        if self.is_stuck:
            self._recovered()
        if was_full and not self.is_full:
            self._changed()
        if not self._kept:
            self._emptied()

    def _recovered(self) -> None:
        self.is_stuck = False
        if self.is_open:
            report.warn(PROG, b"standard output takes lines again, %d lines were left out of it" % self.left_out)
        self.left_out = 0

    def _put(self) -> bool:
        """Write one portion; False if it took nothing."""
        portion = self._kept[: self._portion]
        end = portion.rfind(b"\n") + 1
        try:
            written = posix.write(self._output_fd, portion[:end] if end else portion)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in self._gone:
                self._try_later(error)
                return False
            lost = b"%d lines are lost, and all from now on" % self._kept.count(b"\n")
            report.warn(PROG, b"unable to write to standard output, " + lost, error)
            self.is_open = False
            written = len(self._kept)
        del self._kept[:written]
        self._has_warned = False
        return True

    def _try_later(self, error: OSError) -> None:
        """Try again after a pause; sources wait meanwhile as for any full output."""
        if not self._has_warned:
            report.warn(PROG, b"unable to write to standard output, trying again", error)
        self._is_in_trouble = self._has_warned = True
        self._loop.remove_writer(self._output_fd)
        self._loop.call_at(monotonic() + PAUSE, self._retry)

    def _retry(self) -> None:
        self._is_in_trouble = False
        self._wait()


class Tap:
    """One stream's way to the outlet. `has_directory`: a log directory has the stream's lines too."""

    __slots__ = ("_counters", "_name", "_outlet", "has_directory")

    def __init__(self, outlet: Outlet, counters: "Counters", has_directory: bool, name: bytes = b"") -> None:
        self._name = name
        self._outlet = outlet
        self._counters = counters
        self.has_directory = has_directory

    def write(self, lines: bytes) -> None:
        """Write whole lines. Lines that a directory has too are left out and counted while the outlet is stuck."""
        if self.has_directory and (self._outlet.is_stuck or not self._outlet.is_open):
            count = lines.count(b"\n")
            self._counters.dropped += count
            self._outlet.left_out += count
        else:
            if not self.has_directory:
                self._outlet.sources.add(self._name)
            self._outlet.write(lines)

    @property
    def is_blocked(self) -> bool:
        """Whether the stream must wait for the outlet."""
        return self._outlet.is_full and not (self.has_directory and self._outlet.is_stuck)

    @property
    def is_lost(self) -> bool:
        """Whether written lines go nowhere: nobody reads the outlet, and no directory has them."""
        return not self.has_directory and not self._outlet.is_open
