"""The container's standard output, never waited for.

All lines of all services leave through one process, whole. A pipe that the kernel calls writable takes PIPE_BUF bytes
without blocking, and takes them in one piece even when other programs write to it: so lines leave in portions of that
size, cut at line ends. O_NONBLOCK is no way: it would be set for every process that shares the descriptor.
A terminal takes less without blocking; a file or a device that epoll does not know is always ready.
"""

import posix
from _stat import S_ISCHR, S_ISFIFO
from time import monotonic

from pyinit import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.loop import Deadline, Loop

PROG = b"multilog"
PIPE_BUF = 4096
TERMINAL_PORTION = 256
FILE_PORTION = 1 << 20
STUCK = 5.0
"""Seconds without a byte taken after which a full output is given up, until it takes one."""

CAPACITY = 1 << 16
"""Bytes kept for a blocked output before its sources are to stop."""


class Outlet:
    """Descriptor `output` of this process. `on_change` is called when it was full and no longer is, or got stuck."""

    __slots__ = (
        "_always_ready",
        "_kept",
        "_loop",
        "_output",
        "_portion",
        "_stuck_timer",
        "_took",
        "is_open",
        "is_stuck",
        "on_change",
    )

    def __init__(self, loop: "Loop", output: int) -> None:
        self.on_change: Callable[[], None] | None = None
        self.is_open = True
        self.is_stuck = False
        """Whether it is full and has taken nothing for STUCK seconds."""
        self._took = monotonic()
        self._stuck_timer: Deadline | None = None
        self._loop = loop
        self._output = output
        self._kept = bytearray()
        mode = posix.fstat(output).st_mode
        self._portion = PIPE_BUF if S_ISFIFO(mode) else TERMINAL_PORTION if S_ISCHR(mode) else FILE_PORTION
        self._always_ready = False

    @property
    def is_full(self) -> bool:
        """Whether no more should be written for now."""
        return len(self._kept) >= CAPACITY

    @property
    def is_empty(self) -> bool:
        """Whether everything is out."""
        return not self._kept

    def write(self, lines: bytes) -> None:
        """Take whole lines; they leave as soon as they can. Never blocks, never raises."""
        was_empty = not self._kept
        if self.is_open:
            self._kept += lines
        if was_empty:
            self._took = monotonic()
            self._wait()
        if self.is_full and not self.is_stuck:
            self._watch()

    def _watch(self) -> None:
        """See whether it takes anything within STUCK seconds of when it last did."""
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
        """Have `_flush` called when the output is ready."""
        try:
            if not self._always_ready:
                return self._loop.add_writer(self._output, self._flush)
        except PermissionError:  # epoll does not know regular files: they are always ready
            self._always_ready = True
        while self._kept:
            self._put()
        return None

    def _flush(self) -> None:
        """Write one portion: the kernel said that much does not block."""
        was_full = self.is_full
        self._put()
        if not self._kept:
            self._loop.remove_writer(self._output)
        self._took = monotonic()
        self.is_stuck = False
        if not self._kept or (was_full and not self.is_full):
            self._changed()

    def _put(self) -> None:
        portion = self._kept[: self._portion]
        end = portion.rfind(b"\n") + 1
        try:
            written = posix.write(self._output, portion[:end] if end else portion)
        except BlockingIOError:
            return
        except OSError as error:  # nobody reads it any more, and nobody will
            lost = b"%d lines are lost, and all from now on" % self._kept.count(b"\n")
            report.warn(PROG, b"unable to write to standard output, " + lost, error)
            self.is_open = False
            written = len(self._kept)
        del self._kept[:written]
