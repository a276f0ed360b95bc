"""Process 1 on a fake kernel: signals, readiness, the command, and how everything ends."""

import posix
from collections.abc import Callable, Iterator
from errno import EAGAIN
from pathlib import Path
from signal import SIGALRM, SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM, SIGTSTP, SIGUSR1

import pytest
from kernel import World, make_service

from pyinit.formats.services import PROVEN
from pyinit.init import ending, init, reactions, rotation
from pyinit.init.arrival import TELL_PAUSE
from pyinit.init.command import Command
from pyinit.init.ending import HURRY
from pyinit.init.init import FORK_PAUSE, Init
from pyinit.init.options import Options
from pyinit.init.parts import NoServices
from pyinit.init.reactions import IGNORE, ROTATE, SUSPEND, Reaction
from pyinit.services import census
from pyinit.services.life.shutdown import LAST_MOMENT
from pyinit.services.pair import LoggingPolicy
from pyinit.services.scanner import Scanner
from pyinit.system import mounts
from pyinit.system.sigloop import SignalLoop
from pyinit.system.spawn import GROUP, NOTHING, SESSION

MANY_SECONDS = 100.0


class FakeLogger:
    """The log collector, as Init sees it."""

    def __init__(self, pid: int = 0) -> None:
        self.pid = pid
        self.finished = 0
        self.rotated = 0
        self.has_lost = False
        self.deadlines: list[float] = []
        self.subscribers: list[Callable[[], None]] = []

    def finish_by(self, deadline: float) -> None:
        self.deadlines.append(deadline)

    def release(self) -> None:
        """Nothing is kept in reserve."""

    def subscribe(self, callback: Callable[[], None]) -> None:
        self.subscribers.append(callback)

    def finish(self) -> None:
        self.finished += 1

    def rotate(self) -> None:
        self.rotated += 1

    def end(self) -> None:
        self.pid = 0
        for callback in self.subscribers:
            callback()


class Container:
    """PID 1 with services, a command, or both. `orphans`: other children, which only /proc tells of."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top = top
        self.services = top / "service"
        self.services.mkdir()
        self.options = Options()
        self.logger: FakeLogger | None = None
        self.orphans: set[int] = set()
        self.world = World(top / "runtime")
        self.scanner: Scanner | NoServices = NoServices()
        self.command: Command | None = None
        self.init: Init | None = None
        monkeypatch.setattr(ending, "children", lambda: self.world.kernel.living | self.orphans)
        monkeypatch.setattr(census, "children", lambda: set(self.orphans))
        monkeypatch.setattr(ending, "command_name", lambda pid: b"sleep")
        monkeypatch.setattr(ending, "variable", lambda pid, name: b"")
        monkeypatch.setattr(ending, "group", lambda pid: 0)
        monkeypatch.setattr("posix.isatty", lambda fd: False)
        monkeypatch.setattr(mounts, "tells_changes", lambda fd: True)

    def add(self, name: str, **files: str) -> None:
        make_service(self.services, name, **files)

    def boot(self, *command: bytes, to_group: bool = False, leads: int = NOTHING) -> "Container":
        """Everything is started; then the loop runs until it sleeps."""
        world = self.world
        self.scanner = Scanner(world.context, LoggingPolicy.of_daemontools(), bytes(self.services))
        self.scanner.open()
        return self._begin(command, to_group, leads)

    def boot_alone(self, *command: bytes, to_group: bool = False, leads: int = NOTHING) -> "Container":
        """A command and nothing else, as under tini."""
        failures = self.world.spawner.failures
        self.world = World(self.top / "runtime", SignalLoop)
        self.world.spawner.failures = failures
        return self._begin(command, to_group, leads, has_runtime=False)

    def _begin(self, words: tuple[bytes, ...], to_group: bool, leads: int, has_runtime: bool = True) -> "Container":
        world = self.world
        if words:
            self.options.command, self.options.to_group, self.options.leads = list(words), to_group, leads
            self.command = Command(world.loop, world.spawner, self.options)
        runtime = world.context.runtime if has_runtime else None
        self.init = Init(world.loop, self.scanner, self.options, world.kernel.now, self.logger, self.command, runtime)
        table = reactions.reactions(self.options.overrides, self.command is not None, bool(self.scanner.pairs))
        self.code: int | None = None
        run, self.world.loop.run = self.world.loop.run, lambda: 0  # type: ignore[method-assign]
        self.init.run(table)
        self.world.loop.run = run  # type: ignore[method-assign]
        self.run(PROVEN)
        return self

    def run(self, seconds: float = 0.0) -> int | None:
        if self.code is None:
            self.code = self.world.run(seconds)
        return self.code

    def signal(self, number: int, seconds: float = 0.0) -> int | None:
        """Docker sends a signal."""
        self.world.kernel.ring(number)
        return self.run(seconds)

    def die(self, pid: int, outcome: int = 0, seconds: float = 0.0) -> int | None:
        self.world.kernel.die(pid, outcome)
        return self.run(seconds)

    def pid(self, name: str) -> int:
        """Of a service, or of the log of one."""
        for pair in self.scanner.everything():
            for supervisor in (pair.service, pair.log):
                if supervisor and pair.name + (b"/log" if supervisor is pair.log else b"") == name.encode():
                    return supervisor.pid
        return 0

    @property
    def command_pid(self) -> int:
        assert self.command
        return self.command.pid

    @property
    def is_ready(self) -> bool:
        """Whether the ready file is there."""
        return (self.top / "runtime/ready").exists()


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    container = Container(tmp_path, monkeypatch)
    yield container
    container.world.kernel.obeys = (SIGTERM, SIGKILL)
    if container.init:
        container.init.stop()
        container.orphans.clear()
        container.run(MANY_SECONDS)


# Readiness and the command.


def test_it_is_ready_when_every_service_that_should_be_up_is(
    container: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    container.add("web")
    container.add("idle", down="")
    container.boot()
    assert container.is_ready
    assert capfd.readouterr().err == "test: ready services=2 in 0.100s\n", "a process counts when it is 0.1 s old"


def test_a_service_that_fails_to_start_is_waited_for(container: Container) -> None:
    container.add("web")
    container.world.spawner.failures.append(OSError(EAGAIN, ""))
    container.boot()
    assert not container.is_ready
    container.run(2)
    assert container.is_ready


def test_the_ready_file_goes_when_the_end_begins(container: Container) -> None:
    container.add("web")
    container.boot()
    container.signal(SIGTERM)
    assert not container.is_ready


def test_the_command_starts_when_the_services_are_up(container: Container) -> None:
    container.add("web")
    container.world.spawner.failures.append(OSError(EAGAIN, ""))
    container.boot(b"mail")
    assert container.command_pid == 0
    container.run(1.5)
    assert [start.argv for start in container.world.spawner.starts] == [[b"./run"], [b"mail"]]


def test_the_command_waits_and_tells_for_what(container: Container, capfd: pytest.CaptureFixture[str]) -> None:
    container.add("web")
    container.world.spawner.refused.add(b"./run")
    container.boot(b"mail")
    container.run(2.5 * TELL_PAUSE)
    assert container.command_pid == 0
    assert capfd.readouterr().err.count("test: waiting for web\n") == 2
    container.world.spawner.refused.clear()
    container.run(2)
    assert [start.argv for start in container.world.spawner.starts] == [[b"./run"], [b"mail"]]


@pytest.mark.parametrize("anyway", [True, False])
def test_the_wait_may_have_an_end(container: Container, anyway: bool, capfd: pytest.CaptureFixture[str]) -> None:
    container.add("web")
    container.world.spawner.refused.add(b"./run")
    container.options.wait, container.options.starts_anyway = 5.0, anyway
    container.boot(b"mail")
    container.run(4.5)
    assert container.command_pid == 0
    assert container.run(0.6) == (None if anyway else 1)
    said = capfd.readouterr().err
    if anyway:
        container.run(3 * TELL_PAUSE)
        assert "waiting for" not in capfd.readouterr().err, "nobody waits any more"
        assert "test: warning: not in time: web, starting the command anyway\n" in said
        assert [start.argv for start in container.world.spawner.starts] == [[b"mail"]]
    else:
        assert "test: fatal: not in time: web, the container ends with 1\n" in said


def test_nobody_asks_who_is_stuck_where_no_command_waits(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def look(scanner: Scanner, pairs: object, waits_for_anything: bool) -> list[bytes]:
        looks.append(pairs)
        return []

    monkeypatch.setattr(Scanner, "stuck", look)
    container.add("web")
    container.world.spawner.refused.add(b"./run")
    container.boot()
    container.run(3)
    assert not container.is_ready
    assert looks == [], "it would be one for each change of a service"


def test_a_service_that_failed_ends_the_wait(container: Container, capfd: pytest.CaptureFixture[str]) -> None:
    container.add("web", restart="never\n")
    container.add("app", needs="web\n")
    container.world.spawner.refused.add(b"./run")
    container.boot(b"mail")
    assert container.code == 1
    assert (
        "test: fatal: app is blocked: a service that it needs has failed, the container ends with 1\n"
        in capfd.readouterr().err
    )


@pytest.mark.parametrize(
    ("critical", "outcome", "code"), [("", 3, 3), ("", -9, 137), ("7", 3, 7), ("", 0, 0), ("x", None, 1)]
)
def test_a_critical_service_ends_the_container(
    container: Container, critical: str, outcome: int | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = tmp_path / "termination"
    message.touch()
    monkeypatch.setitem(posix.environ, b"PYINIT_TERMINATION_LOG", bytes(message))
    container.add("web", critical=critical, restart="never\n")
    container.add("other")
    container.boot()
    if outcome is not None:
        container.world.kernel.die(container.pid("web"), outcome)
    container.world.kernel.obeys = (SIGTERM,)
    container.run(10)
    assert container.code == code
    assert (b"web has " in message.read_bytes()) == (code != 0)


def test_a_critical_service_that_was_told_down_ends_nothing(container: Container) -> None:
    container.add("web", critical="")
    container.boot()
    web = container.pid("web")
    (service,) = [pair.service for pair in container.scanner.everything()]
    assert service
    service.command(b"d")
    container.world.kernel.die(web, 1)
    assert container.run(10) is None


def test_an_early_command_does_not_wait(container: Container) -> None:
    container.add("web")
    container.options.is_early = True
    container.world.spawner.failures.extend(OSError(EAGAIN, "") for _ in range(1))
    container.boot(b"mail")
    assert container.command_pid


def test_a_command_that_cannot_be_forked_is_tried_again(
    container: Container, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(command: Command) -> int:
        raise OSError(EAGAIN, "")

    monkeypatch.setattr(Command, "_launch", refuse)
    container.world.spawner.failures.append(OSError(EAGAIN, ""))
    container.boot_alone(b"mail")
    assert "unable to fork for mail, trying again in a second: temporary failure" in capfd.readouterr().err
    container.run(FORK_PAUSE)
    assert container.command_pid


@pytest.mark.parametrize(
    ("outcome", "remapped", "code"), [(0, set(), 0), (3, set(), 3), (-9, set(), 137), (3, {3}, 0), (-15, {143}, 0)]
)
@pytest.mark.parametrize("is_alone", [True, False])
def test_the_end_of_the_command_is_the_end_of_the_container(
    container: Container, outcome: int, remapped: set[int], code: int, is_alone: bool
) -> None:
    container.options.remapped = remapped
    (container.boot_alone if is_alone else container.boot)(b"mail")
    assert container.die(container.command_pid, outcome) == code


def test_what_a_command_alone_leaves_behind_goes_before_the_container(container: Container) -> None:
    container.boot_alone(b"mail")
    container.world.kernel.living.add(901)
    assert container.die(container.command_pid, 3) is None
    assert container.world.kernel.sent(901) == [SIGTERM, SIGCONT]
    assert container.die(901, -15) == 3


def test_what_it_leaves_behind_is_killed_at_the_deadline(container: Container) -> None:
    container.options.stop_timeout = 3.0
    container.boot_alone(b"mail")
    container.world.kernel.living.add(901)
    assert container.die(container.command_pid, -9) is None
    assert container.run(2.9) is None
    assert SIGKILL not in container.world.kernel.sent(901)
    assert container.run(0.2) == 137
    assert SIGKILL in container.world.kernel.sent(901)


def test_as_another_program_it_leaves_alone_what_is_left_behind(container: Container) -> None:
    container.options.clears = False
    container.boot_alone(b"mail")
    container.world.kernel.living.add(901)
    assert container.die(container.command_pid, 3) == 3
    assert container.world.kernel.sent(901) == []


def test_the_end_of_the_command_brings_the_services_down(container: Container) -> None:
    container.add("web")
    container.boot(b"mail")
    assert container.die(container.command_pid, 3) is None
    assert container.world.kernel.sent(container.pid("web")) == [SIGTERM, SIGCONT]
    assert container.die(container.pid("web")) == 3


# Signals.


def test_a_command_alone_gets_every_signal(container: Container) -> None:
    container.boot_alone(b"mail")
    for number in (SIGTERM, SIGHUP, SIGUSR1, SIGTSTP):
        container.signal(number)
    assert container.world.kernel.sent(container.command_pid) == [SIGTERM, SIGHUP, SIGUSR1, SIGTSTP]


def test_signals_may_go_to_the_whole_group(container: Container) -> None:
    container.boot_alone(b"mail", to_group=True, leads=GROUP)
    container.signal(SIGHUP)
    assert container.world.kernel.kills == [(-container.command_pid, SIGHUP)]


def test_a_session_that_the_command_led_is_asked_to_end(container: Container) -> None:
    container.options.farewell = SIGTERM
    container.boot_alone(b"mail", leads=SESSION)
    pid = container.command_pid
    assert container.die(pid, 0) == 0
    assert container.world.kernel.kills == [(-pid, SIGTERM)]


def test_signals_do_what_the_map_says(container: Container) -> None:
    container.add("web")
    container.logger = FakeLogger()
    container.options.overrides = {
        SIGUSR1: Reaction(ROTATE),
        SIGHUP: Reaction(reactions.DELIVER, SIGALRM, b"web"),
        SIGALRM: Reaction(IGNORE),
    }
    container.boot(b"mail")
    for number in (SIGUSR1, SIGHUP, SIGALRM):
        container.signal(number)
    assert container.logger.rotated == 1
    assert container.world.kernel.kills == [(container.pid("web"), SIGALRM)]


@pytest.mark.parametrize(
    ("program", "is_told"), [(b"multilog", True), (b"s6-log", True), (b"cat", False), (b"", False)]
)
def test_rotation_reaches_the_loggers_that_know_of_it(
    container: Container, monkeypatch: pytest.MonkeyPatch, program: bytes, is_told: bool
) -> None:
    monkeypatch.setattr(rotation, "program_name", lambda pid: program)
    container.add("web", log__run="")
    container.options.overrides = {SIGUSR1: Reaction(ROTATE)}
    container.boot()
    container.signal(SIGUSR1)
    assert container.world.kernel.kills == ([(container.pid("web/log"), SIGALRM)] if is_told else [])


def test_hup_looks_for_new_services(container: Container) -> None:
    container.add("web")
    container.boot()
    container.add("late")
    container.signal(SIGHUP)
    assert container.world.spawner.names == ["web", "late"]


def test_a_suspend_stops_the_command_and_then_process_1(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "getpid", lambda: 1)
    container.world.kernel.living.add(1)
    container.options.overrides = {SIGTSTP: Reaction(SUSPEND, SIGTSTP)}
    container.boot_alone(b"mail")
    container.world.kernel.living.add(1)
    container.signal(SIGTSTP)
    assert container.world.kernel.kills == [(container.command_pid, SIGTSTP), (1, SIGSTOP)]
    container.world.kernel.living.discard(1)


def test_reaped_orphans_are_told_where_that_was_asked_for(
    container: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    container.options.tells_reaped = True
    container.boot_alone(b"mail")
    container.die(77, -9)
    assert capfd.readouterr().err == "pyinit: warning: reaped orphan 77 (-9)\n"


# The end.


def test_with_nothing_to_bring_down_a_stop_is_the_end(container: Container) -> None:
    container.boot()
    assert container.signal(SIGTERM) == 0


def test_services_are_asked_and_the_last_death_is_the_end(container: Container) -> None:
    container.add("a")
    container.add("b")
    container.boot()
    pids = [container.pid("a"), container.pid("b")]
    container.world.kernel.waits.clear()
    assert container.signal(SIGTERM) is None
    assert sorted(container.world.kernel.kills) == sorted(
        (pid, number) for pid in pids for number in (SIGTERM, SIGCONT)
    )
    assert container.die(pids[0]) is None
    assert container.die(pids[1]) == 0
    assert container.world.kernel.waits == [], "it ends in the turn in which the last one is gone"


def test_the_command_is_asked_too(container: Container) -> None:
    container.add("web")
    container.boot(b"mail")
    pid = container.command_pid
    container.signal(SIGTERM)
    assert container.world.kernel.sent(pid) == [SIGTERM, SIGCONT]
    container.die(container.pid("web"))
    assert container.die(pid, -SIGTERM) == 143


def test_loggers_are_not_asked_but_read_to_the_end(container: Container) -> None:
    container.add("web", log__run="")
    container.boot()
    web, log = container.pid("web"), container.pid("web/log")
    container.signal(SIGTERM)
    assert container.die(web) is None
    assert container.world.kernel.sent(log) == [SIGCONT], "one that was stopped has to read, too"
    assert container.die(log) == 0


def test_the_collector_is_told_to_finish_when_no_service_is_left(container: Container) -> None:
    container.logger = FakeLogger(pid=500)
    container.world.kernel.living.add(500)
    container.add("web")
    container.boot()
    container.signal(SIGTERM)
    assert container.logger.finished == 0
    assert container.die(container.pid("web")) is None
    assert container.logger.finished >= 1
    container.world.kernel.living.discard(500)
    container.logger.end()
    assert container.run() == 0


def test_at_the_deadline_they_are_killed_and_named(container: Container, capfd: pytest.CaptureFixture[str]) -> None:
    container.options.stop_timeout = 3.0
    container.add("good")
    container.add("stubborn")
    container.boot()
    capfd.readouterr()
    good, stubborn = container.pid("good"), container.pid("stubborn")
    container.signal(SIGTERM)
    container.die(good, seconds=2.9)
    assert SIGKILL not in container.world.kernel.sent(stubborn)
    assert container.run(0.2) == 0
    assert container.world.kernel.sent(stubborn) == [SIGTERM, SIGCONT, SIGKILL]
    said = f"test: warning: killed stubborn (pid {stubborn}) after 3.0 seconds: it did not end on TERM\n"
    assert capfd.readouterr().err == said


def test_a_logger_that_does_not_end_is_killed_a_moment_later(
    container: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    container.options.stop_timeout = 3.0
    container.add("web", log__run="")
    container.boot()
    web, log = container.pid("web"), container.pid("web/log")
    container.signal(SIGTERM)
    container.die(web, seconds=3 + LAST_MOMENT - 0.1)
    assert container.world.kernel.sent(log) == [SIGCONT]
    assert container.run(0.2) == 0
    assert container.world.kernel.sent(log) == [SIGCONT, SIGKILL]
    assert f"killed web/log (pid {log}) after 4.0 seconds" in capfd.readouterr().err


def test_a_second_stop_leaves_a_second(container: Container) -> None:
    container.add("web")
    container.boot()
    pid = container.pid("web")
    container.signal(SIGTERM, 1)
    container.signal(SIGTERM, HURRY - 0.1)
    assert SIGKILL not in container.world.kernel.sent(pid)
    assert container.run(0.2) == 0
    assert SIGKILL in container.world.kernel.sent(pid)


def test_orphans_are_asked_after_the_services_once_each(container: Container) -> None:
    container.add("web")
    container.boot()
    container.world.kernel.living |= {901, 902}
    container.signal(SIGTERM)
    assert container.world.kernel.sent(901) == []
    container.die(container.pid("web"))
    assert container.world.kernel.sent(901) == container.world.kernel.sent(902) == [SIGTERM, SIGCONT]
    assert container.die(901, seconds=1) is None
    assert container.die(902) == 0
    assert container.world.kernel.sent(902) == [SIGTERM, SIGCONT]


def test_orphans_that_an_orphan_leaves_are_asked_too(container: Container) -> None:
    container.boot()
    container.world.kernel.living.add(901)
    container.signal(SIGTERM)
    container.world.kernel.living.add(902)
    assert container.die(901) is None
    assert container.world.kernel.sent(902) == [SIGTERM, SIGCONT]
    assert container.die(902) == 0


def test_orphans_are_killed_and_named_by_their_program(container: Container, capfd: pytest.CaptureFixture[str]) -> None:
    container.options.stop_timeout = 3.0
    container.boot()
    container.world.kernel.living.add(901)
    container.signal(SIGTERM)
    assert container.run(3.1) == 0
    assert container.world.kernel.sent(901) == [SIGTERM, SIGCONT, SIGKILL]
    assert "killed process sleep (pid 901) after 3.0 seconds" in capfd.readouterr().err


def test_a_process_that_even_kill_does_not_end_is_left(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    container.options.stop_timeout = 3.0
    container.add("web")
    container.boot()
    monkeypatch.setattr(container.world.kernel.__class__, "kill", lambda kernel, pid, number: None)
    container.signal(SIGTERM)
    assert container.run(3 + 2 * LAST_MOMENT - 0.1) is None
    assert container.run(0.2) == 0
    monkeypatch.undo()


def test_without_proc_nobody_unknown_is_asked(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> set[int]:
        raise FileNotFoundError

    monkeypatch.setattr(ending, "children", refuse)
    container.boot()
    container.world.kernel.living.add(901)
    assert container.signal(SIGTERM) == 0
    assert container.world.kernel.kills == []


# What follows an end of a service, while everything goes down.


def test_a_service_counts_until_it_is_finished(container: Container) -> None:
    container.add("web", finish="#!/bin/sh\n")
    container.boot()
    container.world.kernel.living.add(901)
    container.signal(SIGTERM)
    container.die(container.pid("web"))
    finish = container.world.spawner.starts[-1].pid
    assert container.world.spawner.starts[-1].argv[0] == b"./finish"
    assert container.run(2) is None
    assert container.world.kernel.kills[2:] == [], "neither finish nor orphans are asked"
    container.die(finish)
    assert container.world.kernel.sent(901) == [SIGTERM, SIGCONT]
    assert container.die(901) == 0


def test_a_finish_that_takes_too_long_is_killed_at_the_deadline(container: Container) -> None:
    container.options.stop_timeout = 3.0
    container.add("web", finish="#!/bin/sh\n", **{"timeout-finish": "0"})
    container.boot()
    container.signal(SIGTERM)
    container.die(container.pid("web"), seconds=2.9)
    finish = container.world.spawner.starts[-1].pid
    assert container.world.kernel.sent(finish) == []
    assert container.run(0.2) == 0
    assert SIGKILL in container.world.kernel.sent(finish)


def test_a_hurry_leaves_finish_a_second(container: Container) -> None:
    container.add("web", finish="#!/bin/sh\n")
    container.boot()
    container.signal(SIGTERM)
    container.die(container.pid("web"))
    container.signal(SIGTERM)
    assert container.world.context.end_by == container.world.kernel.now + ending.HURRY
    assert container.run(1.1) == 0
