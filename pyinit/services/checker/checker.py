"""The checker, seen from PID 1: it is given questions, and answers them.

It is forked from this process, as the log collector is, so that both share pages. PID 1 keeps every question. If the
checker dies its programs are killed, and another one is asked all of them; how far they had come goes along. Nothing
here waits for the checker: what its socket does not take at once is sent when it takes more.
"""

import posix
import sys
from _signal import SIGKILL
from errno import ENOMEM

from pyinit import report
from pyinit.formats.questions import (
    AGAIN,
    DROP,
    DUE,
    FAILED,
    PROG,
    PROGRAM,
    pack,
    pack_variables,
    unpack_answer,
)
from pyinit.system.reserve import Reserve
from pyinit.system.workers import end_in_words, hang_up, packets, start_worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from pyinit.formats.questions import Question
    from pyinit.services.checker.wording import Order
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop
    from pyinit.system.spawn import Spawner

PAUSE = 1.0
"""Seconds between two starts of the checker, at least; and until a packet that failed is sent again."""

LINGER = 60.0
"""Seconds that a checker without a question stays: a service that starts again has one soon."""

GRACE = 0.5
"""Seconds for a checker to end once its socket is closed. While one lives, it holds the logs of its programs open."""

NEEDED = 2
"""Descriptors that a start of the checker takes: the ends of its socket."""

LONGEST_ANSWER = 4096


class Checker:
    """Starts the checker at the first question, and again when it dies. `pid` is 0 while none runs."""

    def __init__(self, loop: "Loop", spawner: "Spawner") -> None:
        self.name = PROG
        self.pid = 0
        self._loop = loop
        self._spawner = spawner
        self._orders: dict[int, Order] = {}
        self._count = 0
        self._outbox: list[int] = []
        """Numbers of questions to be asked, or, where they are no orders any more, to be dropped."""
        self._socket: socket | None = None
        self._reserve = Reserve(NEEDED)
        self._last_start = float("-inf")
        self._is_starting = self._is_to_send = self._has_warned = self._is_closed = False
        self._linger: Deadline | None = None

    def ask(self, order: "Order") -> int:
        """Have a question asked; its number, for `drop`."""
        self._count += 1
        self._orders[self._count] = order
        self._outbox.append(self._count)
        self._ensure()
        return self._count

    def drop(self, number: int) -> None:
        """Ask no more; answers that are under way are not heard."""
        self._orders.pop(number, None)
        if number in self._outbox:
            self._outbox.remove(number)
        elif self._socket:
            self._outbox.append(number)
            self._flush()
        if not self._orders and self._socket and not self._linger:
            self._linger = self._loop.call_at(self._loop.kernel.monotonic() + LINGER, self._end_if_idle)

    def close(self) -> None:
        """Everything is going down: nothing is asked any more."""
        self._is_closed = True
        self._orders.clear()
        if self._socket:
            self._hang_up(self._socket)

    def _end_if_idle(self) -> None:
        self._linger = None
        if not self._orders and self._socket:
            self._hang_up(self._socket)

    def _hang_up(self, ours: "socket") -> None:
        """Close the socket: the checker kills its programs, and ends."""
        self._socket = None
        self._outbox = list(self._orders)
        hang_up(self._loop, ours)
        pid = self.pid
        self._loop.call_at(self._loop.kernel.monotonic() + GRACE, lambda: self._kill(pid))

    def _kill(self, pid: int) -> None:
        """Kill a checker that did not end, as one that somebody has stopped."""
        if pid and pid == self.pid:
            self._loop.kernel.kill(pid, SIGKILL)

    def _ensure(self) -> None:
        """See that it runs. It starts in the next turn at the earliest: services are started first."""
        if self._socket:
            self._flush()
        elif not (self._is_starting or self._is_closed or self.pid):
            self._is_starting = True
            self._loop.call_at(self._last_start + PAUSE, self._start)

    def _start(self) -> None:
        """Start the checker; whatever fails, all of it is tried again after PAUSE."""
        self._is_starting = False
        if not self._orders or self.pid or self._is_closed:
            return
        self._last_start = self._loop.kernel.monotonic()
        try:
            self._launch()
        except (OSError, ImportError, MemoryError) as error:
            self._warn_once(b"unable to start the checker", error if isinstance(error, OSError) else ENOMEM)
            self._ensure()
            return
        finally:
            self._reserve.fill()
        self._has_warned = False
        self._loop.add_child_handler(self.pid, self._exited)
        self._outbox = list(self._orders)
        self._flush()

    def _launch(self) -> None:
        """Fork the checker and listen to it. Raises OSError and others; then nothing of it is left."""
        from pyinit.services.checker.polling import ask_questions

        self._reserve.release()
        self.pid, self._socket = start_worker(self._loop, PROG, self._receive, ask_questions, self._spawner)

    def _warn_once(self, what: bytes, error: "OSError | int") -> None:
        if not self._has_warned:
            report.warn(PROG, what + b", trying again every second", error)
        self._has_warned = True

    def _flush(self) -> None:
        """Send packets as far as the socket takes them; the rest when it takes more."""
        while self._socket and self._outbox:
            number = self._outbox[0]
            try:
                self._send(self._socket, number, self._orders.get(number))
            except BlockingIOError:
                self._await_room(self._socket.fileno())
                return
            except (BrokenPipeError, ConnectionResetError):
                return  # it is dying: the next checker gets everything
            except OSError as error:
                self._warn_once(b"unable to hand a question to the checker", error)
                self._send_later(self._outbox.pop(0))
                return
            del self._outbox[0]
        if self._socket:
            self._has_warned = False
            self._loop.remove_writer(self._socket.fileno())

    def _await_room(self, socket_fd: int) -> None:
        try:
            self._loop.add_writer(socket_fd, self._flush)
        except OSError:
            self._send_later(self._outbox.pop(0))

    def _send(self, ours: "socket", number: int, order: "Order | None") -> None:
        """Send one packet. Raises OSError."""
        from _socket import MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET

        if order is None:
            ours.send(DROP + b"\0%d" % number, MSG_DONTWAIT)
            return
        fds = order.fds
        variables_fd = -1
        if order.question.kind == PROGRAM:
            variables_fd = _written(pack_variables(order.changes))
            fds = [fds[0], variables_fd, *fds[1:]]
        try:
            content = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
            rights = [(SOL_SOCKET, SCM_RIGHTS, content)] if fds else []
            ours.sendmsg([pack(number, order.question)], rights, MSG_DONTWAIT)
        finally:
            if variables_fd >= 0:
                posix.close(variables_fd)

    def _send_later(self, number: int) -> None:
        """Send it after PAUSE, behind the others: what is wrong with it may last."""
        self._outbox.append(number)
        if not self._is_to_send:
            self._is_to_send = True
            self._loop.call_at(self._loop.kernel.monotonic() + PAUSE, self._send_again)

    def _send_again(self) -> None:
        self._is_to_send = False
        self._flush()

    def _receive(self) -> None:
        """Take all answers. Those to questions that were dropped mean nothing."""
        if not self._socket:
            return
        for packet in packets(self._loop, self._socket, LONGEST_ANSWER):
            verb, _, number, detail = unpack_answer(packet)
            order = self._orders.get(number)
            if order and verb == AGAIN:
                self._send_later(number)
            elif order:
                note(order.question, verb, detail)
                self._loop.guard(order.answered, verb)

    def _exited(self, outcome: int) -> None:
        """Start another checker if a question is left, after the last answers of this one."""
        if self._socket:
            self._receive()
        if self._socket:
            self._hang_up(self._socket)
        pid, self.pid = self.pid, 0
        if self._orders:
            if outcome:
                report.warn(PROG, b"the checker (pid %d) %b, starting another" % (pid, end_in_words(outcome)))
            self._reserve.fill()
            self._ensure()
        if outcome:  # else it has killed its programs itself
            self._loop.guard(self._kill_programs, pid)

    def _kill_programs(self, session: int) -> None:
        """Kill what it left behind, if anything: that is what is in its session."""
        from pyinit.services.census import Census, Traits

        for pid in Census(self._loop.children).find(Traits({session})).pids:
            try:
                self._loop.kernel.kill(pid, SIGKILL)
            except OSError:  # it has ended
                pass


def note(question: "Question", verb: bytes, detail: int) -> None:
    """Keep how far a question has come, for a checker that has to begin with it anew."""
    if verb == FAILED:
        question.count = detail
    elif verb == DUE:
        question.mark = detail


def _written(content: bytes) -> int:
    """A descriptor of an anonymous file with this content. Raises OSError."""
    fd = posix.memfd_create("variables", posix.MFD_CLOEXEC)
    try:
        while content:
            content = content[posix.write(fd, content) :]
    except OSError:
        posix.close(fd)
        raise
    return fd
