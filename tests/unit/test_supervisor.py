"""One service directory joined to its state, on a fake kernel. Its FIFOs, its lock and its status are real."""

import os
from collections.abc import Callable, Iterator
from errno import EAGAIN, EIO, ENOENT, ENOMEM, ENXIO
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH

import pytest
from descriptors import open_in
from kernel import World, make_service

from pyinit.formats import status
from pyinit.formats.control import DOWN, NEITHER, UP
from pyinit.services.definition.definition import Definition
from pyinit.services.inquiry import Inquiry
from pyinit.services.life.moment import BACKOFF, FAILED, IDLE, LEFT, PAUSE, RUNNING, STOPPING
from pyinit.services.supervisor import COMMANDS_AT_ONCE, Supervisor
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.memory import OutOfMemory


class Service:
    """A supervisor, its directory, and what it told."""

    def __init__(self, world: World, directory: Path, definition: Definition | None = None) -> None:
        self.world = world
        self.directory = directory
        self.told: list[str] = []
        self.supervisor = Supervisor(world.context, b"web", files.open_directory(bytes(directory)))
        self.supervisor.open(definition)
        self.supervisor.on_exit = lambda: self.told.append("exit")
        self.supervisor.on_change = lambda: self.told.append(self.supervisor.state.phase.decode())
        self.supervisor.on_leave = lambda: self.told.append("leave")

    @property
    def pid(self) -> int:
        return self.supervisor.pid

    @property
    def phase(self) -> bytes:
        return self.supervisor.state.phase

    @property
    def status(self) -> tuple[int, bool, int]:
        """The pid, whether it is paused, and the want, as others read them."""
        return status.unpack((self.directory / "supervise/status").read_bytes())[:3]

    def command(self, letters: bytes) -> None:
        """As svc does it."""
        control_fd = os.open(self.directory / "supervise/control", os.O_WRONLY | os.O_NONBLOCK)
        os.write(control_fd, letters)
        os.close(control_fd)

    def is_supervised(self) -> bool:
        """As svok finds out."""
        try:
            os.close(os.open(self.directory / "supervise/ok", os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            return error.errno != ENXIO
        return True

    def close(self) -> None:
        self.supervisor.command(b"dx")
        if self.pid:
            self.world.kernel.die(self.pid, -SIGTERM)
            self.world.run()


@pytest.fixture(params=[False, True], ids=["classical", "pyinit"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return World(tmp_path / "runtime" if request.param else None)


@pytest.fixture
def modern(tmp_path: Path) -> World:
    """A world with a runtime directory, as under PID 1."""
    return World(tmp_path / "runtime")


@pytest.fixture
def web(world: World, tmp_path: Path) -> Iterator[Service]:
    service = Service(world, make_service(tmp_path, "web"))
    yield service
    service.close()


def test_it_starts_and_says_so(web: Service) -> None:
    start = web.world.spawner.starts[0]
    assert (start.argv, start.name, web.pid) == ([b"./run"], "web", start.pid)
    assert web.status == (start.pid, False, UP)
    assert web.is_supervised()


def test_only_pyinit_tells_a_service_its_name(web: Service) -> None:
    expected = {} if web.world.context.is_classical else {b"SERVICE_NAME": b"web"}
    assert web.world.spawner.starts[0].changes == expected


def test_a_death_is_followed_by_a_start(web: Service) -> None:
    first = web.pid
    web.world.run(5)
    web.world.kernel.die(first, 1)
    web.world.run()
    assert web.pid == first + 1
    assert web.status == (first + 1, False, UP)
    assert web.told == ["exit"], "the phase is what it was"


def test_an_early_death_is_followed_by_a_start_a_second_after_the_last_one(web: Service) -> None:
    web.world.run(0.25)
    web.world.kernel.die(web.pid, 1)
    web.world.run()
    assert (web.phase, web.status) == (BACKOFF, (0, False, UP))
    web.world.run(PAUSE - 0.3)
    assert web.phase == BACKOFF
    web.world.run(0.1)
    assert web.phase == RUNNING
    assert web.told == ["exit", "backoff", "up"]


def test_commands_in_that_second_are_obeyed_and_cancel_the_timer(web: Service) -> None:
    web.world.kernel.die(web.pid, 1)
    web.world.run()
    web.command(b"d")
    web.world.run(10)
    assert (web.phase, web.status) == (IDLE, (0, False, DOWN))
    assert web.world.kernel.waits == []
    web.command(b"u")
    web.world.run()
    assert web.phase == RUNNING


def test_letters_become_signals_and_the_status_follows(web: Service) -> None:
    web.command(b"pcd")
    web.world.run()
    assert len(web.world.kernel.sent(web.pid)) == 4
    assert web.world.kernel.sent(web.pid)[2:] == [SIGTERM, SIGCONT]
    assert (web.phase, web.status) == (STOPPING, (web.pid, False, DOWN))
    web.command(b"p")
    web.world.run()
    assert web.status == (web.pid, True, DOWN)
    web.command(b"o")
    web.world.run()
    assert (web.phase, web.status) == (RUNNING, (web.pid, True, NEITHER))


def test_only_services_of_a_pyinit_know_more_letters(web: Service) -> None:
    sent = web.world.kernel.sent
    web.command(b"q12wl")
    web.world.run()
    expected = [] if web.world.context.is_classical else [SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGHUP]
    assert sent(web.pid) == expected
    web.supervisor.command(b"q12wl")
    assert sent(web.pid) == expected * 2


def test_a_status_is_published_once_for_an_event_and_only_if_it_is_another(
    web: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[bytes] = []
    publish = web.supervisor.statedir.publish

    def note(self: object, content: bytes) -> None:
        published.append(content)
        publish(content)

    monkeypatch.setattr(type(web.supervisor.statedir), "publish", note)
    web.command(b"tttt")
    web.world.run(5)
    assert published == []
    web.world.kernel.die(web.pid, 1)
    web.world.run()
    assert len(published) == 1, "the death and the new start are one event"


def test_a_command_for_a_process_that_was_just_reaped_does_not_lose_its_death(web: Service) -> None:
    web.world.run(5)
    dead = web.pid
    web.world.kernel.living.discard(dead)
    web.supervisor.command(b"t")
    assert web.world.kernel.sent(dead) == [SIGTERM]
    web.world.kernel.die(dead, -SIGTERM)
    web.world.run()
    assert web.pid == dead + 1


def test_a_down_that_was_written_before_a_death_keeps_the_service_down(web: Service) -> None:
    web.world.run(5)
    web.world.kernel.die(web.pid, 1)
    web.command(b"d")
    web.world.run()
    assert (web.phase, web.status) == (IDLE, (0, False, DOWN))


def test_a_flood_of_commands_is_taken_in_portions(web: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[str] = []
    web.world.loop.call_at(0, lambda: came.append(f"{len(web.world.kernel.kills)} obeyed"))
    web.command(b"h" * (COMMANDS_AT_ONCE + 1))
    web.world.run()
    assert came == [f"{COMMANDS_AT_ONCE} obeyed"]
    assert len(web.world.kernel.kills) == COMMANDS_AT_ONCE + 1


def test_the_rest_of_a_flood_means_nothing_to_one_that_has_left(web: Service) -> None:
    web.command(b"d")
    web.world.run()
    web.world.kernel.die(web.pid, 0)
    web.world.run()
    web.command(b"x" * COMMANDS_AT_ONCE + b"uuu")
    web.world.run()
    assert (web.phase, web.told.count("leave")) == (LEFT, 1)
    assert len(web.world.spawner.starts) == 1


def test_a_death_is_taken_even_where_its_listener_fails(web: Service, capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    web.supervisor.on_exit = fail
    web.world.run(5)
    first = web.pid
    web.world.kernel.die(first, 1)
    web.world.run()
    assert web.pid == first + 1
    assert "test: warning: web: internal error: RuntimeError: broken" in capfd.readouterr().err


def test_who_leaves_gives_up_everything(world: World, tmp_path: Path) -> None:
    before = open_in()
    web = Service(world, make_service(tmp_path, "web"))
    assert open_in() == before + 5, "its directory, supervise/, its lock, control and ok"
    web.command(b"x")
    web.world.run()
    assert (web.phase, web.is_supervised()) == (RUNNING, True)
    world.kernel.die(web.pid, 0)
    world.run(5)
    assert (web.phase, web.is_supervised()) == (LEFT, False)
    assert open_in() == before
    assert web.told == ["exit", "leave", "left"]
    assert web.status == (0, False, UP), "x keeps the letter that was wanted"
    again = Service(world, web.directory)
    assert again.phase == RUNNING, "the lock is free"
    again.close()


def test_a_directory_that_another_supervise_has_is_not_taken_up(world: World, tmp_path: Path) -> None:
    web = Service(world, make_service(tmp_path, "web"))
    before = open_in()
    with pytest.raises(CannotOpen) as caught:
        Service(world, web.directory)
    assert caught.value.message == b"unable to acquire web/supervise/lock"
    assert open_in() == before
    web.close()


def test_a_control_that_is_no_fifo_is_refused(world: World, tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web")
    (directory / "supervise").mkdir()
    (directory / "supervise/control").write_text("")
    before = open_in()
    with pytest.raises(CannotOpen) as caught:
        Service(world, directory)
    assert caught.value.message == b"unable to read web/supervise/control"
    assert open_in() == before


def test_an_ok_that_is_there_already_is_used(world: World, tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web")
    (directory / "supervise").mkdir()
    os.mkfifo(directory / "supervise/ok", 0o600)
    inode = (directory / "supervise/ok").stat().st_ino
    web = Service(world, directory)
    assert web.is_supervised()
    assert (directory / "supervise/ok").stat().st_ino == inode
    web.close()


def test_a_proof_of_life_that_cannot_be_opened_is_tried_again(
    modern: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Run is up by then: a supervisor that gave up would leave it to itself, and the next would start another."""
    directory = make_service(tmp_path, "web")
    (directory / "supervise").mkdir()
    (directory / "supervise/ok").symlink_to("nowhere")
    web = Service(modern, directory)
    modern.run(11)
    assert (web.phase, len(modern.spawner.starts)) == (RUNNING, 1)
    assert capfd.readouterr().err.count("supervise: warning: unable to read web/supervise/ok: ") == 1
    (directory / "supervise/ok").unlink()
    modern.run(5)
    assert web.is_supervised()
    web.close()


def test_with_a_down_file_it_waits_to_be_told(world: World, tmp_path: Path) -> None:
    web = Service(world, make_service(tmp_path, "web", down=""))
    assert (web.phase, web.status, world.spawner.starts) == (IDLE, (0, False, DOWN), [])
    web.command(b"o")
    world.run(5)
    assert web.status == (web.pid, False, NEITHER)
    world.kernel.die(web.pid, 0)
    world.run(5)
    assert (web.phase, len(world.spawner.starts)) == (IDLE, 1)
    web.close()


def test_a_definition_that_was_just_read_is_not_read_again(modern: World, tmp_path: Path) -> None:
    web = Service(modern, make_service(tmp_path, "web"), Definition(is_down=True))
    assert web.phase == IDLE
    web.close()


def test_the_directory_is_read_again_at_each_start(modern: World, tmp_path: Path) -> None:
    web = Service(modern, make_service(tmp_path, "web"))
    (web.directory / "env").mkdir()
    (web.directory / "env/COLOUR").write_text("green\n")
    modern.run(5)
    modern.kernel.die(web.pid, 1)
    modern.run()
    assert modern.spawner.starts[1].changes == {b"SERVICE_NAME": b"web", b"COLOUR": b"green"}
    web.close()


def test_an_environment_that_cannot_be_read_is_a_start_that_failed(
    modern: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    web = Service(modern, make_service(tmp_path, "web", secrets="KEY", env=""))
    assert web.phase == BACKOFF
    assert capfd.readouterr().err == "supervise: fatal: unable to start web/run: unable to open env: not a directory\n"
    modern.run(3)
    assert capfd.readouterr().err == "", "it is said once"
    web.close()


def test_a_failed_start_is_tried_again_each_second(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The C program says each one, and pyinit each new reason."""
    world.spawner.failures.extend(OSError(number, "") for number in (EIO, EIO, EAGAIN))
    web = Service(world, make_service(tmp_path, "web"))
    world.run(2 * PAUSE)
    assert (web.phase, web.told) == (BACKOFF, [])
    world.run(PAUSE)
    assert web.phase == RUNNING
    said = ["supervise: fatal: unable to start web/run: input/output error"] * (2 if world.context.is_classical else 1)
    said.append("supervise: warning: unable to fork for web, trying again in a second: temporary failure")
    assert capfd.readouterr().err.splitlines() == said
    web.close()


def test_any_error_of_a_start_is_a_failed_start(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world.spawner.failures.append(ValueError("embedded null byte"))
    web = Service(world, make_service(tmp_path, "web"))
    assert web.phase == BACKOFF
    assert "unable to start web/run: ValueError('embedded null byte')" in capfd.readouterr().err
    web.close()


def test_pyinit_says_what_is_wrong_with_run(modern: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    directory = make_service(tmp_path, "web", run="#!/no/such/interpreter\n")
    modern.spawner.failures.append(OSError(ENOENT, ""))
    web = Service(modern, directory)
    assert "file does not exist: the interpreter /no/such/interpreter" in capfd.readouterr().err
    web.close()


def test_a_status_that_cannot_be_written_is_said_and_the_service_goes_on(
    web: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    web.world.run(5)
    (web.directory / "supervise/status.new").mkdir()
    web.world.kernel.die(web.pid, 1)
    web.world.run()
    assert web.phase == RUNNING
    text = "supervise: warning: unable to open web/supervise/status.new: is a directory\n"
    assert capfd.readouterr().err == text
    (web.directory / "supervise/status.new").rmdir()
    web.command(b"p")
    web.world.run()
    assert web.status == (web.pid, True, UP)


def test_a_service_that_was_killed_for_want_of_memory_is_told_of(
    web: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    kills = iter([0, 0, 1])
    monkeypatch.setattr("pyinit.system.memory._kills", lambda: next(kills))
    web.world.context.memory = OutOfMemory()
    for _ in range(2):
        web.world.run(5)
        pid = web.pid
        web.world.kernel.die(pid, -SIGKILL)
    web.world.run(5)
    said = f"supervise: warning: web (pid {pid}) was killed: the container is out of memory\n"
    assert capfd.readouterr().err == said


def test_a_removed_directory_is_known(web: Service) -> None:
    assert not web.supervisor.is_deleted
    for path in sorted(web.directory.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    web.directory.rmdir()
    assert web.supervisor.is_deleted


def test_a_start_that_cannot_be_listened_to_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs while its start has failed would be a second one later."""
    world = World(tmp_path / "runtime")
    directory = make_service(tmp_path, "web", **{"notification-fd": "3\n"})
    supervisor = Supervisor(world.context, b"web", files.open_directory(bytes(directory)))
    add_reader = world.loop.add_reader

    def refuse(fd: int, callback: Callable[[], None]) -> None:
        if fd != supervisor.statedir.fds.control:
            raise OSError(ENOMEM, "")
        add_reader(fd, callback)

    monkeypatch.setattr(world.loop, "add_reader", refuse)
    supervisor.open()
    assert (supervisor.pid, world.spawner.starts) == (0, [])
    monkeypatch.undo()
    world.run(PAUSE)
    assert supervisor.pid
    assert len(world.spawner.starts) == 1
    supervisor.command(b"dx")
    world.kernel.die(supervisor.pid, 0)
    world.run()


def test_an_inquiry_that_fails_hides_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(inquiry: Inquiry, state: object) -> None:
        raise OSError(ENOMEM, "")

    world = World(tmp_path / "runtime")
    monkeypatch.setattr(Inquiry, "follow", fail)
    service = Service(world, make_service(tmp_path, "web", **{"notification-fd": "3\n"}))
    service.supervisor.command(b"d")
    assert service.told == ["stopping"]
    assert "web: internal error" in capfd.readouterr().err
    world.kernel.die(service.pid, 0)
    world.run()
    service.supervisor.command(b"x")
    assert service.told[-1] == "left"


def test_content_that_turns_bad_holds_no_restart_up_but_a_start_from_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path / "runtime")
    service = Service(world, make_service(tmp_path, "web", success="0\n"))
    (service.directory / "success").write_text("whatever\n")
    world.kernel.die(service.pid, 1)
    world.run(PAUSE)
    assert service.phase == RUNNING, "the last good content holds"
    assert "fatal: unable to use web/success: " in capfd.readouterr().err
    service.supervisor.command(b"d")
    world.kernel.die(service.pid, 0)
    world.run(PAUSE)
    service.supervisor.command(b"u")
    assert (service.phase, service.pid) == (FAILED, 0)
    service.supervisor.command(b"x")
