"""The log collector, seen from PID 1: it is given pipes, and says when it has drained one.

It is forked from this process, not executed, so that both share pages. A pipe goes over a socket (SCM_RIGHTS), and
stays open here until its last byte is on disk. If the collector dies another is forked and given every pipe again, so
that no byte in a pipe is lost. That start may fail at any step, and is tried again until it succeeds; its
descriptors are kept in reserve. Nothing here waits for the collector: packets that the socket does not take at once
are kept until it takes them. `formats/wire.py` describes the packets.
"""

import sys
from errno import ENOMEM

from pyinit import report
from pyinit.formats.wire import AGAIN, DEADLINE, FOUND, LOST, PROG, ROTATE, pack
from pyinit.system.reserve import Reserve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from pyinit.formats.wire import Job
    from pyinit.system.loop import Loop

PAUSE = 1.0
"""Seconds between two starts of the collector, at least."""

ROTATION = 0
"""Stands for the packet ROTATE among the numbers of pipes."""

LONGEST_MESSAGE = 64

NEEDED = 2
"""Descriptors that a start of the collector takes: the ends of its socket."""


class Attachment:
    """One pipe for the collector to read. The read end stays the caller's. `found`: see `Collector.attach`."""

    __slots__ = ("drained", "found", "job", "read_fd")

    def __init__(
        self, job: "Job", read_fd: int, drained: "Callable[[], None]", found: "Callable[[], None] | None"
    ) -> None:
        self.found = found
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
        self._reserve = Reserve(NEEDED)
        self._last_start = float("-inf")
        self._has_run = False
        self._is_starting = False
        self._is_to_send = False
        self._is_finishing = False
        self._has_warned = False
        self._deadline = b""
        """The packet that tells the deadline, once there is one."""
        self.has_lost = False
        """Whether lines of a service were given up at the deadline."""

    def subscribe(self, callback: "Callable[[], None]") -> None:
        """Call back whenever the collector has ended."""
        self._subscribers.append(callback)

    def attach(
        self, job: "Job", read_fd: int, drained: "Callable[[], None]", found: "Callable[[], None] | None" = None
    ) -> None:
        """Have the pipe read to its end; `drained` is called when all of it is written. It waits for nothing.

        `found` is called when a line has the text that the job watches for, once.
        """
        self._count += 1
        self._attached[self._count] = Attachment(job, read_fd, drained, found)
        self._outbox.append(self._count)
        self._ensure()

    def release(self) -> None:
        """Give back the descriptors kept in reserve: nothing can be opened, and the end of all has come."""
        self._reserve.release()

    def finish(self) -> None:
        """No pipe will follow: the collector ends when it has drained the attached ones."""
        self._is_finishing = True
        self._flush()

    def finish_by(self, deadline: float) -> None:
        """Give up at this moment (monotonic s) what cannot be written, and tell `has_lost`."""
        self._deadline = DEADLINE + b"%.3f" % deadline
        self._tell_deadline()

    def _tell_deadline(self) -> None:
        from _socket import MSG_DONTWAIT

        if self._socket and self._deadline:
            try:
                self._socket.send(self._deadline, MSG_DONTWAIT)
            except OSError:
                pass  # it is dying, or behind: it is killed a second after the deadline

    def rotate(self) -> None:
        """Have every log directory begin a new file. A collector that starts has new ones, or goes on in old ones."""
        if self._socket:
            self._outbox.append(ROTATION)
            self._flush()

    def _ensure(self) -> None:
        """See that it runs. It starts in the next turn at the earliest: services are started first."""
        if self._socket:
            self._flush()
        elif not self._is_starting:
            self._is_starting = True
            self._loop.call_at(self._last_start + PAUSE, self._start)

    def _start(self) -> None:
        """Start the collector; whatever fails, all of it is tried again after PAUSE."""
        self._is_starting = False
        is_first = not self._has_run
        self._last_start = self._loop.kernel.monotonic()
        try:
            self._launch(is_first)
        except (OSError, ImportError, MemoryError) as error:
            if not self._has_warned:
                why = error if isinstance(error, OSError) else ENOMEM
                report.warn(PROG, b"unable to start the log collector, trying again every second", why)
            self._has_warned = True
            self._ensure()
            return
        finally:
            self._reserve.fill()
        self._has_warned, self._has_run = False, True
        self._loop.children[self.pid] = self._exited
        self._outbox = list(self._attached)
        self._tell_deadline()
        self._flush()

    def _launch(self, is_first: bool) -> None:
        """Fork the collector and listen to it. Raises OSError and others; then nothing of it is left."""
        # Loaded after the services are started; and before the fork, so that the pages are shared.
        from pyinit.logs.collector.server import serve
        from pyinit.system.workers import start_worker

        directory = self._counters_directory()
        self._reserve.release()
        self.pid, self._socket = start_worker(self._loop, PROG, self._receive, serve, directory, is_first)

    def _flush(self) -> None:
        """Send pipes as far as the socket takes them; the rest when it takes more."""
        from _socket import MSG_DONTWAIT, SCM_RIGHTS, SHUT_WR, SOL_SOCKET

        while self._socket and self._outbox:
            number = self._outbox[0]
            packet, rights = ROTATE, []
            if number != ROTATION:
                attachment = self._attached[number]
                packet = pack(number, attachment.job)
                rights = [(SOL_SOCKET, SCM_RIGHTS, attachment.read_fd.to_bytes(4, sys.byteorder))]
            try:
                self._socket.sendmsg([packet], rights, MSG_DONTWAIT)
            except BlockingIOError:
                return self._await_room(self._socket.fileno())
            except (BrokenPipeError, ConnectionResetError):
                return None  # it is dying: the next collector gets everything
            except OSError as error:
                return self._send_later(error)
            del self._outbox[0]
        if not self._socket:
            return None
        self._has_warned = False
        self._loop.remove_writer(self._socket.fileno())
        if self._is_finishing:
            try:
                self._socket.shutdown(SHUT_WR)
            except OSError:
                pass
        return None

    def _await_room(self, socket_fd: int) -> None:
        try:
            self._loop.add_writer(socket_fd, self._flush)
        except OSError as error:
            self._send_later(error)

    def _send_later(self, error: OSError) -> None:
        """Try again after PAUSE, with another packet in front: what is wrong with this one may last."""
        if not self._has_warned:
            report.warn(PROG, b"unable to hand a pipe to the log collector, trying again every second", error)
        self._has_warned = True
        self._outbox.append(self._outbox.pop(0))
        if not self._is_to_send:
            self._is_to_send = True
            self._loop.call_at(self._loop.kernel.monotonic() + PAUSE, self._send_again)

    def _send_again(self) -> None:
        self._is_to_send = False
        self._flush()

    def _receive(self) -> None:
        """Take all messages, each the number of a pipe: a drained one, or one to be sent again."""
        from pyinit.system.workers import packets

        if not self._socket:
            return
        for packet in packets(self._loop, self._socket, LONGEST_MESSAGE):
            if packet == LOST:
                self.has_lost = True
            elif packet.startswith(AGAIN):
                self._ask_for(int(packet[len(AGAIN) :]))
            elif packet.startswith(FOUND):
                self._tell_found(int(packet[len(FOUND) :]))
            elif attachment := self._attached.pop(int(packet), None):
                attachment.drained()

    def _tell_found(self, number: int) -> None:
        """A line had the text; another collector need not look for it."""
        attachment = self._attached.get(number)
        if attachment and attachment.found:
            attachment.job.watched = b""
            self._loop.guard(attachment.found)

    def _ask_for(self, number: int) -> None:
        """The collector had no descriptor for the pipe, and has one now."""
        if number in self._attached and number not in self._outbox:
            self._outbox.append(number)
            self._flush()

    def _exited(self, outcome: int) -> None:
        """Start another collector if a pipe is left, after the last messages of this one."""
        from pyinit.system.workers import end_in_words, hang_up

        if self._socket:
            self._receive()
            hang_up(self._loop, self._socket)
            self._socket = None
            self._reserve.fill()
        pid, self.pid = self.pid, 0
        if self._attached:
            report.warn(PROG, b"the log collector (pid %d) %b, starting another" % (pid, end_in_words(outcome)))
            self._ensure()
        for callback in self._subscribers:
            callback()
