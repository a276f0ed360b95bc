"""The log collector, seen from PID 1: it is given pipes, and says when it has drained one.

It is forked from this process, not executed, so that both share pages. A pipe goes over a socket (SCM_RIGHTS), and
stays open here until its last byte is on disk. If the collector dies another is forked and given every pipe again, so
that no byte in a pipe is lost. Nothing here waits for the collector: packets that the socket does not take at once are
kept until it takes them. `formats/wire.py` describes the packets.
"""

import sys

from pyinit import report
from pyinit.formats.wire import PROG, ROTATE, pack
from pyinit.system.fork import fork, worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from pyinit.formats.wire import Job
    from pyinit.system.loop import Loop

PAUSE = 1.0
"""Seconds between two starts of the collector, at least."""


class Attachment:
    """One pipe for the collector to read. The read end stays the caller's."""

    __slots__ = ("drained", "job", "read_fd")

    def __init__(self, job: "Job", read_fd: int, drained: "Callable[[], None]") -> None:
        self.job = job
        self.read_fd = read_fd
        self.drained = drained


class Collector:
    """Starts the log collector at the first pipe, and again when it dies. `pid` is 0 while none runs.

    `counters_directory` returns the directory for the file of counters, or None.
    """

    def __init__(self, loop: "Loop", counters_directory: "Callable[[], bytes | None]") -> None:
        self.name = PROG
        self.pid = 0
        self._loop = loop
        self._counters_directory = counters_directory
        self._subscribers: list[Callable[[], None]] = []
        self._attached: dict[int, Attachment] = {}
        self._count = 0
        self._outbox: list[int] = []
        self._socket: socket | None = None
        self._last_start = float("-inf")
        self._is_starting = False
        self._is_finishing = False
        self._has_warned = False

    def subscribe(self, callback: "Callable[[], None]") -> None:
        """Call back whenever the collector has ended."""
        self._subscribers.append(callback)

    def attach(self, job: "Job", read_fd: int, drained: "Callable[[], None]") -> None:
        """Have the pipe read to its end; `drained` is called when all of it is written. It waits for nothing."""
        self._count += 1
        self._attached[self._count] = Attachment(job, read_fd, drained)
        self._outbox.append(self._count)
        self._ensure()

    def finish(self) -> None:
        """No pipe will follow: the collector ends when it has drained the attached ones."""
        self._is_finishing = True
        self._flush()

    def rotate(self) -> None:
        """Have every log directory begin a new file."""
        if self._socket:
            try:
                self._socket.send(ROTATE)
            except OSError as error:
                report.warn(PROG, b"unable to rotate", error)

    def _ensure(self) -> None:
        """See that it runs. It starts in the next turn at the earliest: services are started first."""
        if self._socket:
            self._flush()
        elif not self._is_starting:
            self._is_starting = True
            self._loop.call_at(self._last_start + PAUSE, self._start)

    def _start(self) -> None:
        # Loaded after the services are started; and before the fork, so that the pages are shared.
        from _socket import AF_UNIX, SOCK_SEQPACKET, socketpair

        from pyinit.logs.collector.server import serve

        self._is_starting = False
        is_first = self._last_start == float("-inf")
        self._last_start = self._loop.kernel.monotonic()
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        try:
            self.pid = fork(worker, PROG, theirs.fileno(), serve, theirs, self._counters_directory(), is_first)
        except OSError as error:
            if not self._has_warned:
                report.warn(PROG, b"unable to fork, trying again every second", error)
            self._has_warned = True
            ours.close()
            self._ensure()
            return
        finally:
            theirs.close()
        self._has_warned = False
        ours.setblocking(False)
        self._socket = ours
        self._loop.children[self.pid] = self._exited
        self._loop.add_reader(ours.fileno(), self._receive)
        self._outbox = list(self._attached)
        self._flush()

    def _flush(self) -> None:
        """Send pipes as far as the socket takes them; the rest when it takes more."""
        if not self._socket:
            return None
        from _socket import SCM_RIGHTS, SHUT_WR, SOL_SOCKET

        while self._outbox:
            attachment = self._attached[self._outbox[0]]
            packet = pack(self._outbox[0], attachment.job)
            rights = attachment.read_fd.to_bytes(4, sys.byteorder)
            try:
                self._socket.sendmsg([packet], [(SOL_SOCKET, SCM_RIGHTS, rights)])
            except BlockingIOError:
                return self._loop.add_writer(self._socket.fileno(), self._flush)
            except OSError:
                break  # it is dying: the next collector gets everything
            del self._outbox[0]
        self._loop.remove_writer(self._socket.fileno())
        if self._is_finishing:
            try:
                self._socket.shutdown(SHUT_WR)
            except OSError:
                pass
        return None

    def _receive(self) -> None:
        """Take all messages, each the number of a drained pipe."""
        while self._socket:
            try:
                packet = self._socket.recv(64)
            except OSError:
                return
            if not packet:
                self._loop.remove_reader(self._socket.fileno())
                return
            if attachment := self._attached.pop(int(packet), None):
                attachment.drained()

    def _exited(self, outcome: int) -> None:
        """Start another collector if a pipe is left, after the last messages of this one."""
        if self._socket:
            self._receive()
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()
            self._socket = None
        pid, self.pid = self.pid, 0
        if self._attached:
            how = b"was killed by signal %d" % -outcome if outcome < 0 else b"exited %d" % outcome
            report.warn(PROG, b"the log collector (pid %d) %b, starting another" % (pid, how))
            self._ensure()
        for callback in self._subscribers:
            callback()
