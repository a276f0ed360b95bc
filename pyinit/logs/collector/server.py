"""The collector itself: all streams, the socket to PID 1, the counters.

The process ends when PID 1 has closed the socket, every pipe has ended, and standard output has taken everything.
"""

import posix
import sys
from _signal import SIGALRM, SIGTERM
from _socket import MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET

from pyinit import report
from pyinit.formats.wire import HOME, PACKET, PROG, ROTATE, unpack
from pyinit.logs.collector.outlet import Outlet
from pyinit.logs.collector.publishing import CountersFile
from pyinit.logs.collector.stream import Stream
from pyinit.system.console import Console
from pyinit.system.fork import ignore_keys
from pyinit.system.loop import Loop
from pyinit.system.memory import keep_freed_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

AT_ONCE = 32
"""Messages taken in a turn: pipes that are there already must not wait for more."""


class Server:
    """`control` is the socket to PID 1. The counters are kept in `directory`, None for nowhere.

    `is_first`: no collector ran before this one, so the counters begin at nothing.
    """

    def __init__(self, loop: Loop, control: "socket", directory: bytes | None, is_first: bool) -> None:
        self.name = PROG
        self._loop = loop
        self._control = control
        self._outlet = Outlet(loop, 1)
        self._outlet.on_change = self._reconcile
        self._outlet.on_empty = self._end_if_over
        self._streams: dict[Stream, int] = {}
        self._is_closing = False
        self._counters_file = CountersFile(loop, directory, is_first)
        loop.add_reader(control.fileno(), self._receive)

    def _receive(self) -> None:
        """Take messages, as many as there are, up to AT_ONCE."""
        for _ in range(AT_ONCE):
            try:
                packet, rights, _, _ = self._control.recvmsg(PACKET, 64, MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not packet:
                self._loop.remove_reader(self._control.fileno())
                self._is_closing = True
                self._end_if_over()
                return
            self._obey(packet, rights)

    def _obey(self, packet: bytes, rights: "list[tuple[int, int, bytes]]") -> None:
        if packet == ROTATE:
            self.rotate()
            return
        pipe_fd = _descriptor(rights)
        number, job = unpack(packet)
        counters = self._counters_file.of(job.name)
        stream = Stream(self._loop, job, pipe_fd, self._outlet, counters, self._counters_file, self._ended)
        self._streams[stream] = number
        stream.open()

    def _ended(self, stream: Stream, is_drained: bool) -> None:
        number = self._streams.pop(stream)
        if is_drained:
            self._control.send(b"%d" % number)
        self._end_if_over()

    def _reconcile(self) -> None:
        for stream in list(self._streams):
            stream.reconcile()

    def rotate(self) -> None:
        """Have every log directory begin a new file."""
        for stream in list(self._streams):
            stream.rotate()

    def leave(self) -> None:
        """End at the end of each stream's line. Bytes that are still in the pipes are for the next collector."""
        self._is_closing = True
        for stream in list(self._streams):
            stream.leave()
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._is_closing and not self._streams and self._outlet.is_empty:
            self._counters_file.write()
            self._loop.stop(0)


def _descriptor(rights: list[tuple[int, int, bytes]]) -> int:
    """The descriptor that came with a packet; ValueError if none did."""
    for level, kind, data in rights:
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            return int.from_bytes(data[:4], sys.byteorder)
    raise ValueError("a pipe is missing")


def serve(control: "socket", directory: bytes | None, is_first: bool) -> int:
    """Run the collector in a process forked for it; returns its exit code. See Server for the arguments."""
    ignore_keys()
    keep_freed_memory()
    posix.umask(0o022)
    posix.chdir(HOME)
    report.write = Console().write
    loop = Loop(PROG)
    server = Server(loop, control, directory, is_first)
    loop.add_signal_handler(SIGTERM, server.leave)
    loop.add_signal_handler(SIGALRM, server.rotate)
    return loop.run()
