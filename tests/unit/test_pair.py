"""A service and its logger, joined by a pipe, on a fake kernel. The pipe is real."""

import os
import posix
from collections.abc import Callable, Iterator
from errno import EMFILE
from pathlib import Path
from signal import SIGCONT, SIGTERM

import pytest
from descriptors import open_in
from kernel import World, make_service

from pyinit.services import plumbing
from pyinit.services.definition.definition import LogDefinition
from pyinit.services.pair import LoggingPolicy, Pair
from pyinit.services.trouble import CannotOpen


class BuiltIn:
    """A logger of the policy's own: notes who is attached to it."""

    def __init__(self) -> None:
        self.attached: list[tuple[bytes, LogDefinition | None, int]] = []
        self.drained: Callable[[], None] | None = None
        self.drains: list[Callable[[], None]] = []
        self.watched: list[bytes | None] = []
        self.found: Callable[[], None] | None = None

    def attach(
        self,
        name: bytes,
        log: LogDefinition | None,
        read_fd: int,
        drained: Callable[[], None],
        watched: bytes | None = None,
        found: Callable[[], None] | None = None,
    ) -> None:
        self.attached.append((name, log, read_fd))
        self.drains.append(drained)
        self.watched.append(watched)
        self.found = found
        self.drained = drained


class Joined:
    """A pair in a world, with what it told."""

    def __init__(self, world: World, policy: LoggingPolicy, top: Path) -> None:
        self.world = world
        self.changes = 0
        self.pair = Pair(world.context, policy, b"web", self._changed)
        self.parent_fd = os.open(top, os.O_PATH)

    def _changed(self, pair: Pair) -> None:
        assert pair is self.pair
        self.changes += 1

    def take_up(self) -> "Joined":
        self.pair.open(self.parent_fd)
        self.start()
        return self

    def start(self) -> None:
        self.pair.start(self.parent_fd, b"web")

    @property
    def sides(self) -> list[str]:
        """Which of the two has a supervisor."""
        return [name for name in ("service", "log") if getattr(self.pair, name)]

    @property
    def service_pid(self) -> int:
        assert self.pair.service
        return self.pair.service.pid

    @property
    def log_pid(self) -> int:
        assert self.pair.log
        return self.pair.log.pid

    def die(self, pid: int, seconds: float = 5) -> None:
        """The process ends, some time after it began."""
        self.world.run(seconds)
        self.world.kernel.die(pid, 0)
        self.world.run()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def logged(world: World, tmp_path: Path) -> Iterator[Joined]:
    """A service with a log/run, as under daemontools."""
    make_service(tmp_path, "web", log__run="#!/bin/sh\nexec cat\n")
    before = open_in()
    joined = Joined(world, LoggingPolicy.of_daemontools(), tmp_path).take_up()
    yield joined
    joined.pair.retire()
    for _ in range(2):
        for pid in list(world.kernel.living):
            joined.die(pid)
    os.close(joined.parent_fd)
    assert joined.pair.is_gone
    assert open_in() == before


def test_a_service_without_a_log_has_no_pipe(world: World, tmp_path: Path) -> None:
    make_service(tmp_path, "web")
    joined = Joined(world, LoggingPolicy.of_daemontools(), tmp_path).take_up()
    assert [start.redirections for start in world.spawner.starts] == [[]]
    assert joined.pair.is_complete
    joined.pair.retire()
    joined.die(joined.service_pid)
    assert joined.pair.is_gone


def test_the_pipe_leads_from_the_output_of_run_to_the_input_of_its_logger(logged: Joined) -> None:
    service, log = logged.world.spawner.starts
    assert (service.name, log.name) == ("web", "log")
    ((_, write_fd, out),) = service.redirections
    ((_, read_fd, into),) = log.redirections
    assert (out, into) == (1, 0)
    os.write(write_fd, b"line\n")
    assert os.read(read_fd, 9) == b"line\n"


def test_either_side_is_started_again_with_the_same_pipe(logged: Joined) -> None:
    before = [start.redirections for start in logged.world.spawner.starts]
    logged.die(logged.service_pid)
    logged.die(logged.log_pid)
    assert [start.redirections for start in logged.world.spawner.starts] == before * 2


def test_a_side_that_left_is_taken_up_again(logged: Joined) -> None:
    assert logged.pair.log
    logged.pair.log.command(b"x")
    logged.die(logged.log_pid)
    assert (logged.sides, logged.pair.is_complete) == (["service"], False)
    logged.start()
    assert logged.pair.is_complete
    assert logged.pair.service
    logged.pair.service.command(b"x")
    logged.die(logged.service_pid)
    assert (logged.sides, logged.pair.is_gone) == (["log"], False)
    logged.start()
    assert logged.world.spawner.names == ["web", "log", "log", "web"]


def test_going_down_for_good_the_logger_is_told_by_the_end_of_the_pipe(logged: Joined) -> None:
    """It gets no signal, and is not started again."""
    service, log = logged.service_pid, logged.log_pid
    logged.pair.retire()
    assert logged.world.kernel.kills == [(service, SIGTERM), (service, SIGCONT)]
    assert logged.pair._fds.write >= 0, "the service may write its last lines"
    logged.die(service)
    assert (logged.sides, logged.pair._fds.write) == (["log"], -1)
    assert not logged.pair.is_gone
    logged.die(log)
    assert logged.pair.is_gone
    assert logged.world.kernel.sent(log) == []
    assert len(logged.world.spawner.starts) == 2


def test_a_logger_that_ends_before_the_end_of_its_input_is_started_again(logged: Joined) -> None:
    ((_, write_fd, _),) = logged.world.spawner.starts[0].redirections
    os.write(write_fd, b"unread\n")
    logged.pair.retire()
    logged.die(logged.service_pid)
    read_fd = logged.pair._fds.read
    logged.die(logged.log_pid)
    assert logged.pair.log
    assert logged.log_pid, "another one reads the rest"
    assert os.read(read_fd, 9) == b"unread\n"
    logged.die(logged.log_pid)
    assert logged.pair.is_gone


def test_a_logger_that_is_down_with_an_empty_pipe_leaves_with_the_service(logged: Joined) -> None:
    assert logged.pair.log
    logged.pair.log.command(b"d")
    logged.die(logged.log_pid)
    logged.pair.retire()
    logged.die(logged.service_pid)
    assert logged.pair.is_gone


def test_retired_without_a_service_it_hangs_up(logged: Joined) -> None:
    assert logged.pair.service
    logged.pair.service.command(b"dx")
    logged.die(logged.service_pid)
    assert logged.pair._fds.write >= 0, "as with svscan: the logger stays until somebody says so"
    logged.pair.retire()
    assert logged.pair._fds.write == -1
    logged.pair.hang_up()


def test_changes_are_told(logged: Joined) -> None:
    logged.world.run(5)
    logged.changes = 0
    logged.die(logged.service_pid)
    assert logged.changes == 0, "it is up again at once"
    assert logged.pair.service
    logged.pair.service.command(b"d")
    assert logged.changes == 1


@pytest.mark.parametrize(("down", "expected"), [("", True), ("down", True), ("log__down", True)])
def test_it_is_as_wanted_when_all_of_it_is_up_that_should_be(
    world: World, tmp_path: Path, down: str, expected: bool
) -> None:
    make_service(tmp_path, "web", log__run="", **({down: ""} if down else {}))
    joined = Joined(world, LoggingPolicy.of_daemontools(), tmp_path)
    assert not joined.pair.is_as_wanted
    joined.take_up()
    assert joined.pair.is_as_wanted == expected
    if not down:
        world.kernel.die(joined.log_pid, 1)
        world.run()
        assert not joined.pair.is_as_wanted
    joined.pair.retire()
    for pid in list(world.kernel.living):
        joined.die(pid)
    os.close(joined.parent_fd)


def test_the_built_in_logger_gets_the_pipe_and_what_log_says(world: World, tmp_path: Path) -> None:
    world = World(tmp_path / "runtime")
    top = tmp_path / "service"
    make_service(top, "web", log__script="t ./main\nsecond line\n")
    before = open_in()
    built_in = BuiltIn()
    null_fd = os.open("/dev/null", os.O_RDONLY)
    policy = LoggingPolicy(built_in, (1, 2), null_fd, lambda name: name + b"/log")
    joined = Joined(world, policy, top).take_up()
    ((name, log, read_fd),) = built_in.attached
    assert name == b"web"
    assert log
    assert (log.script, log.brings_logger) == (b"t ./main", False)
    assert joined.pair.is_complete
    assert [there for _, _, there in world.spawner.starts[0].redirections] == [0, 1, 2]
    joined.pair.retire()
    joined.die(joined.service_pid)
    assert not joined.pair.is_gone, "its pipe is not drained yet"
    assert os.read(read_fd, 9) == b""
    assert built_in.drained
    built_in.drained()
    assert joined.pair.is_gone
    os.close(null_fd)
    os.close(joined.parent_fd)
    assert open_in() == before


def test_each_start_of_ready_log_has_a_pipe_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path / "runtime")
    top = tmp_path / "service"
    (make_service(top, "web", ready="log up and running\n") / "ready").chmod(0o644)
    before = open_in()
    built_in = BuiltIn()
    joined = Joined(world, LoggingPolicy(built_in, (1, 2), -1, lambda name: name), top).take_up()
    assert built_in.watched == [b"", b"up and running"]
    _, (_, _, first_fd) = built_in.attached
    ((_, write_fd, _), _) = world.spawner.starts[0].redirections
    os.write(write_fd, b"first\n")
    world.run(2)
    joined.die(joined.service_pid, 1)
    assert len(built_in.attached) == 3
    second_fd = built_in.attached[2][2]
    assert world.spawner.starts[1].redirections == world.spawner.starts[0].redirections
    os.write(write_fd, b"second\n")
    assert (os.read(first_fd, 99), os.read(second_fd, 99)) == (b"first\n", b"second\n")
    assert os.read(first_fd, 99) == b"", "nobody holds its other end"
    assert not joined.pair.is_as_wanted
    assert built_in.found
    built_in.found()
    assert joined.pair.is_as_wanted
    joined.pair.retire()
    joined.die(joined.service_pid)
    for drained in built_in.drains:
        assert not joined.pair.is_gone
        drained()
    assert joined.pair.is_gone
    os.close(joined.parent_fd)
    assert open_in() == before


def test_a_line_of_an_earlier_start_is_no_readiness(tmp_path: Path) -> None:
    world = World(tmp_path / "runtime")
    (make_service(tmp_path / "service", "web", ready="log up\n") / "ready").chmod(0o644)
    built_in = BuiltIn()
    joined = Joined(world, LoggingPolicy(built_in, (1, 2), -1, lambda name: name), tmp_path / "service").take_up()
    stale = built_in.found
    assert stale
    world.run(2)
    joined.die(joined.service_pid, 1)
    stale()
    assert not joined.pair.is_as_wanted
    assert built_in.found
    built_in.found()
    assert joined.pair.is_as_wanted
    joined.pair.retire()
    joined.die(joined.service_pid)
    for drained in built_in.drains:
        drained()
    os.close(joined.parent_fd)


def test_troubles_of_the_directory_are_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path / "runtime")
    top = tmp_path / "service"
    make_service(top, "web", log="a file")
    joined = Joined(world, LoggingPolicy.of_daemontools(), top).take_up()
    assert capfd.readouterr().err == "supervise: warning: unable to use web/log: not a directory\n"
    joined.die(joined.service_pid)
    assert capfd.readouterr().err == ""
    joined.pair.retire()
    joined.die(joined.service_pid)


def test_a_logger_that_cannot_be_taken_up_does_not_keep_the_service_down(world: World, tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web", log__run="")
    (directory / "log/supervise").mkdir()
    (directory / "log/supervise/lock").mkdir()
    joined = Joined(world, LoggingPolicy.of_daemontools(), tmp_path)
    with pytest.raises(CannotOpen, match="log/supervise/lock"):
        joined.take_up()
    assert joined.service_pid
    assert (joined.sides, joined.pair.is_complete) == (["service"], False)
    (directory / "log/supervise/lock").rmdir()
    joined.start()
    assert joined.log_pid
    joined.pair.retire()
    for pid in list(world.kernel.living):
        joined.die(pid)


def test_a_service_that_cannot_be_taken_up_does_not_keep_its_logger_down(world: World, tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web", log__run="")
    (directory / "supervise").mkdir()
    (directory / "supervise/lock").mkdir()
    joined = Joined(world, LoggingPolicy.of_daemontools(), tmp_path)
    with pytest.raises(CannotOpen):
        joined.take_up()
    assert joined.pair.service is None
    assert joined.log_pid
    joined.pair.retire()
    for pid in list(world.kernel.living):
        joined.die(pid)


def test_a_directory_that_is_gone_is_no_pair(world: World, tmp_path: Path) -> None:
    world = World(tmp_path / "runtime")
    joined = Joined(world, LoggingPolicy.of_daemontools(), tmp_path)
    with pytest.raises(CannotOpen) as caught:
        joined.pair.open(joined.parent_fd)
    assert caught.value.message == b"unable to chdir to web"


def test_any_user_may_open_a_pipe_for_writing_and_only_its_owner_for_reading() -> None:
    fds = plumbing.make_pipe()
    assert {posix.fstat(fd).st_mode & 0o7777 for fd in (fds.read, fds.write)} == {0o622}
    fds.close()


def test_a_pipe_works_where_its_mode_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(posix, "fchmod", refuse)
    fds = plumbing.make_pipe()
    posix.write(fds.write, b"x")
    assert posix.read(fds.read, 2) == b"x"
    fds.close()


def test_a_new_pipe_leaves_a_reserve_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_in()
    fds = plumbing.make_pipe()
    monkeypatch.setattr(posix, "sysconf", lambda name: fds.write + 1 + plumbing.RESERVE)
    with pytest.raises(OSError, match=r"\[Errno 24\]") as caught:
        plumbing.make_pipe()
    assert caught.value.errno == EMFILE
    fds.close()
    assert open_in() == before
