"""The logging process beside PID 1, seen from PID 1: it is given pipes, and says when one has been drained.

It is forked from this process, not executed, so that it shares its pages. A pipe goes over a socket (SCM_RIGHTS) and
stays open here until its end is on disk: if the logging process dies another is forked, and is given every pipe
again. Nothing that is still in a pipe is lost by that. Nothing here waits for it either: what the socket does not take
at once is kept until it can be written.

The messages, one a packet. To the logging process, with the pipe's read end: as `pack` makes them; or
ROTATE. From it: the number of a drained pipe, in decimal.
"""

import posix
import sys
from fcntl import F_DUPFD_CLOEXEC, fcntl
from time import monotonic

from pyinit import report
from pyinit.formats.wire import PROG, ROTATE, Job, pack
from pyinit.system.spawn import fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from pyinit.system.descriptors import Descriptors
    from pyinit.system.loop import Loop


PAUSE = 1.0
"""Seconds between two starts of the logging process, at least."""


class Attachment:
    """One pipe that is being read, or is to be. The pipe's read end is the pair's own."""

    __slots__ = ("drained", "job", "pipe")

    def __init__(self, job: Job, pipe: "Descriptors", drained: "Callable[[], None]") -> None:
        self.job = job
        self.pipe = pipe
        self.drained = drained


class Plane:
    """Starts the logging process at the first pipe, and again when it dies. `pid` is 0 while none runs.

    `job_of` tells, for the name of a service in the directory open as the second argument, what to do with its output;
    `accounts`, where the logging process may write its accounts, if anywhere.
    """

    def __init__(
        self, loop: "Loop", job_of: "Callable[[bytes, int], Job]", accounts: "Callable[[], bytes | None]"
    ) -> None:
        self.name = PROG
        self.pid = 0
        self._loop = loop
        self._job_of = job_of
        self._accounts = accounts
        self._attached: dict[int, Attachment] = {}
        self._count = 0
        self._outbox: list[int] = []
        self._socket: socket | None = None
        self._ring = self._writer = -1
        self._started = float("-inf")
        self._starting = False
        self._finishing = False
        self._has_complained = False

    def attach(self, name: bytes, parent: int, pipe: "Descriptors", drained: "Callable[[], None]") -> None:
        """Have the pipe read to its end; `drained` is called when all of it is written. Waits for nothing."""
        self._count += 1
        self._attached[self._count] = Attachment(self._job_of(name, parent), pipe, drained)
        self._outbox.append(self._count)
        self._ensure()

    def finish(self) -> None:
        """No pipe will be attached any more: the logging process ends when those it has are drained."""
        self._finishing = True
        self._flush()

    def rotate(self) -> None:
        """Have every log directory begin a new file."""
        if self._socket:
            try:
                self._socket.send(ROTATE)
            except OSError as error:
                report.warn(PROG, b"unable to rotate", error)

    def _ensure(self) -> None:
        """See that it runs: at the earliest in the next turn, so that services start before their logger."""
        if self._socket:
            self._flush()
        elif not self._starting:
            self._starting = True
            self._loop.at(self._started + PAUSE, self._start)

    def _start(self) -> None:
        from _socket import AF_UNIX, SOCK_SEQPACKET, socketpair

        from pyinit.logs.collector.server import serve

        self._starting = False
        is_first = self._started == float("-inf")
        self._started = monotonic()
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        try:
            self.pid = fork(PROG, theirs.fileno(), lambda: serve(theirs, self._accounts(), is_first))
        except OSError as error:
            if not self._has_complained:
                report.warn(PROG, b"unable to fork, trying again every second", error)
            self._has_complained = True
            ours.close()
            self._ensure()
            return
        finally:
            theirs.close()
        self._has_complained = False
        ours.setblocking(False)
        self._socket = ours
        self._writer = fcntl(ours.fileno(), F_DUPFD_CLOEXEC)
        self._loop.on_death(self.pid, self._died)
        self._ring = self._loop.on_ring(ours.fileno(), self._hear)
        self._outbox = list(self._attached)
        self._flush()

    def _flush(self) -> None:
        """Send what is to be sent, as far as the socket takes it; the rest when it takes more."""
        if not self._socket:
            return None
        from _socket import SCM_RIGHTS, SHUT_WR, SOL_SOCKET

        while self._outbox:
            attachment = self._attached[self._outbox[0]]
            packet = pack(self._outbox[0], attachment.job)
            try:
                with attachment.pipe as (pipe,):
                    self._socket.sendmsg([packet], [(SOL_SOCKET, SCM_RIGHTS, pipe.to_bytes(4, sys.byteorder))])
            except BlockingIOError:
                return self._loop.on_writable(self._writer, self._flush)
            except OSError as error:
                from errno import EMFILE

                if error.errno == EMFILE:  # no room to look at what is in flight
                    self._loop.at(monotonic() + PAUSE, self._flush)
                    return None
                break  # it is dying: the next one is sent everything
            del self._outbox[0]
        self._loop.forget(self._writer)
        if self._finishing:
            try:
                self._socket.shutdown(SHUT_WR)
            except OSError:
                pass
        return None

    def _hear(self) -> None:
        while self._receive():
            pass

    def _receive(self) -> bool:
        """Take one message; whether there was one."""
        if not self._socket:
            return False
        try:
            packet = self._socket.recv(64)
        except OSError:
            return False
        if not packet:
            return False
        attachment = self._attached.pop(int(packet), None)
        if attachment:
            attachment.drained()
        return True

    def _died(self, outcome: int) -> None:
        """Hear what it still had said; then start another if there is anything left to read."""
        self._hear()
        if self._socket:
            self._loop.unring(self._ring)
            self._loop.forget(self._writer)
            posix.close(self._writer)
            self._socket.close()
            self._socket = None
        pid, self.pid = self.pid, 0
        if self._attached:
            how = b"was killed by signal %d" % -outcome if outcome < 0 else b"exited %d" % outcome
            report.warn(PROG, b"the logging process (pid %d) %b, starting another" % (pid, how))
            self._ensure()
