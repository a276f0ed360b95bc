"""Services that tell of themselves by sd_notify, on the real PID 1."""

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest
from machine import PROGRAMS, Machine, MakeMachine
from waiting import until

NOTIFY = PROGRAMS / "notify"
STAYS = "exec sleep 100000"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


def add(machine: Machine, script: str, **files: str) -> None:
    """A service `web`, and `next`, which is up once that is ready."""
    machine.add("web", script, **{"ready": "notify\n", **files})
    machine.add("next", "touch ../../next; exec sleep 100000", needs="web\n")


def until_ready(machine: Machine) -> None:
    until((machine.top / "next").exists, lambda: f"next to be started: {machine.stderr()} {machine.stdout()}")


def test_a_child_of_the_service_says_that_it_is_ready(machine: Machine) -> None:
    add(machine, f"{NOTIFY} READY=1; touch said; {STAYS}")
    machine.boot()
    until_ready(machine)
    until((machine.services / "web/said").exists, "the barrier to be behind it")


@needs_root
def test_a_service_of_another_account_says_that_it_is_ready(machine: Machine) -> None:
    program = shutil.copy(NOTIFY, machine.top)
    machine.top.chmod(0o755)
    add(
        machine,
        f"setpriv --reuid 65534 --clear-groups /usr/bin/python3 -IS {program} READY=1; {STAYS}",
    )
    machine.boot()
    until_ready(machine)


def test_a_datagram_of_another_service_is_refused(machine: Machine) -> None:
    add(machine, f'echo "$NOTIFY_SOCKET" >name; {STAYS}')
    machine.add(
        "evil",
        f"until [ -s ../web/name ]; do sleep 0.02; done\n"
        f'{NOTIFY} READY=1 MAINPID=$$ --to "$(cat ../web/name)"; touch spoofed; {STAYS}',
    )
    machine.boot()
    until((machine.services / "evil/spoofed").exists, machine.stderr)
    assert machine.pid_of("web") != machine.pid_of("evil")
    assert not (machine.top / "next").exists()
    assert "refused a notification of pid" in machine.stderr()
    machine.inside("kill", machine.pid_of("evil"))
    until(lambda: machine.svstat("next").startswith("down"), "which waits for web")


def test_what_is_not_ready_in_time_has_failed(machine: Machine) -> None:
    add(machine, f"echo x >>starts; {STAYS}", **{"timeout-up": "300", "restart": "never\n"})
    machine.boot()
    until(lambda: machine.svstat("web").startswith("down"), machine.stderr)
    assert (machine.services / "web/starts").read_text() == "x\n"
    assert not (machine.top / "next").exists()


def test_a_daemon_that_forks_names_its_main_process(machine: Machine) -> None:
    fork = f"(setsid sleep 100001 & echo $! >pid); {NOTIFY} MAINPID=$(cat pid) READY=1; exit 0"
    add(machine, fork, restart="never\n")
    machine.boot()
    until_ready(machine)
    main = int((machine.services / "web/pid").read_text())
    assert machine.until_up("web") == main
    machine.svc("d", "web")
    until(lambda: machine.svstat("web").startswith("down"), "the signal to go to the main process")
    assert not machine.inside("ps", "-C", "sleep", "-o", "args=").count("100001")


def test_pid_1_says_outward_that_the_container_is_ready(make_machine: MakeMachine, tmp_path: Path) -> None:
    machine = make_machine(NOTIFY_SOCKET=str(tmp_path / "notify"))
    waits = f'echo "$NOTIFY_SOCKET" >name.new; mv name.new name; until [ -e go ]; do sleep 0.02; done; {NOTIFY} READY=1'
    machine.add("web", f"{waits}; {STAYS}", ready="notify\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outer:
        outer.bind(str(tmp_path / "notify"))
        outer.settimeout(10)
        machine.boot()
        until((machine.services / "web/name").exists, machine.stderr)
        assert (machine.services / "web/name").read_text().startswith("@"), "its own, not the outer one"
        (machine.services / "web/go").touch()
        assert outer.recv(100) == b"READY=1"
        assert machine.stop(signal.SIGTERM) == 0


def test_an_outer_socket_that_is_not_there_is_told(make_machine: MakeMachine, tmp_path: Path) -> None:
    machine = make_machine(NOTIFY_SOCKET=str(tmp_path / "gone"))
    machine.add("web")
    machine.boot()
    until(lambda: f"unable to notify {tmp_path}/gone: file does not exist" in machine.stderr(), machine.stderr)
