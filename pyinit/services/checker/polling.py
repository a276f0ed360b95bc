"""The checker itself: takes questions from PID 1, asks them, and answers.

The process ends when PID 1 has closed the socket. It leads a session, by which PID 1 knows its programs if it is
killed, and adopts the orphans of its programs.
"""

import posix
import sys
from _signal import SIGTERM
from _socket import MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET

from pyinit.formats.questions import (
    AGAIN,
    DROP,
    PACKET,
    PROG,
    PROGRAM,
    TIMER,
    pack_answer,
    unpack,
    unpack_variables,
)
from pyinit.services.checker.polls import Alarm, Poll
from pyinit.system import files
from pyinit.system.fork import ignore_keys
from pyinit.system.loop import PASSING, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from pyinit.formats.questions import Question
    from pyinit.services.checker.checks import CheckProgram
    from pyinit.services.checker.polls import Tell
    from pyinit.system.spawn import Spawner

AT_ONCE = 32
"""Packets taken in a turn."""

LONGEST = 1 << 30
"""Bytes of the variables for a program: all of them."""

ROOM = 256
"""Bytes for the descriptors that come with a packet."""

MANY = 1024
"""Descriptors that it may need."""

PAUSE = 0.1
"""Seconds until an answer that the socket did not take is sent again."""


class PollServer:
    """`control` is the socket to PID 1. `spawner` starts the programs."""

    def __init__(self, loop: Loop, control: "socket", spawner: "Spawner") -> None:
        self.name = PROG
        self._loop = loop
        self._control = control
        self._spawner = spawner
        self._polls: dict[int, Poll | Alarm] = {}
        self._adopts = False
        loop.add_reader(control.fileno(), self._receive)

    def _receive(self) -> None:
        for _ in range(AT_ONCE):
            try:
                packet, rights, _, _ = self._control.recvmsg(PACKET, ROOM, MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not packet:
                self.leave()
                return
            self._obey(packet, descriptors(rights))

    def _obey(self, packet: bytes, fds: "list[int]") -> None:
        verb, _, rest = packet.partition(b"\0")
        if verb == DROP:
            poll = self._polls.pop(int(rest), None)
            if poll:
                poll.close()
            return
        number, question = unpack(packet)

        def tell(verb: bytes, detail: int) -> None:
            self._tell(number, pack_answer(verb, question.name, number, detail))

        try:
            self._polls[number] = self._make(question, fds, tell)
        except (*PASSING, ValueError):
            files.close_all(*fds)
            self._send(pack_answer(AGAIN, question.name, number))

    def _make(self, question: "Question", fds: "list[int]", tell: "Tell") -> "Poll | Alarm":
        if question.purpose == TIMER:
            return Alarm(self._loop, question, tell)
        program = self._program(question, fds) if question.kind == PROGRAM else None
        return Poll(self._loop, question, [] if program else fds, program, tell)

    def _program(self, question: "Question", fds: "list[int]") -> "CheckProgram":
        from pyinit.services.checker.checks import CheckProgram

        if not self._adopts:
            from pyinit.system.adoption import adopt_orphans

            self._adopts = True
            adopt_orphans()
        directory_fd, variables_fd, *logs = fds
        posix.lseek(variables_fd, 0, 0)
        changes = unpack_variables(files.read_regular(variables_fd, LONGEST))
        return CheckProgram(self._loop, self._spawner, question.name, question.path, [directory_fd, *logs], changes)

    def _tell(self, number: int, packet: bytes) -> None:
        """Answer, unless the question was dropped meanwhile."""
        if number in self._polls:
            self._send(packet)

    def _send(self, packet: bytes) -> None:
        """To PID 1, which may be gone, or behind."""
        try:
            self._control.send(packet, MSG_DONTWAIT)
        except BrokenPipeError:
            pass
        except OSError:
            self._loop.call_at(self._loop.kernel.monotonic() + PAUSE, lambda: self._send(packet))

    def leave(self) -> None:
        """End, and kill the programs that run."""
        for poll in self._polls.values():
            poll.close()
        self._loop.stop(0)


def descriptors(rights: "list[tuple[int, int, bytes]]") -> "list[int]":
    """The descriptors that came with a packet."""
    found: list[int] = []
    for level, kind, data in rights:
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            found += [int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, len(data) - 3, 4)]
    return found


def ask_questions(control: "socket", spawner: "Spawner") -> int:
    """Run the checker in a process forked for it; returns its exit code. See PollServer for the arguments."""
    ignore_keys()
    spawner.allow_descriptors(MANY)
    posix.setsid()
    posix.chdir("/")
    spawner.settle()
    loop = Loop(PROG)
    server = PollServer(loop, control, spawner)
    loop.add_signal_handler(SIGTERM, server.leave)
    return loop.run()
