"""How svc, svstat, svok and svlog find a service by what they are told, and what they say where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from machine import BIN, Machine, MakeMachine, command, environment
from waiting import until

from pyinit.__main__ import commands
from pyinit.launch.asked import ORIGINALS

TYPO = b"svc: warning: unable to chdir to typo: file does not exist\n"


@pytest.fixture
def elsewhere(machine: Machine) -> Machine:
    """A machine whose service keeps its state in the runtime directory, and is reached by a link."""
    real = machine.top / "real"
    machine.add("web", log__run="exec cat").rename(real)
    for place in real, real / "log":
        (place / "supervise").symlink_to("/proc/none")  # as little to be written as a read-only root
    (machine.services / "web").symlink_to(real)
    machine.boot()
    until((machine.top / "state/web/log/supervise/status").exists, "state elsewhere")
    return machine


def asked(machine: Machine, *words: object, where: Path, **env: str) -> "subprocess.CompletedProcess[bytes]":
    """One of our commands, run in the directory `where`, with the variables of the machine."""
    line = [sys.executable, "-IS", str(BIN / str(words[0])), *map(str, words[1:])]
    given = environment(**{**machine.env, **env})
    return subprocess.run(line, cwd=where, env=given, capture_output=True, check=False, timeout=30)


def test_a_name_that_is_no_service_is_exit_1_where_a_pyinit_runs(machine: Machine) -> None:
    machine.add("web")
    machine.add("idle", down="")
    machine.boot().until_up("web")
    env = machine.env
    done = command("svc", "-t", "typo", "idle", **env)
    assert (done.returncode, done.stderr) == (1, TYPO)
    assert command("svc", "-o", "typo", "idle", **env).returncode == 1
    machine.until_up("idle")
    assert command("svc", "-d", "idle", **env).returncode == 0
    until(lambda: machine.svstat("idle").startswith("down"), "idle to be down")
    assert command("svstat", "idle", "web", **env).returncode == 0
    done = command("svstat", "typo", "web", **env)
    assert done.returncode == 1
    assert done.stdout.startswith(b"typo: unable to chdir: file does not exist\nweb: up (pid ")


def test_a_path_in_the_service_directory_counts_and_another_does_not(machine: Machine, tmp_path: Path) -> None:
    machine.add("web")
    machine.boot().until_up("web")
    (machine.services / "file").write_text("")
    env = machine.env
    for name in (machine.services / "typo", f"{machine.services}//typo/deeper", machine.services / "file"):
        assert command("svc", "-t", name, **env).returncode == 1, name
        assert command("svstat", name, **env).returncode == 1, name
    (tmp_path / "sv").mkdir()
    for name in (tmp_path / "none", tmp_path / "sv", f"{machine.services}/../none", machine.services, ""):
        assert command("svc", "-t", name, **env).returncode == 0, name
        assert command("svstat", name, **env).returncode == 0, name
    assert asked(machine, "svstat", "./typo", where=machine.services).returncode == 1
    assert asked(machine, "svstat", "./typo", where=tmp_path).returncode == 0


def test_a_service_that_nobody_supervises_is_exit_1(machine: Machine) -> None:
    machine.add("web")
    machine.boot().until_up("web")
    (machine.services / ".kept/supervise").mkdir(parents=True)
    os.mkfifo(machine.services / ".kept/supervise/ok")
    os.mkfifo(machine.services / ".kept/supervise/control")
    done = command("svstat", ".kept", **machine.env)
    assert (done.returncode, done.stdout) == (1, b".kept: supervise not running\n")
    assert command("svc", "-t", ".kept", **machine.env).returncode == 1


def test_elsewhere_the_codes_are_those_of_the_c_programs(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/lock").write_text(f"1 {tmp_path}")
    env = {"PYINIT_STATE": str(tmp_path / "state")}
    assert command("svstat", "typo", **env).returncode == 0
    assert command("svc", "-t", "typo", **env).returncode == 0
    assert command("svstat", "--help", **env).stdout == b"--help: unable to chdir: file does not exist\n"
    assert command("svc", "--version", **env).returncode == 0
    assert command("svlog", "--help", **env).stdout.startswith(b"usage: svlog ")


def test_help_and_version_are_answered_where_a_pyinit_runs(machine: Machine) -> None:
    machine.boot()
    until(lambda: command("svstat", "--ready", **machine.env).returncode == 0, "a pyinit to run")
    for name in commands():
        if name == "pyinit":
            continue
        done = command(name, "--help", **machine.env)
        assert (done.returncode, done.stderr) == (0, b""), name
        assert done.stdout.startswith(b"usage: %b" % name.encode()), name
        done = command(name, "--version", **machine.env)
        assert (done.returncode, done.stderr) == (0, b""), name
        assert done.stdout.startswith(b"%b (pyinit) " % name.encode()), name
    done = command("pgrphack", "setuidgid", "--help", **machine.env)
    assert done.stdout.startswith(b"usage: setuidgid "), "in a chain"
    assert command("svstat", "--help", "web", **machine.env).stdout.startswith(b"--help: unable to chdir")


def test_the_originals_are_those_of_debian(machine: Machine) -> None:
    assert {*commands()} - ORIGINALS == {"pyinit", "svlog"}


def test_the_state_elsewhere_is_found_by_every_name(elsewhere: Machine) -> None:
    services, real = elsewhere.services, elsewhere.top / "real"
    (real / "sub").mkdir()
    for name, where in (
        *(("web", services), ("./web", services), (".", services / "web"), (".", real), (real, Path("/"))),
        *((f"//{services}/web", Path("/")), ("..", real / "sub"), (f"{services}/../service/web/", Path("/"))),
    ):
        done = asked(elsewhere, "svstat", name, where=where)
        assert b": up (pid " in done.stdout, (name, where, done)
        assert asked(elsewhere, "svok", name, where=where).returncode == 0, (name, where)
        assert asked(elsewhere, "svc", "-c", name, where=where).returncode == 0, (name, where)
    for name, where in (("log", real), ("web/log", services), (".", real / "log"), (real / "log", Path("/"))):
        assert b": up (pid " in asked(elsewhere, "svstat", name, where=where).stdout, (name, where)


def test_a_bare_name_is_the_service_before_a_directory_of_that_name(machine: Machine, tmp_path: Path) -> None:
    """`svstat root` in `/` means the service, and no /root; where no pyinit runs it is as with the C programs."""
    machine.add("web")
    machine.boot().until_up("web")
    for name in ("web", "other"):
        (tmp_path / name / "supervise").mkdir(parents=True)
    assert asked(machine, "svstat", "web", where=tmp_path).stdout.startswith(b"web: up (pid ")
    assert asked(machine, "svok", "web", where=tmp_path).returncode == 0
    assert b"supervise/ok" in asked(machine, "svstat", "./web", where=tmp_path).stdout
    assert b"supervise/ok" in asked(machine, "svstat", "other", where=tmp_path).stdout
    assert asked(machine, "svc", "-d", "web", where=tmp_path).returncode == 0
    until(lambda: machine.svstat("web").startswith("down"), "the service to be down")
    assert machine.stop() == 0
    assert b"supervise/ok" in asked(machine, "svstat", "web", where=tmp_path).stdout


def test_a_run_ends_itself_where_the_state_is_elsewhere(elsewhere: Machine) -> None:
    path = elsewhere.top / "real/run"
    path.with_name("run.new").write_text(f"#!/bin/sh\n{sys.executable} -IS {BIN}/svc -d .\nexec sleep 1000\n")
    path.with_name("run.new").chmod(0o755)
    path.with_name("run.new").rename(path)
    assert command("svc", "-t", "web", **elsewhere.env).returncode == 0
    until(lambda: b"web: down" in command("svstat", "web", **elsewhere.env).stdout, "down by its own command")


def test_the_service_directory_of_the_command_line_is_known(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.add("web")
    machine.boot("-d", str(machine.services)).until_up("web")
    env = {"PYINIT_STATE": machine.env["PYINIT_STATE"]}
    assert command("svstat", "web", **env).stdout.startswith(b"web: up (pid ")
    assert command("svstat", **env).stdout.startswith(bytes(machine.services / "web") + b": up (pid ")
    assert (machine.top / "state/lock").read_text() == f"1 {machine.services}"
    assert command("svc", "-d", "web", **env).returncode == 0


def test_a_second_pyinit_leaves_the_files_of_the_first(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.add("web")
    machine.boot()
    ready = machine.top / "state/ready"
    until(ready.exists, "readiness")
    content = ready.read_text()
    (machine.top / "second").mkdir()
    line = [sys.executable, "-IS", str(BIN / "pyinit"), "-d", str(machine.top / "second"), "--", "true"]
    done = subprocess.run(line, env=environment(**machine.env), capture_output=True, check=False, timeout=30)
    assert done.returncode == 0
    assert b"unable to use PYINIT_STATE %b/state: another pyinit uses it" % bytes(machine.top) in done.stderr
    assert ready.read_text() == content
    assert command("svstat", "--ready", **machine.env).returncode == 0
    assert (machine.top / "state/lock").read_text() == f"1 {machine.services}"


# --- letters that services of a pyinit know

TRAPS = """
for name in QUIT USR1 USR2 WINCH HUP TERM; do trap "echo $name >>told" $name; done
echo ready >told
while :; do sleep 0.02; done
"""


def told(service: Path) -> list[str]:
    path = service / "told"
    return path.read_text().split() if path.exists() else []


def test_services_of_a_pyinit_know_more_letters(machine: Machine) -> None:
    web, php = machine.add("web", TRAPS), machine.add("php", TRAPS, **{"reload-signal": "USR2"})
    machine.boot()
    until(lambda: told(web) and told(php), "the services")
    names = {"q": "QUIT", "1": "USR1", "2": "USR2", "w": "WINCH", "l": "HUP"}
    for times, (letter, name) in enumerate(names.items(), 2):
        assert command("svc", f"-{letter}", "web", **machine.env).returncode == 0
        until(lambda: len(told(web)) == times, name)
    assert told(web) == ["ready", *names.values()]
    assert asked(machine, "svc", "-l", ".", machine.services / "web/", where=php).returncode == 0
    until(lambda: told(php) == ["ready", "USR2"], "its own signal")
    assert command("svc", "-l", "typo", **machine.env).returncode == 1


USAGE = b"u up, d down, o once, x exit, p pause, c continue, h hup, a alarm, i interrupt, t term, k kill"
MORE = b", q quit, 1 usr1, 2 usr2, w winch, l reload"


@pytest.mark.parametrize("letter", ["q", "1", "2", "w", "l"])
def test_elsewhere_svc_knows_the_letters_of_the_c_program(machine: Machine, tmp_path: Path, letter: str) -> None:
    refusal = f"svc: illegal option -- {letter}\n".encode() + b"svc options: " + USAGE + b"\n"
    machine.add("web", TRAPS)
    done = command("svc", f"-{letter}", machine.services / "web", **machine.env)
    assert (done.returncode, done.stderr) == (100, refusal)
    machine.boot()
    until(lambda: told(machine.services / "web"), "the service")
    stranger = tmp_path / "stranger"
    (stranger / "supervise").mkdir(parents=True)
    for names in ([stranger], ["web", stranger], [], [machine.services], [machine.services / "web/supervise"]):
        done = command("svc", f"-{letter}", *names, **machine.env)
        assert (done.returncode, done.stderr) == (100, refusal), names
    assert told(machine.services / "web") == ["ready"]


def test_the_usage_where_a_pyinit_runs_has_them(machine: Machine) -> None:
    machine.add("web")
    machine.boot().until_up("web")
    done = command("svc", "-z", "web", **machine.env)
    assert (done.returncode, done.stderr) == (100, b"svc: illegal option -- z\nsvc options: " + USAGE + MORE + b"\n")


@pytest.mark.parametrize("program", ["svscan", "supervise"])
def test_their_bytes_mean_nothing_to_others(make_machine: MakeMachine, program: str) -> None:
    machine = make_machine("svscan")
    web = machine.add("web", TRAPS)
    if program == "supervise":
        web.rename(machine.top / "web")
        web = machine.top / "web"
        machine.add("outer", f"exec {sys.executable} -IS {BIN}/supervise {web}")
    machine.boot()
    until(lambda: told(web), "the service")
    (web / "supervise/control").write_bytes(b"q12wlt")
    until(lambda: told(web) == ["ready", "TERM"], "the one letter that it knows")
