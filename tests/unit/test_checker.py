"""The checker, seen from PID 1. The test is the checker: it has the other end of the socket."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from errno import EAGAIN, EMFILE
from pathlib import Path
from signal import SIGKILL

import pytest
from kernel import World

from pyinit.formats import questions
from pyinit.formats.questions import DUE, FAILED, HEALTH, PORT, PROGRAM, READY, SICK, Question, pack_answer
from pyinit.services.census import Census, Found, Traits
from pyinit.services.checker.checker import GRACE, LINGER, PAUSE, Checker
from pyinit.services.checker.polling import descriptors
from pyinit.services.checker.wording import Order
from pyinit.system import workers


class Other:
    """The forked checkers, one after the other: what they got, and the socket to answer by."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ends: list[socket.socket] = []
        self.pids: list[int] = []
        self.failures: list[Exception] = []
        self.rights: list[int] = []

    def fork(self, worker: object, name: bytes, keep: int, main: object, end: socket.socket, spawner: object) -> int:
        if self.failures:
            raise self.failures.pop(0)
        self.ends.append(socket.socket(fileno=os.dup(end.fileno())))
        self.pids.append(900 + len(self.pids))
        self.world.kernel.living.add(self.pids[-1])
        return self.pids[-1]

    def received(self) -> list[tuple[int, str]]:
        """The packets that came since the last call: the number, and the name; or `drop`."""
        found: list[tuple[int, str]] = []
        while True:
            try:
                packet, ancillary, _, _ = self.ends[-1].recvmsg(65536, 256, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return found
            assert packet, "the socket is closed"
            self.rights = descriptors(ancillary)
            if packet.startswith(b"drop\0"):
                found.append((int(packet[5:]), "drop"))
            else:
                number, question = questions.unpack(packet)
                found.append((number, question.name.decode()))

    def answer(self, verb: bytes, number: int, detail: int = 0) -> None:
        self.ends[-1].send(pack_answer(verb, b"web", number, detail))
        self.world.run()

    def die(self, outcome: int = -9) -> None:
        self.ends[-1].close()
        self.world.kernel.die(self.pids[-1], outcome)

    def is_closed(self) -> bool:
        return self.ends[-1].recv(1, socket.MSG_DONTWAIT) == b""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def other(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Other]:
    other = Other(world)
    monkeypatch.setattr(workers, "fork", other.fork)
    monkeypatch.setattr(Census, "find", lambda census, traits: Found())
    yield other
    for end in other.ends:
        end.close()


@pytest.fixture
def checker(world: World, other: Other) -> Iterator[Checker]:
    checker = Checker(world.loop, world.spawner)
    yield checker
    checker.close()
    checker._reserve.release()


def order(name: str = "web", heard: list[bytes] | None = None, kind: bytes = PORT, fds: tuple[int, ...] = ()) -> Order:
    answered: Callable[[bytes], None] = (lambda verb: None) if heard is None else heard.append
    return Order(Question(HEALTH, kind, name.encode()), list(fds), {b"A": b"b", b"C": None}, answered)


def test_there_is_none_until_somebody_asks(world: World, checker: Checker, other: Other) -> None:
    world.run(10)
    assert (checker.pid, other.pids) == (0, [])
    checker.ask(order("a"))
    assert checker.pid == 0, "services start first"
    checker.ask(order("b"))
    world.run()
    assert checker.pid == other.pids[0]
    assert other.received() == [(1, "a"), (2, "b")]
    checker.ask(order("c"))
    assert other.received() == [(3, "c")]
    assert len(other.pids) == 1


def test_answers_are_heard_until_the_question_is_dropped(world: World, checker: Checker, other: Other) -> None:
    heard: list[bytes] = []
    number = checker.ask(order(heard=heard))
    world.run()
    other.received()
    other.answer(READY, number)
    other.answer(SICK, 17)
    assert heard == [READY]
    checker.drop(number)
    assert other.received() == [(number, "drop")]
    other.answer(SICK, number)
    assert heard == [READY]


def test_a_question_that_was_not_asked_is_dropped_without_a_word(world: World, checker: Checker, other: Other) -> None:
    checker.drop(checker.ask(order("a")))
    checker.ask(order("b"))
    world.run()
    assert other.received() == [(2, "b")]


def test_what_goes_with_a_program(world: World, checker: Checker, other: Other) -> None:
    read_fd, write_fd = os.pipe()
    checker.ask(order(kind=PROGRAM, fds=(read_fd, write_fd)))
    before = len(os.listdir("/proc/self/fd"))
    world.run()
    other.received()
    directory_fd, variables_fd, log_fd = other.rights
    assert os.fstat(directory_fd).st_ino == os.fstat(read_fd).st_ino
    assert os.fstat(log_fd).st_ino == os.fstat(write_fd).st_ino
    os.lseek(variables_fd, 0, os.SEEK_SET)
    assert os.read(variables_fd, 100) == b"A=b\0C\0"
    for fd in (*other.rights, read_fd, write_fd):
        os.close(fd)
    assert len(os.listdir("/proc/self/fd")) <= before + 6, "a socket, its other end, the reserve: no file of variables"


@pytest.mark.parametrize("outcome", [-9, 111])
def test_one_that_dies_is_replaced_and_nothing_is_forgotten(
    world: World, checker: Checker, other: Other, outcome: int, capfd: pytest.CaptureFixture[str]
) -> None:
    kept, dropped = order("kept"), order("dropped")
    number = checker.ask(kept)
    gone = checker.ask(dropped)
    world.run(5)
    checker.drop(gone)
    other.answer(FAILED, number, 2)
    other.answer(DUE, number, 77)
    other.die(outcome)
    checker.ask(order("new"))
    world.run(1)
    assert checker.pid == other.pids[1]
    assert other.received() == [(number, "kept"), (gone + 1, "new")]
    assert (kept.question.count, kept.question.mark) == (2, 77)
    how = "was killed by signal 9" if outcome < 0 else "exited 111"
    assert capfd.readouterr().err == f"checker: warning: the checker (pid 900) {how}, starting another\n"


def test_starts_are_a_second_apart(world: World, checker: Checker, other: Other) -> None:
    checker.ask(order())
    world.run()
    other.die()
    world.run(PAUSE - 0.1)
    assert len(other.pids) == 1
    world.run(0.2)
    assert len(other.pids) == 2


def test_the_programs_of_one_that_died_are_killed(
    world: World, checker: Checker, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Found()
    found.pids = {555}
    asked: list[object] = []

    def find(census: Census, traits: Traits) -> Found:
        asked.append(traits.groups)
        return found

    monkeypatch.setattr(Census, "find", find)
    checker.ask(order())
    world.run()
    other.die()
    world.run()
    assert asked == [{900}], "its session"
    assert world.kernel.kills == [(555, SIGKILL)]


def test_a_start_that_fails_is_tried_again(
    world: World, checker: Checker, other: Other, capfd: pytest.CaptureFixture[str]
) -> None:
    other.failures += [OSError(EAGAIN, ""), OSError(EAGAIN, "")]
    checker.ask(order())
    world.run(PAUSE + 0.1)
    assert other.pids == []
    world.run(PAUSE)
    assert other.received() == [(1, "web")]
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_without_questions_it_ends_after_a_while(world: World, checker: Checker, other: Other) -> None:
    number = checker.ask(order())
    world.run()
    checker.drop(number)
    world.run(LINGER - 1)
    other.received()
    number = checker.ask(order())
    checker.drop(number)
    world.run(1.2)
    with pytest.raises(AssertionError, match="closed"):
        other.received()
    assert checker.pid == 900
    checker.ask(order("late"))
    world.run(0.1)
    assert checker.pid == 900, "until that has ended"
    other.die(0)
    world.run(1)
    assert other.received() == [(3, "late")]


def test_nothing_is_asked_while_everything_goes_down(world: World, checker: Checker, other: Other) -> None:
    number = checker.ask(order())
    world.run()
    other.received()
    checker.close()
    assert other.is_closed()
    checker.drop(number)
    checker.ask(order())
    other.die(0)
    world.run(5)
    assert len(other.pids) == 1


def test_one_that_does_not_end_is_killed(world: World, checker: Checker, other: Other) -> None:
    checker.ask(order())
    world.run()
    checker.close()
    world.run(GRACE - 0.1)
    assert world.kernel.sent(900) == []
    world.run(0.2)
    assert world.kernel.sent(900) == [SIGKILL]
    world.run(5)
    assert checker.pid == 0


def test_a_socket_that_is_full_is_waited_for(world: World, checker: Checker, other: Other) -> None:
    checker.ask(order("0"))
    world.run()
    for number in range(1, 2000):
        checker.ask(order(str(number) + "x" * 1000))
    found = other.received()
    assert 0 < len(found) < 2000
    while len(found) < 2000:
        world.run()
        found += other.received()
    assert [number for number, _ in found] == list(range(1, 2001))


def test_a_question_that_cannot_be_sent_is_sent_later_and_others_before_it(
    world: World, checker: Checker, other: Other, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = checker._send

    def fail(ours: object, number: int, order: Order | None) -> None:
        raise OSError(EMFILE, "")

    monkeypatch.setattr(checker, "_send", fail)
    checker.ask(order("a"))
    world.run()
    monkeypatch.setattr(checker, "_send", real)
    checker.ask(order("b"))
    assert other.received() == [(1, "a"), (2, "b")]
    assert "unable to hand a question to the checker" in capfd.readouterr().err


def test_a_question_that_did_not_arrive_is_sent_again(world: World, checker: Checker, other: Other) -> None:
    heard: list[bytes] = []
    checker.ask(order(heard=heard))
    world.run()
    other.received()
    other.answer(questions.AGAIN, 1)
    assert other.received() == []
    world.run(PAUSE + 0.1)
    assert other.received() == [(1, "web")]
    assert heard == []


def test_descriptors_of_a_packet() -> None:
    data = (5).to_bytes(4, sys.byteorder) + (7).to_bytes(4, sys.byteorder)
    assert descriptors([(socket.SOL_SOCKET, socket.SCM_RIGHTS, data + b"x"), (0, 0, data)]) == [5, 7]
