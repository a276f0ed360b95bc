"""The socket of sd_notify: who is heard. The socket and the senders are real, the services are not."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kernel import FakeSpawner, World, make_service
from waiting import until

from pyinit.formats.notice import LONGEST, socket_address
from pyinit.services.life.moment import FAILED, NEVER, RUNNING, STARTING
from pyinit.services.notices import AT_ONCE, NotifySocket
from pyinit.services.supervisor import Supervisor
from pyinit.system import files

SEND = """
import os, socket, sys
address = "\\0" + sys.argv[1][1:]
sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sending.sendto(sys.argv[2].encode(), address)
sys.stdin.read()
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "runtime")
    yield world
    if world.context.notices:
        world.context.notices._socket.close()


def service(world: World, top: Path, **files_: str) -> Supervisor:
    """A service whose process is this one, as far as the socket knows: what we send is heard."""
    supervisor = Supervisor(world.context, b"web", files.open_directory(bytes(make_service(top, **files_))))
    world.spawner._next_pid = os.getpid()
    supervisor.open()
    return supervisor


def send(supervisor: Supervisor, text: str, rights: int = -1) -> None:
    spawner = supervisor._context.spawner
    assert isinstance(spawner, FakeSpawner)
    start = spawner.starts[-1]
    sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights.to_bytes(4, sys.byteorder))] if rights >= 0 else []
    sending.sendmsg([text.encode()], ancillary, 0, socket_address(start.changes[b"NOTIFY_SOCKET"] or b""))
    sending.close()


def test_ready_is_readiness(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    assert web.state.phase == STARTING
    world.run(5)
    assert web.state.phase == STARTING
    send(web, "READY=1")
    world.run()
    assert web.state.phase == RUNNING


def test_without_ready_notify_there_is_no_socket(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="fd 3")
    assert b"NOTIFY_SOCKET" not in world.spawner.starts[0].changes
    assert not world.context.notices
    assert web.state.phase == STARTING


def test_all_services_share_one_socket(world: World, tmp_path: Path) -> None:
    service(world, tmp_path / "a", ready="notify")
    service(world, tmp_path / "b", ready="notify")
    first, second = (start.changes[b"NOTIFY_SOCKET"] for start in world.spawner.starts)
    assert first == second
    assert first is not None
    assert first.startswith(b"@"), "abstract: no account is kept from it"


def test_timeout_up_and_its_extension(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify", **{"timeout-up": "10s", "restart": "never"})
    world.run(8)
    send(web, "EXTEND_TIMEOUT_USEC=10000000")
    world.run(9)
    assert not world.kernel.sent(web.pid), "it was given ten seconds more"
    world.kernel.obeys = (15, 9)
    world.run(2)
    assert web.state.phase == FAILED


def test_status_is_kept_for_this_start(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    texts = []
    for text in "STATUS=half way", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1", "READY=1", "STATUS=":
        send(web, text)
        world.run()
        texts.append(web.status_text)
    assert texts == [b"half way", b"half way", b"reloading", b"", b"stopping", b"stopping", b""]
    send(web, "STATUS=bye")
    world.run(2)
    assert web.status_text == b"bye"
    world.kernel.die(os.getpid(), 1)
    world.run()
    assert web.status_text == b""


def test_another_status_is_told_of(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    told: list[bytes] = []
    world.context.on_step = lambda supervisor, before: told.append(web.status_text)
    for text in "STATUS=a", "STATUS=a", "WATCHDOG=1", "STATUS=b\nWATCHDOG=1":
        send(web, text)
    world.run()
    assert told == [b"a", b"b"]
    assert web.state.phase == STARTING


def test_descriptors_that_come_along_are_closed_at_once(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    send(web, "STATUS=first")
    send(web, "BARRIER=1", write_fd)
    os.close(write_fd)
    with pytest.raises(BlockingIOError):
        os.read(read_fd, 1)
    before = os.listdir("/proc/self/fd")
    world.run()
    assert os.read(read_fd, 1) == b"", "the end of the pipe: nobody holds it any more"
    assert os.listdir("/proc/self/fd") == before
    assert web.status_text == b"first"
    os.close(read_fd)


def test_a_datagram_that_is_too_long_is_ignored(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    send(web, "READY=1\n" + "x" * LONGEST)
    world.run()
    assert web.state.phase == STARTING
    send(web, "READY=1\n" + "x" * (LONGEST - 8))
    world.run()
    assert web.state.phase == RUNNING


def test_a_flood_is_read_in_portions_and_to_its_end(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    address = socket_address(world.spawner.starts[-1].changes[b"NOTIFY_SOCKET"] or b"")
    sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sending.setblocking(False)
    count = 0
    try:
        for count in range(AT_ONCE * 3):
            sending.sendto(b"STATUS=%d" % count, address)
    except BlockingIOError:
        count -= 1
    assert count > 0
    world.run()
    assert web.status_text == b"%d" % count
    sending.close()


def test_a_notification_of_an_earlier_start_is_refused(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    web = service(world, tmp_path, ready="notify")
    world.run(2)
    world.kernel.die(os.getpid(), 1)  # from now on the service is another process
    world.run()
    send(web, "READY=1")
    send(web, "READY=1")
    world.run()
    assert web.state.phase == STARTING
    said = [line for line in capfd.readouterr().err.splitlines() if "notification" in line]
    assert said == [
        f"supervise: warning: refused a notification of pid {os.getpid()}, which is of no service that sends any"
    ]
    world.run(61)
    send(web, "READY=1")
    world.run()
    assert "notification" in capfd.readouterr().err, "and once a minute again"


@pytest.fixture
def sender() -> Iterator[Callable[[str, str], "subprocess.Popen[bytes]"]]:
    """Starts processes that send a text to a socket, and stay."""
    started = []

    def start(value: str, text: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, "-ISc", SEND, value, text], stdin=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        process.communicate()


def test_a_descendant_is_heard_and_a_stranger_is_not(
    tmp_path: Path, sender: Callable[[str, str], "subprocess.Popen[bytes]"]
) -> None:
    world = World()
    notices = NotifySocket(world.loop, b"test")
    heard: list[int] = []
    value = notices.value.decode()
    stranger = sender(value, "READY=1")
    other = sender(value, "STATUS=x")  # whose parent we are, and the other service is not
    notices.listen(stranger.pid, lambda notice: heard.append(1))
    until(lambda: len(heard) or world.run(1), "the first to be heard")
    assert heard == [1]
    notices.forget(stranger.pid)
    notices.listen(os.getpid(), lambda notice: heard.append(2))
    sender(value, "READY=1")
    until(lambda: len(heard) > 1 or world.run(1), "a child to be heard")
    assert set(heard[1:]) == {2}
    assert other.poll() is None
    notices._socket.close()


def test_main_pid_takes_over(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str], sender: Callable[[str, str], object]
) -> None:
    web = service(world, tmp_path, ready="notify")
    world.run(2)
    child = subprocess.Popen(["sleep", "1000"])
    send(web, f"MAINPID={child.pid}\nREADY=1")
    world.run()
    assert (web.pid, web.state.phase) == (child.pid, RUNNING)
    world.kernel.die(os.getpid(), 1)
    world.run()
    assert (web.pid, web.state.phase) == (child.pid, RUNNING), "the end of the former process is no exit"
    assert world.loop.orphans == 1
    world.kernel.die(child.pid, 3)
    world.run()
    assert (web.state.outcome, web.pid) == (3, os.getpid() + 1)
    child.kill()
    child.wait()
    assert not capfd.readouterr().err


def test_main_pid_has_to_be_a_child_of_ours_and_nobody_elses(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    web = service(world, tmp_path, ready="notify")
    child = subprocess.Popen(["sleep", "1000"])
    world.loop.add_child_handler(child.pid, lambda outcome: None)
    for pid in os.getppid(), child.pid, 999999999:
        send(web, f"MAINPID={pid}")
        world.run()
        assert web.pid == os.getpid()
        assert f"web: MAINPID={pid} is not" in capfd.readouterr().err
    send(web, f"MAINPID={os.getpid()}")
    world.run()
    assert not capfd.readouterr().err, "which it is already"
    child.kill()
    child.wait()


def test_nothing_is_waited_for_by_a_service_that_never_speaks(world: World, tmp_path: Path) -> None:
    web = service(world, tmp_path, ready="notify")
    assert web.state.wake == NEVER
