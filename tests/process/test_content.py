"""What others write into a service directory: odd, endless, huge, blocking. Each is told; the rest boots."""

import os
from collections.abc import Callable
from pathlib import Path
from signal import SIGHUP

import pytest
from machine import Machine, MakeMachine, command
from waiting import until


def fds(machine: Machine) -> int:
    return len(os.listdir(f"/proc/{machine.pid}/fd"))


def memory(machine: Machine) -> int:
    """Kilobytes that PID 1 has at the most needed."""
    return int(machine.proc("status").decode().partition("VmHWM:")[2].split()[0])


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 100 << 30)


def blocking(path: Path) -> None:
    os.mkfifo(path)


def plain(path: Path) -> None:
    path.write_text("t ./main\n")


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


ODD = [endless, huge, blocking, folder, dangling]


@pytest.mark.parametrize(
    ("make", "why"),
    [(plain, "not a directory"), (blocking, "not a directory"), (dangling, "file does not exist")],
)
def test_a_log_that_is_no_directory_is_told_and_the_container_logs(
    machine: Machine, make: Callable[[Path], None], why: str
) -> None:
    directory = machine.add("web", "echo hello; exec sleep 1000")
    directory.rename(machine.top / "web")
    make(machine.top / "web/log")
    (machine.top / "web").rename(directory)
    machine.boot().until_up("web")
    until(lambda: "web: hello" in machine.stdout(), "the line")
    assert f"web/log: {why}" in machine.stderr()
    before = fds(machine)
    for number in range(100):
        (machine.services / f"d{number}").symlink_to("nowhere")  # a scan tells of it
        machine.signal(SIGHUP)
        until(lambda: f"unable to stat d{number}: " in machine.stderr(), "a scan")
    until(lambda: fds(machine) == before, "no descriptor more")
    assert machine.stderr().count(f"web/log: {why}") == 1


@pytest.mark.parametrize("name", ["run", "script", "user"])
@pytest.mark.parametrize("make", ODD)
def test_odd_files_in_log_never_keep_a_service_from_starting(
    machine: Machine, name: str, make: Callable[[Path], None]
) -> None:
    directory = machine.add("web", "echo hello; exec sleep 1000", log__fold="")
    directory.rename(machine.top / "web")
    make(machine.top / "web/log" / name)
    (machine.top / "web").rename(directory)
    machine.boot().until_up("web")
    if (name, make) != ("run", huge):  # a regular file: a logger that cannot be executed
        until(lambda: "web: hello" in machine.stdout(), "the line")
        assert f"unable to use web/log/{name}: " in machine.stderr()
    assert memory(machine) < 60_000
    assert "internal error" not in machine.stderr()


@pytest.mark.parametrize("name", ["env/X", "secrets", "token"])
@pytest.mark.parametrize("make", [endless, huge, blocking])
def test_settings_are_read_within_bounds(machine: Machine, name: str, make: Callable[[Path], None]) -> None:
    """Told with the reason, never waited for; the service is up once the file is repaired."""
    directory = machine.add("web", env__TOKEN_FILE="token", secrets="TOKEN", token="x")
    machine.add("other")
    path = directory / name
    path.unlink(missing_ok=True)
    directory.joinpath("run").chmod(0o755)
    make(path)
    machine.boot().until_up("other")
    why = "longer than 65536 bytes" if make is huge else "not a regular file"
    until(lambda: f": {why}" in machine.stderr(), "the trouble")
    assert "unable to start web/run: unable to read " in machine.stderr()
    assert memory(machine) < 60_000
    doctor = command("pyinit", "doctor", machine.services)
    assert doctor.returncode == 1
    assert why.encode() in doctor.stdout
    assert b"Traceback" not in doctor.stderr
    path.unlink()
    path.write_text("TOKEN" if name == "secrets" else "x")
    machine.until_up("web")
    assert "internal error" not in machine.stderr()


@pytest.mark.parametrize(
    ("files", "repair", "message"),
    [
        (
            {"env__TOKEN_FILE": "token", "secrets": "TOKEN", "token": "a\0b"},
            "token",
            "use secret TOKEN: token: has a NUL",
        ),
        ({"env__A=B": "x"}, "env/A=B", "unable to use env/A=B: = in the name of a variable"),
        ({"secrets": "A=B"}, "secrets", "unable to use secrets: = in the name of a variable"),
    ],
)
def test_bad_content_is_told_and_tried_again(
    machine: Machine, files: dict[str, str], repair: str, message: str
) -> None:
    directory = machine.add("web", **files)
    machine.boot()
    until(lambda: message in machine.stderr(), "the trouble")
    done = command("pyinit", "doctor", machine.services)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert repair.encode() in done.stdout
    (directory / repair).rename(machine.top / "bad")
    (directory / "token").write_text("good")
    machine.until_up("web")
    assert machine.stderr().count(message) == 1
    assert "internal error" not in machine.stderr()


@pytest.mark.parametrize("name", ["user", "script"])
def test_a_nul_in_log_is_told_and_the_container_logs(machine: Machine, name: str) -> None:
    machine.add("web", "echo hello; exec sleep 1000", **{f"log__{name}": "ro\0ot"})
    machine.boot().until_up("web")
    until(lambda: "web: hello" in machine.stdout(), "the line")
    assert f"unable to use web/log/{name}: has a NUL byte" in machine.stderr()
    assert "internal error" not in machine.stderr()


def test_names_that_would_move_a_cursor_are_shown(machine: Machine) -> None:
    name = "a\r\x1b[2J\nb\udcff"
    machine.add(name, "echo hello; exit 1", log="x")
    machine.boot()
    until(lambda: r"unable to use a\r\x1b[2J\nb\xff/log" in machine.stderr(), "the message")
    for words in (("svstat",), ("pyinit", "doctor")):
        done = command(*words, PYINIT_SERVICE_DIR=str(machine.services))
        assert rb"a\r\x1b[2J\nb" in done.stdout
        assert b"\x1b" not in done.stdout
    until((machine.top / "state/logs").exists, "the counters")
    assert b"\x1b" not in (machine.top / "state/logs").read_bytes()


def test_a_bad_file_of_a_services_life_is_told_with_its_reason(machine: Machine) -> None:
    machine.add("web", **{"kill-mode": "all"})
    machine.boot()
    until(lambda: "web/kill-mode: not process or mixed or group: all" in machine.stderr(), "the reason")


def test_a_tree_of_another_supervisor_is_asked_for_daemontools_files_alone(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_DIALECT="daemontools")
    machine.add("web", finish="exec false", needs="/", **{"kill-mode": "all"})
    machine.boot().until_up("web")
    assert "unable to use" not in machine.stderr()
    assert machine.stop() == 0
