"""svc, svstat, svok, supervise: what they do beyond the C programs, and beside them (see also conformance/)."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import BIN, Machine, MakeMachine, command, environment
from waiting import until

Start = Callable[[str], tuple[Path, "subprocess.Popen[bytes]"]]


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Start]:
    """Starts `supervise DIR` on a service with this script; all are killed at the end."""
    running: list[tuple[Path, subprocess.Popen[bytes]]] = []

    def start(script: str) -> tuple[Path, "subprocess.Popen[bytes]"]:
        directory = tmp_path / f"sv{len(running)}"
        directory.mkdir()
        (directory / "run").write_text(f"#!/bin/sh\n{script}\n")
        (directory / "run").chmod(0o755)
        process = subprocess.Popen([sys.executable, "-IS", BIN / "supervise", directory], env=environment())
        running.append((directory, process))
        until(lambda: process.poll() is not None or command("svok", directory).returncode == 0, "supervise to run")
        return directory, process

    yield start
    for directory, process in running:
        command("svc", "-dkx", directory)
        process.wait(10)


def test_bare_names_are_looked_up_in_the_service_directory(machine: Machine) -> None:
    machine.add("web")
    machine.boot().until_up("web")
    env = machine.env
    assert command("svstat", "web", **env).stdout.startswith(b"web: up (pid ")
    assert command("svok", "web", **env).returncode == 0
    assert command("svc", "-d", "web", **env).stderr == b""
    until(lambda: machine.svstat("web").startswith("down"), "down")


def test_a_service_comes_before_a_path_of_that_name(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.add("web")
    machine.boot().until_up("web")
    monkeypatch.chdir(tmp_path)
    Path("web").mkdir()
    assert command("svstat", "web", **machine.env).stdout.startswith(b"web: up ")
    assert command("svstat", "./web", **machine.env).stdout.startswith(b"./web: unable to open supervise/ok")


def test_an_explicit_path_is_never_looked_up(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.add("web")
    machine.boot().until_up("web")
    monkeypatch.chdir(tmp_path)
    assert command("svstat", "./web", **machine.env).stdout == b"./web: unable to chdir: file does not exist\n"


def test_svstat_without_arguments_lists_services_and_logs(machine: Machine) -> None:
    machine.add("a")
    machine.add("b", log__run="exec cat")
    machine.add(".hidden")
    machine.boot()
    for name in ("a", "b", "b/log"):
        machine.until_up(name)
    lines = command("svstat", **machine.env).stdout.decode().splitlines()
    assert [line.partition(": up")[0] for line in lines] == [f"{machine.services}/{n}" for n in ("a", "b", "b/log")]


def test_svstat_without_a_service_directory_is_silent(tmp_path: Path) -> None:
    done = command("svstat", PYINIT_SERVICE_DIR=str(tmp_path / "none"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_supervise_adopts_and_reaps_the_orphans_of_run(supervised: Start) -> None:
    directory, process = supervised("(sleep 0.4 & echo $! >orphan); exec sleep 1000")
    orphan = int(until(lambda: (directory / "orphan").exists() and (directory / "orphan").read_text(), "the orphan"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: str(orphan) in children.read_text().split(), "the orphan to be adopted")
    until(lambda: not Path(f"/proc/{orphan}").exists(), "the orphan to be reaped")


def test_a_command_given_before_a_death_is_obeyed_before_it(supervised: Start) -> None:
    """`run` tells its own supervise to exit and ends at once: it must not be started again."""
    path = f"PATH={BIN}:{Path(sys.executable).parent}:$PATH"
    directory, process = supervised(f"echo run >>runs; {path} svc -x .; exit 0")
    assert process.wait(10) == 0
    assert (directory / "runs").read_text() == "run\n"


def test_term_kills_supervise_and_leaves_run_alone(supervised: Start) -> None:
    directory, process = supervised("exec sleep 1000")
    pid = int(until(lambda: b"up (pid " in (out := command("svstat", directory).stdout) and out).split(b" ")[3][:-1])
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


def test_svscan_takes_descriptors_for_many_services_and_gives_run_the_limit_it_was_given(
    make_machine: MakeMachine,
) -> None:
    """More services than the soft limit has descriptors for; each still sees that limit."""
    machine: Machine = make_machine("svscan")
    for number in range(200):
        machine.add(f"s{number}", "ulimit -Sn >limit; exec sleep 1000")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        machine.boot()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limits = [machine.services / f"s{number}/limit" for number in range(200)]
    until(lambda: all(limit.exists() and limit.read_text() for limit in limits), "all to be up", 20)
    assert {limit.read_text().strip() for limit in limits} == {"256"}
