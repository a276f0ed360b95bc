"""Questions that are asked again and again, on a fake clock."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kernel import World, make_service

from pyinit.formats.questions import (
    CRON,
    DUE,
    FAILED,
    FILE,
    HEALTH,
    INTERVAL,
    PORT,
    PROGRAM,
    READINESS,
    READY,
    SICK,
    TIMER,
    WELL,
    Question,
)
from pyinit.services.checker import polls
from pyinit.services.checker.checks import CheckProgram
from pyinit.services.checker.polls import Alarm, Poll
from pyinit.services.checker.probes import file_exists
from pyinit.services.definition.cron import cron
from pyinit.system import files


@pytest.fixture
def world() -> World:
    return World()


class Asked:
    """A question about a file, and what was answered when, in seconds from the first question."""

    def __init__(self, world: World, directory: Path, purpose: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.directory = directory
        self.question = Question(purpose, FILE, b"web")
        self.question.path, self.question.every, self.question.at = b"flag", 1.0, world.kernel.now
        self.asked: list[float] = []
        self.answers: list[tuple[float, bytes, int]] = []
        self._began = world.kernel.now
        real = file_exists

        def exists(path: bytes, directory_fd: int) -> bool:
            self.asked.append(self.seconds)
            return real(path, directory_fd)

        monkeypatch.setattr(polls, "file_exists", exists)

    @property
    def seconds(self) -> float:
        return round(self.world.kernel.now - self._began, 3)

    def begin(self) -> Poll:
        def tell(verb: bytes, detail: int) -> None:
            self.answers.append((self.seconds, verb, detail))

        return Poll(self.world.loop, self.question, [files.open_directory(bytes(self.directory))], None, tell)

    def set(self, is_there: bool) -> None:
        (self.directory / "flag").touch()
        if not is_there:
            (self.directory / "flag").unlink()


MakeAsked = Callable[[bytes], Asked]


@pytest.fixture
def make_asked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeAsked:
    return lambda purpose: Asked(world, tmp_path, purpose, monkeypatch)


def test_a_start_is_asked_at_once_and_then_less_and_less_often(make_asked: MakeAsked) -> None:
    asked = make_asked(READINESS)
    poll = asked.begin()
    asked.world.run(3.6)
    assert asked.asked == [0, 0.01, 0.03, 0.07, 0.15, 0.31, 0.63, 1.27, 2.27, 3.27]
    assert asked.answers == []
    asked.set(True)
    asked.world.run(5)
    assert asked.answers == [(4.27, READY, 0)]
    assert len(asked.asked) == 11, "once is enough"
    poll.close()


def test_never_less_often_than_asked_for(make_asked: MakeAsked) -> None:
    asked = make_asked(READINESS)
    asked.question.every = 0.005
    poll = asked.begin()
    asked.world.run(0.022)
    assert asked.asked == [0, 0.005, 0.01, 0.015, 0.02]
    poll.close()


def test_so_many_failures_in_a_row_make_it_sick_and_one_answer_well(make_asked: MakeAsked) -> None:
    asked = make_asked(HEALTH)
    asked.question.failures = 2
    asked.set(True)
    poll = asked.begin()
    asked.world.run(0.5)
    for is_there in False, True, False, False, False, True, True, False:
        asked.set(is_there)
        asked.world.run(1)
    assert asked.answers == [
        *[(1, FAILED, 1), (2, FAILED, 0)],
        *[(3, FAILED, 1), (4, FAILED, 2), (4, SICK, 0)],
        *[(6, FAILED, 0), (6, WELL, 0)],
        (8, FAILED, 1),
    ]
    assert asked.asked == list(range(9))
    poll.close()


def test_it_goes_on_where_another_checker_was(make_asked: MakeAsked) -> None:
    asked = make_asked(HEALTH)
    asked.question.failures, asked.question.count = 3, 2
    poll = asked.begin()
    asked.world.run(0)
    assert asked.answers == [(0, FAILED, 3), (0, SICK, 0)]
    poll.close()
    asked.question.count = 3
    asked.answers.clear()
    poll = asked.begin()
    asked.world.run(0)
    assert asked.answers == [], "it is known to be sick"
    asked.set(True)
    asked.world.run(1)
    assert asked.answers == [(1, FAILED, 0), (1, WELL, 0)]
    poll.close()


def test_a_closed_one_is_asked_no_more(make_asked: MakeAsked) -> None:
    asked = make_asked(READINESS)
    before = os.listdir("/proc/self/fd")
    poll = asked.begin()
    asked.world.run(1)
    poll.close()
    count = len(asked.asked)
    asked.world.run(10)
    assert len(asked.asked) == count
    assert os.listdir("/proc/self/fd") == before


def test_asking_that_fails_is_a_bad_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[bytes] = []
    question = Question(HEALTH, PORT, b"web")
    question.host, question.port, question.every, question.timeout = b"db.example", 1, 10.0, 5.0

    def fork(*arguments: object) -> int:
        raise BlockingIOError

    monkeypatch.setattr("pyinit.services.checker.resolving.fork", fork)
    poll = Poll(world.loop, question, [], None, lambda verb, detail: answers.append(verb))
    world.run(0)
    assert answers == [FAILED, SICK]
    poll.close()


class Checked:
    """A service whose `check` is asked as its health, every 10 s, for 3 s at most."""

    def __init__(self, world: World, top: Path) -> None:
        question = Question(HEALTH, PROGRAM, b"web")
        question.every, question.timeout, question.at = 10.0, 3.0, world.kernel.now
        self.answers: list[bytes] = []
        log_fd = os.open("/dev/null", os.O_WRONLY)
        fds = [files.open_directory(bytes(make_service(top))), log_fd]
        variables: dict[bytes, bytes | None] = {b"A": b"b"}
        program = CheckProgram(world.loop, world.spawner, b"web", b"./check", fds, variables)
        self.log_fd = log_fd
        self.poll = Poll(world.loop, question, [], program, lambda verb, detail: self.answers.append(verb))


def test_a_program_runs_in_the_directory_with_the_environment_and_the_log(world: World, tmp_path: Path) -> None:
    checked = Checked(world, tmp_path)
    world.run(0)
    (start,) = world.spawner.starts
    assert (start.argv, start.name, start.changes) == ([b"./check"], "web", {b"A": b"b"})
    assert [(here, there) for _, here, there in start.redirections] == [(checked.log_fd, 1), (checked.log_fd, 2)]
    world.kernel.die(start.pid, 0)
    world.run(9)
    assert len(world.spawner.starts) == 1
    world.run(2)
    assert len(world.spawner.starts) == 2
    world.kernel.die(world.spawner.starts[1].pid, 1)
    world.run(0)
    assert checked.answers == [FAILED, SICK]
    checked.poll.close()


def test_a_program_that_hangs_is_killed(world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    checked = Checked(world, tmp_path)
    world.run(2.9)
    pid = world.spawner.starts[0].pid
    assert not world.kernel.kills
    world.run(0.2)
    assert world.kernel.kills[:2] == [(-pid, 9), (pid, 9)]
    assert checked.answers == [FAILED, SICK]
    world.run(20)
    said = capfd.readouterr().err.splitlines()
    assert said == [f"checker: warning: killed web/check (pid {pid}): it did not end in time"], "it is said once"
    checked.poll.close()


def test_a_program_that_nobody_waits_for_is_killed(world: World, tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    checked = Checked(world, tmp_path)
    world.run(1)
    checked.poll.close()
    assert world.kernel.sent(-world.spawner.starts[0].pid) == [9]
    world.run(20)
    assert checked.answers == []
    assert os.listdir("/proc/self/fd") == before


def test_a_program_that_cannot_be_started_is_a_bad_answer(world: World, tmp_path: Path) -> None:
    world.spawner.failures.append(FileNotFoundError())
    checked = Checked(world, tmp_path)
    world.run(0)
    assert checked.answers == [FAILED, SICK]
    checked.poll.close()


def alarm(world: World, kind: bytes, mark: int = 0) -> tuple[Alarm, list[tuple[float, int]]]:
    question = Question(TIMER, kind, b"web")
    question.at, question.every, question.mark = world.kernel.now, 10.0 if kind == INTERVAL else 0.0, mark
    question.fields = cron([b"*"] * 5).fields
    began, due = world.kernel.now, []

    def tell(verb: bytes, detail: int) -> None:
        assert verb == DUE
        due.append((world.kernel.now - began, detail))

    return Alarm(world.loop, question, tell), due


def test_an_interval_is_due_from_due_time_to_due_time(world: World) -> None:
    ringing, due = alarm(world, INTERVAL)
    world.run(35)
    assert due == [(10, 1), (20, 2), (30, 3)]
    ringing.close()
    world.run(35)
    assert len(due) == 3


def test_an_interval_that_was_missed_is_made_up_for_once(world: World) -> None:
    world.kernel.now += 35
    ringing, due = alarm(world, INTERVAL, mark=1)
    ringing._question.at -= 35
    world.run(6)
    assert due == [(0, 3), (5, 4)]
    ringing.close()


def test_cron_is_looked_at_each_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "time", lambda: world.kernel.now)
    ringing, due = alarm(world, CRON, mark=int(world.kernel.now))
    world.run(130)
    assert due == [(20, 1020), (80, 1080)], "the clock began at 1000"
    ringing.close()


def test_a_python_without_zones_is_told_of(
    world: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zoneinfo", None)
    question = Question(TIMER, CRON, b"web")
    question.fields, question.zone = cron([b"*"] * 5).fields, b"Europe/Berlin"
    Alarm(world.loop, question, lambda verb, detail: None).close()
    assert "unable to use time zone Europe/Berlin" in capfd.readouterr().err


def test_a_zone_that_is_not_there_is_told(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    question = Question(TIMER, CRON, b"web")
    question.fields, question.zone = cron([b"*"] * 5).fields, b"Mars/Olympus"
    Alarm(world.loop, question, lambda verb, detail: None).close()
    expected = (
        "checker: warning: web: unable to use time zone Mars/Olympus, so the container's counts: no such time zone\n"
    )
    assert capfd.readouterr().err == expected
