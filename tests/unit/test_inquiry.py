"""What is asked about a service in each phase, and what follows from the answers. The checker is the test."""

import os
import socket
from pathlib import Path
from signal import SIGCONT, SIGTERM

import pytest
from kernel import World, make_service

from pyinit.formats.questions import DUE, HEALTH, PORT, PROGRAM, READINESS, READY, SICK, TIMER, WELL
from pyinit.services.checker.wording import Order
from pyinit.services.life.moment import BACKOFF, DONE, FAILED, IDLE, RUNNING, STARTING, STOPPING
from pyinit.services.supervisor import Supervisor
from pyinit.system import files


class FakeChecker:
    """Notes what it is to ask, in `orders`."""

    def __init__(self) -> None:
        self.pid = 0
        self.orders: dict[int, Order] = {}
        self._count = 0

    def ask(self, order: Order) -> int:
        self._count += 1
        self.orders[self._count] = order
        return self._count

    def drop(self, number: int) -> None:
        del self.orders[number]

    def close(self) -> None:
        """Never called."""

    @property
    def asked(self) -> list[bytes]:
        """What its questions are for."""
        return [order.question.purpose for order in self.orders.values()]

    def answer(self, verb: bytes) -> None:
        (order,) = self.orders.values()
        order.answered(verb)


@pytest.fixture
def checker() -> FakeChecker:
    return FakeChecker()


@pytest.fixture
def world(tmp_path: Path, checker: FakeChecker) -> World:
    world = World(tmp_path / "runtime")
    world.context.checker = checker
    return world


def service(world: World, top: Path, name: str = "web", **content: str) -> Supervisor:
    directory = make_service(top, name, **content)
    for path in directory.iterdir():
        path.chmod(0o755 if path.read_text().startswith("#!") else 0o644)
    supervisor = Supervisor(world.context, name.encode(), files.open_directory(bytes(directory)))
    supervisor.open()
    return supervisor


def phase(supervisor: Supervisor) -> bytes:
    return supervisor.state.phase


@pytest.mark.parametrize("ready", ["port 80", "unix sock", "file flag", "check"])
def test_a_start_is_asked_about_until_it_is_ready(
    world: World, tmp_path: Path, checker: FakeChecker, ready: str
) -> None:
    web = service(world, tmp_path, ready=ready, check="#!/bin/sh\n")
    assert (phase(web), checker.asked) == (STARTING, [READINESS])
    (order,) = checker.orders.values()
    assert (order.question.at, order.question.every, order.question.timeout) == (world.kernel.now, 1.0, 1.0)
    checker.answer(READY)
    assert (phase(web), checker.asked) == (RUNNING, [])


@pytest.mark.parametrize("ready", ["port 80", "unix sock", "file flag", "check"])
def test_timeout_up(world: World, tmp_path: Path, checker: FakeChecker, ready: str) -> None:
    world.kernel.obeys = (SIGTERM,)
    web = service(world, tmp_path, ready=ready, check="#!/bin/sh\n", **{"timeout-up": "2s", "restart": "never"})
    world.run(1.9)
    assert phase(web) == STARTING
    world.run(0.2)
    assert (phase(web), checker.asked) == (FAILED, [])


def test_each_start_is_asked_about_anew(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    web = service(world, tmp_path, ready="port 80")
    world.run(2)
    world.kernel.die(web.pid, 1)
    world.run()
    assert list(checker.orders) == [2]
    checker.answer(READY)
    assert phase(web) == RUNNING


def test_health_is_asked_in_phase_up_alone(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    web = service(world, tmp_path, ready="port 80", health="port 80 every 5s timeout 2s failures 4")
    assert checker.asked == [READINESS]
    world.run(3)
    checker.answer(READY)
    assert checker.asked == [HEALTH]
    (question,) = (order.question for order in checker.orders.values())
    assert (question.kind, question.at, question.every) == (PORT, world.kernel.now + 5, 5.0)
    assert (question.timeout, question.failures, question.count) == (2.0, 4, 0)
    web.command(b"p")
    assert checker.asked == [], "not while it is paused"
    web.command(b"c")
    assert checker.asked == [HEALTH]
    web.command(b"d")
    assert (phase(web), checker.asked) == (STOPPING, [])


def test_one_that_says_that_it_stops_is_asked_no_more(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    world.spawner._next_pid = os.getpid()
    web = service(world, tmp_path, ready="notify", health="port 80")
    name = world.spawner.starts[0].changes[b"NOTIFY_SOCKET"]
    assert name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"READY=1", b"\0" + name[1:])
        world.run()
        assert (phase(web), checker.asked) == (RUNNING, [HEALTH])
        sending.sendto(b"STOPPING=1", b"\0" + name[1:])
        world.run()
    assert (phase(web), checker.asked) == (RUNNING, [])
    assert world.context.notices
    world.context.notices._socket.close()


@pytest.mark.parametrize(("then", "expected"), [("restart", BACKOFF), ("fail", FAILED)])
def test_a_sick_service(world: World, tmp_path: Path, checker: FakeChecker, then: str, expected: bytes) -> None:
    web = service(world, tmp_path, health=f"port 80 then {then}", backoff="5")
    checker.answer(SICK)
    assert (phase(web), checker.asked) == (STOPPING, [])
    assert world.kernel.sent(web.pid) == [SIGTERM, SIGCONT]
    world.kernel.die(web.pid, 0)
    world.run()
    assert phase(web) == expected


def test_a_sick_service_that_is_only_told_of(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    web = service(world, tmp_path, health="port 80 failures 7 then ignore")
    checker.answer(SICK)
    assert (phase(web), web.state.is_sick, checker.asked) == (RUNNING, True, [HEALTH])
    web.command(b"p")
    web.command(b"c")
    (order,) = checker.orders.values()
    assert order.question.count == 7, "it is known to be sick"
    checker.answer(WELL)
    assert not web.state.is_sick


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"health": "#!/bin/sh\n"}, b"./health"),
        ({"health": "check", "check": "#!/bin/sh\n", "ready": "up"}, b"./check"),
    ],
)
def test_a_program_gets_what_run_got(
    world: World, tmp_path: Path, checker: FakeChecker, content: dict[str, str], path: bytes
) -> None:
    directory = make_service(tmp_path, **content)
    (directory / "health").chmod(0o755 if content["health"].startswith("#!") else 0o644)
    log_fd = os.open("/dev/null", os.O_WRONLY)
    redirections = [(0, log_fd, 1), (0, log_fd, 2)]
    web = Supervisor(world.context, b"web", files.open_directory(bytes(directory)), redirections)
    web.open()
    (order,) = checker.orders.values()
    assert (order.question.kind, order.question.path) == (PROGRAM, path)
    assert order.changes == {b"SERVICE_NAME": b"web"}
    assert order.fds[1:] == [log_fd]
    assert os.path.samestat(os.fstat(order.fds[0]), directory.stat())
    os.close(log_fd)


def test_an_old_file_is_removed_before_a_start(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="file flag", flag="old")
    assert not (tmp_path / "web/flag").exists()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "web/flag"))
        world.run(2)
        world.kernel.die(web.pid, 1)
        world.run()
    assert not (tmp_path / "web/flag").exists()
    assert phase(web) == STARTING


@pytest.mark.parametrize("make", [os.mkdir, lambda path: os.symlink("x", path), os.mkfifo])
def test_what_is_no_file_is_a_failed_start(
    world: World, tmp_path: Path, checker: FakeChecker, make: object, capfd: pytest.CaptureFixture[str]
) -> None:
    make_service(tmp_path, ready="file flag")
    assert callable(make)
    make(tmp_path / "web/flag")
    (tmp_path / "web/ready").chmod(0o644)
    web = Supervisor(world.context, b"web", files.open_directory(bytes(tmp_path / "web")))
    web.open()
    assert (phase(web), checker.asked, world.spawner.starts) == (BACKOFF, [], [])
    expected = "unable to start web/run: unable to remove flag, for which ready waits: not a regular file"
    assert expected in capfd.readouterr().err


def test_a_timer_runs_a_oneshot(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    job = service(world, tmp_path, type="oneshot", timer="every 10s")
    assert (phase(job), checker.asked) == (IDLE, [TIMER])
    checker.answer(DUE)
    assert phase(job) == RUNNING
    checker.answer(DUE)
    assert (job.state.skipped, job.status_text) == (1, b"1 runs skipped")
    world.run(2)
    world.kernel.die(job.pid, 0)
    world.run()
    assert (phase(job), checker.asked) == (DONE, [TIMER])
    checker.answer(DUE)
    world.kernel.die(job.pid, 1)
    world.run(2)
    assert phase(job) == FAILED
    checker.answer(DUE)
    assert phase(job) == RUNNING
    assert list(checker.orders) == [1], "it was asked for once"


def test_a_timer_at_start_runs_it_at_once(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    job = service(world, tmp_path, type="oneshot", timer="0 4 * * * at-start")
    assert (phase(job), checker.asked) == (RUNNING, [TIMER])


def test_a_timer_rests_while_it_is_told_down(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    job = service(world, tmp_path, type="oneshot", timer="every 10s")
    job.command(b"d")
    assert checker.asked == []
    job.command(b"u")
    assert (phase(job), checker.asked) == (RUNNING, [TIMER]), "it runs now, and by its clock again"
    job.command(b"x")
    assert checker.asked == []


def test_another_timer_is_another_question(world: World, tmp_path: Path, checker: FakeChecker) -> None:
    job = service(world, tmp_path, type="oneshot", timer="every 10s")
    checker.answer(DUE)
    world.kernel.die(job.pid, 0)
    world.run(2)
    (tmp_path / "web/timer").write_text("every 20s")
    checker.answer(DUE)
    assert [order.question.every for order in checker.orders.values()] == [20.0]
    assert phase(job) == RUNNING


def test_the_watchdog_is_told_to_the_service_and_not_asked_for(
    world: World, tmp_path: Path, checker: FakeChecker
) -> None:
    web = service(world, tmp_path, health="watchdog timeout 2s failures 1 then fail")
    start = world.spawner.starts[0]
    assert start.changes[b"WATCHDOG_USEC"] == b"2000000"
    assert start.changes[b"WATCHDOG_PID"] == b"%d" % web.pid
    assert (start.changes[b"NOTIFY_SOCKET"] or b"").startswith(b"@")
    assert checker.asked == []
    web.command(b"p")
    world.run(5)
    assert phase(web) == RUNNING, "nobody expects a sign while it is paused"
    web.command(b"c")
    world.run(1.9)
    assert phase(web) == RUNNING
    world.run(0.2)
    assert phase(web) == STOPPING
    assert world.context.notices
    world.context.notices._socket.close()
