"""The collector itself: all streams, the socket to PID 1, the counters.

The process ends when PID 1 has closed the socket, every pipe has ended, and standard output has taken everything.
"""

import posix
import sys
from _signal import SIGALRM, SIGTERM
from _socket import MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET
from errno import EMFILE, ENOMEM
from time import monotonic

from pyinit import report
from pyinit.formats.visible import visible_name
from pyinit.formats.wire import AGAIN, DEADLINE, FOUND, HOME, LOST, PACKET, PROG, ROTATE, unpack
from pyinit.logs.collector.outlet import Outlet
from pyinit.logs.collector.pipe import Inlet, Inlets, Pipe
from pyinit.logs.collector.publishing import CountersFile
from pyinit.logs.collector.stream import Stream
from pyinit.system.console import Console
from pyinit.system.fork import ignore_keys
from pyinit.system.loop import PASSING, Loop
from pyinit.system.memory import keep_freed_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from pyinit.formats.wire import Job

PAUSE = 1.0
"""Seconds between two tries."""

GRACE = 0.3
"""Seconds after the deadline of the stop, at which services are killed, for what they had written."""

LOOK = 0.2
"""Seconds between two looks after that at what has got stuck since."""

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
        self._inlets: dict[bytes, tuple[Stream, Inlets]] = {}
        """Streams that take more pipes, by the name of the service."""
        self._is_closing = False
        self._has_warned = False
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
        if packet.startswith(DEADLINE):
            self._loop.call_at(float(packet[len(DEADLINE) :]) + GRACE, self._give_up)
            return
        number, job = unpack(packet)
        pipe_fd = _descriptor(rights)
        if pipe_fd < 0:
            self._ask_again(number, job.name)
            return
        try:
            pipe = self._pipe(number, job, pipe_fd)
            if not pipe:
                return
            counters = self._counters_file.of(job.name)
            stream = Stream(self._loop, job, pipe, self._outlet, counters, self._counters_file, self._ended)
        except PASSING as error:
            posix.close(pipe_fd)
            self._ask_later(number, job.name, error if isinstance(error, OSError) else ENOMEM)
            return
        self._has_warned = False
        self._streams[stream] = number
        if isinstance(pipe, Inlets):
            self._inlets[job.name] = stream, pipe
        stream.make_room = self._make_room
        if not self._loop.guard(stream.open):
            self._loop.call_at(monotonic() + PAUSE, stream.open)

    def _pipe(self, number: int, job: "Job", pipe_fd: int) -> Pipe | None:
        """What a new stream reads from; None where one goes on with this pipe, too. Raises OSError."""
        if not job.joins:
            return Pipe(pipe_fd)
        inlet = Inlet(pipe_fd, number, job.watched)
        if job.name in self._inlets and not self._inlets[job.name][1].is_over:
            self._inlets[job.name][1].add(inlet)
            return None
        inlets = Inlets(self._tell_drained, lambda number: self._tell(FOUND + b"%d" % number))
        inlets.add(inlet)
        return inlets

    def _tell_drained(self, number: int) -> None:
        self._tell(b"%d" % number)

    def _ask_again(self, number: int, name: bytes) -> None:
        """The pipe did not arrive, for want of a descriptor: ask for it when there is room. Its lines wait in it."""
        if self._make_room():
            self._tell(AGAIN + b"%d" % number)
        else:
            self._ask_later(number, name, EMFILE)

    def _ask_later(self, number: int, name: bytes, error: "OSError | int") -> None:
        if not self._has_warned:
            report.warn(PROG, b"%b: unable to take its pipe, trying again" % visible_name(name), error)
        self._has_warned = True
        self._loop.call_at(monotonic() + PAUSE, lambda: self._tell(AGAIN + b"%d" % number))

    def _make_room(self, but: Stream | None = None) -> bool:
        """Close the log directories that were not used for the longest time. False if there is none to close."""
        for stream in sorted(self._streams, key=lambda stream: stream.used):
            if stream is not but and stream.pause():
                return True
        return False

    def _give_up(self) -> None:
        """The stop has no more time: what cannot be written is counted, named and left."""
        for stream in list(self._streams):
            if stream.is_held and stream.give_up():
                self._tell(LOST)
        if not self._streams and self._outlet.give_up():
            self._tell(LOST)
        self._loop.call_at(monotonic() + LOOK, self._give_up)

    def _tell(self, packet: bytes) -> None:
        """Tell PID 1, which may be gone."""
        try:
            self._control.send(packet)
        except BrokenPipeError:
            pass
        except OSError:
            self._loop.call_at(monotonic() + PAUSE, lambda: self._tell(packet))

    def _ended(self, stream: Stream, is_drained: bool) -> None:
        numbers = [self._streams.pop(stream)]
        if self._inlets.get(stream.name, (None,))[0] is stream:
            numbers = self._inlets.pop(stream.name)[1].numbers
        for number in numbers if is_drained else ():
            self._tell_drained(number)
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
    """The descriptor that came with a packet; -1 if there was none free for it."""
    for level, kind, data in rights:
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            return int.from_bytes(data[:4], sys.byteorder)
    return -1


def _allow_descriptors() -> None:
    """Raise the soft limit to the hard one: each log directory costs four."""
    from resource import RLIMIT_NOFILE, getrlimit, setrlimit

    soft, hard = getrlimit(RLIMIT_NOFILE)
    if soft != hard:
        setrlimit(RLIMIT_NOFILE, (hard, hard))


def serve(control: "socket", directory: bytes | None, is_first: bool) -> int:
    """Run the collector in a process forked for it; returns its exit code. See Server for the arguments."""
    ignore_keys()
    keep_freed_memory()
    _allow_descriptors()
    posix.umask(0o022)
    posix.chdir(HOME)
    report.write = Console().write
    loop = Loop(PROG)
    server = Server(loop, control, directory, is_first)
    loop.add_signal_handler(SIGTERM, server.leave)
    loop.add_signal_handler(SIGALRM, server.rotate)
    return loop.run()
