"""pyinit -f: the services of one file are unpacked at boot and run beside those of the service directory."""

import os
import re
import subprocess
import sys
from pathlib import Path
from signal import SIGHUP

import pytest
from machine import Machine, MakeMachine, command
from waiting import until

WEB = '[web]\nrun = "echo hello; exec sleep 1000"\n'

ASKED = """
[asked]
run = ["sleep", "1000"]
check = "echo checked"
finish = "echo finished $1 $2 $3"
"""


def unpacked(machine: Machine) -> Path:
    return machine.top / "state/unpacked"


def write(machine: Machine, text: str) -> str:
    path = machine.top / "services.toml"
    path.write_text(text)
    return str(path)


def until_said(machine: Machine, text: str) -> None:
    until(lambda: text in machine.stderr(), text)


def pid_in(machine: Machine, name: str) -> int:
    """The pid of an unpacked service, 0 when it is down."""
    words = command("svstat", unpacked(machine) / name).stdout.decode().partition("(pid ")[2]
    return int(words.partition(")")[0]) if words else 0


@pytest.mark.parametrize("by", ["-f", "--services=", "PYINIT_SERVICES"])
def test_services_of_a_file_beside_the_directory(machine: Machine, by: str) -> None:
    path = write(machine, WEB + "[later]\nrun = ['sleep', '1000']\nneeds = ['db']\n")
    machine.add("db")
    if by == "PYINIT_SERVICES":
        machine.env[by] = path
        machine.boot()
    else:
        machine.boot(*([by, path] if by == "-f" else [by + path]))
    machine.until_up("db")
    until(lambda: "web: hello" in machine.stdout(), "the line")
    until(lambda: pid_in(machine, "later"), "a need in the other directory")
    until_said(machine, "pyinit: ready services=3 ")
    assert machine.stop() == 0


def test_process_1_never_loads_what_reads_toml(machine: Machine) -> None:
    """Each import is printed with the pid: only the child imports these."""
    site = machine.top / "site"
    site.mkdir()
    site.joinpath("spy.py").write_text(
        "import builtins, posix, sys\n"
        "really = builtins.__import__\n"
        "def tell(name, *arguments, **named):\n"
        "    posix.write(2, b'%d imports %s\\n' % (posix.getpid(), name.encode()))\n"
        "    return really(name, *arguments, **named)\n"
        "builtins.__import__ = tell\n"
        "del sys.argv[0]\n"
        "sys.path[0] = sys.argv[0].rpartition('/bin/')[0]\n"
        "exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'))\n"
    )
    interpreter = machine.top / "interpreter"
    interpreter.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -S {site}/spy.py "$@" -IS\n')
    interpreter.chmod(0o755)
    machine.interpreter = interpreter
    machine.boot("-f", write(machine, WEB), "sh", "-c", "exec sleep 1000")
    until(lambda: "web: hello" in machine.stdout(), "the line")
    imports = re.findall(r"^(\d+) imports (.*)$", machine.stderr(), re.MULTILINE)
    assert {pid for pid, name in imports if name == "tomllib"}.isdisjoint({"1"})
    assert {name for _, name in imports} >= {"tomllib", "pyinit.convert.unpacking", "pyinit.init.services_file"}
    by_process_1 = {name for pid, name in imports if pid == "1"}
    assert "pyinit.init.services_file" in by_process_1
    assert not {name for name in by_process_1 if name.startswith(("tomllib", "pyinit.convert", "difflib"))}


def test_without_a_service_directory_these_are_all(machine: Machine) -> None:
    machine.env["PYINIT_SERVICE_DIR"] = str(machine.top / "none")
    machine.boot("-f", write(machine, WEB))
    until_said(machine, "ready services=1 ")
    del machine.env["PYINIT_SERVICE_DIR"]
    assert machine.inside("svstat", "web").startswith("web: up (pid ")
    assert "unable" not in machine.stderr()
    assert machine.stop() == 0


def test_services_are_found_by_name(machine: Machine) -> None:
    machine.add("db")
    machine.boot("-f", write(machine, WEB))
    until_said(machine, "ready services=2 ")
    assert machine.inside("svstat", "web").startswith("web: up (pid ")
    assert [line.partition(":")[0] for line in machine.inside("svstat").splitlines()] == [
        f"{machine.services}/db",
        f"{unpacked(machine)}/web",
    ]
    machine.inside("svc", "-d", "web")
    until(lambda: not pid_in(machine, "web"), "it to be down")


def test_a_name_in_both_is_refused_and_the_directory_wins(machine: Machine) -> None:
    machine.add("web", "echo directory; exec sleep 1000")
    machine.boot("-f", write(machine, "[db]\nrun = 'exec sleep 1000'\n" + WEB))
    until_said(machine, "ready services=2 ")
    machine.until_up("web")
    until(lambda: "web: directory" in machine.stdout(), "the line")
    machine.signal(SIGHUP)
    assert "hello" not in machine.stdout()
    assert not (unpacked(machine) / "web").exists()
    said = f"pyinit: warning: {machine.top}/services.toml:3: web: refused: {machine.services} has one of that name"
    assert machine.stderr().count(said) == 1


def test_a_directory_that_comes_later_takes_the_name(machine: Machine) -> None:
    machine.boot("-f", write(machine, WEB))
    until(lambda: "web: hello" in machine.stdout(), "the line")
    machine.add("web", "echo directory; exec sleep 1000")
    machine.until_up("web")
    assert pid_in(machine, "web") == 0
    until(lambda: "web: directory" in machine.stdout(), "the line")
    assert machine.stderr().count(f"web is in {machine.services} and in {unpacked(machine)}: stopping the latter") == 1
    assert machine.stop() == 0


def test_a_service_with_mistakes_is_refused_and_the_rest_boots(machine: Machine) -> None:
    bad = "[bad]\nrun = ['sleep', '1']\nneds = ['web']\numask = 1\n['.x']\nrun = 'x'\n"
    machine.boot("-f", write(machine, bad + WEB))
    until(lambda: "web: hello" in machine.stdout(), "the line")
    said = machine.stderr()
    path = f"{machine.top}/services.toml"
    assert "supervise: warning: unable to use bad/services.toml:3: neds: unknown key: is needs meant?\n" in said
    assert f"pyinit: warning: {path}:4: bad: umask: has to be a string of octal digits" in said
    assert f"pyinit: warning: {path}:5: .x: cannot be the name of a service\n" in said
    assert pid_in(machine, "bad") == 0
    assert said.count("neds") == 1


@pytest.mark.parametrize(("critical", "code"), [("7", 7), ("true", 1), ("'x'", 1)])
def test_a_critical_service_with_mistakes_ends_the_container(machine: Machine, critical: str, code: int) -> None:
    machine.boot("-f", write(machine, f"[bad]\nrun = ['sleep', '1']\nneds = []\ncritical = {critical}\n" + WEB))
    assert machine.wait() == code
    assert "bad/services.toml:3: neds: unknown key" in machine.stderr()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_text("[web\n"), ":1: not TOML: "),
        (lambda path: path.write_bytes(b"\xff"), ":1: not TOML: not UTF-8"),
        (lambda path: path.mkdir(), ": is a directory: a directory of services is for PYINIT_SERVICE_DIR or -d"),
        (lambda path: None, ": file does not exist"),
        (os.mkfifo, ": not a regular file"),
    ],
)
def test_a_file_that_cannot_be_read_is_fatal(machine: Machine, make: "object", why: str) -> None:
    assert callable(make)
    machine.add("db")
    path = machine.top / "services.toml"
    make(path)
    machine.boot("-f", str(path))
    assert machine.wait() == 111
    assert f"{path}{why}" in machine.stderr()
    assert machine.stderr().count("fatal") == 1


def test_a_file_in_place_of_the_service_directory_is_told(machine: Machine) -> None:
    machine.env["PYINIT_SERVICE_DIR"] = write(machine, WEB)
    machine.boot()
    assert machine.wait() == 111
    assert "services.toml: not a directory: a file of services is for PYINIT_SERVICES or -f\n" in machine.stderr()


def test_another_boot_unpacks_anew(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.boot("-f", write(machine, WEB + "[old]\nrun = 'exec sleep 1000'\n"))
    until_said(machine, "ready services=2 ")
    assert machine.stop() == 0
    machine.boot("-f", write(machine, WEB.replace("hello", "again")))
    until(lambda: "web: again" in machine.stdout(), "the line")
    assert sorted(path.name for path in unpacked(machine).iterdir()) == ["web"]
    assert machine.stop() == 0


def test_a_command_beside_the_services_of_a_file(machine: Machine) -> None:
    machine.env["PYINIT_SERVICE_DIR"] = str(machine.top / "none")
    machine.boot("-f", write(machine, WEB), "--", "sh", "-c", "svstat web; exit 3")
    assert machine.wait() == 3
    assert "web: up (pid " in machine.stdout()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
def test_where_nothing_may_be_executed_the_interpreter_is(machine: Machine) -> None:
    """As under docker's tmpfs. `#!` is taken as the kernel takes it: what follows the interpreter is one argument."""
    place = machine.top / "state"
    place.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec,mode=755", "none", place], check=True)
    try:
        script = "'''#! /bin/sh -eu \necho $0 $-; exec sleep 1000\n'''"
        machine.boot("-f", write(machine, f"[odd]\nrun = {script}\n" + ASKED + WEB))
        until(lambda: "web: hello" in machine.stdout(), "the line")
        until(lambda: "odd: ./run " in machine.stdout(), "the line")
        until(lambda: "asked: checked" in machine.stdout(), "a check")
        machine.inside("svc", "-d", "asked")
        until(lambda: "asked: finished 256 15 asked" in machine.stdout(), "a finish")
        flags = machine.stdout().partition("odd: ./run ")[2].split()[0]
        assert {"e", "u"} <= set(flags)
        until_said(machine, "ready services=3 ")
        assert machine.stop() == 0
    finally:
        machine.destroy()
        subprocess.run(["umount", "-l", place], check=True)
