"""Services that the checker asks about, on the real PID 1."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from machine import PROGRAMS, ROOT, Machine
from waiting import until

LISTEN, NOTIFY = PROGRAMS / "listen", PROGRAMS / "notify"
STAYS = "exec sleep 100000"
SCRIPT = "#!/bin/sh\n"


@pytest.fixture
def port() -> str:
    """A port that nobody has."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def add(machine: Machine, name: str = "web", script: str = STAYS, **files: str) -> Path:
    """A service whose files of text are not executable."""
    directory = machine.add(name, script, **files)
    for file, text in files.items():
        if not text.startswith("#!"):
            (directory / file.replace("__", "/")).chmod(0o644)
    return directory


def add_next(machine: Machine, name: str = "web") -> Callable[[], bool]:
    """A service that is started once the other is ready; whether it has been."""
    add(machine, "next", f"touch ../../next; {STAYS}", needs=f"{name}\n")
    return (machine.top / "next").exists


def checkers(machine: Machine) -> list[int]:
    """The pids of the checker, and of what it is just starting, as its namespace counts."""
    lines = machine.inside("ps", "-eo", "pid=,comm=").splitlines()
    return [int(line.split()[0]) for line in lines if line.split()[1] == "checker"]


READY = {
    "port": (f"touch began; until [ -e go ]; do sleep 0.02; done; exec {LISTEN} PORT", "port PORT"),
    "name": (f"touch began; until [ -e go ]; do sleep 0.02; done; exec {LISTEN} PORT", "port localhost:PORT"),
    "unix": (f"touch began; until [ -e go ]; do sleep 0.02; done; exec {LISTEN} sock", "unix sock every 200ms"),
    "file": (f"touch began; until [ -e go ]; do sleep 0.02; done; touch flag; {STAYS}", "file flag"),
    "check": (f"touch began; {STAYS}", "check every 100ms"),
}


@pytest.mark.parametrize("kind", READY)
def test_a_start_is_ready_when_it_is_found_to_be(machine: Machine, port: str, kind: str) -> None:
    script, ready = (text.replace("PORT", port) for text in READY[kind])
    web = add(machine, script=script, ready=f"{ready}\n", check=f"{SCRIPT}test -e go\n")
    is_next = add_next(machine)
    machine.boot()
    until((web / "began").exists, machine.stderr)
    assert not is_next()
    (web / "go").touch()
    until(is_next, machine.stderr)
    assert machine.stop() == 0
    assert "warning" not in machine.stderr()


def is_down(machine: Machine, name: str) -> bool:
    return machine.svstat(name).startswith("down")


def test_what_is_not_ready_in_time_has_failed(machine: Machine, port: str) -> None:
    kinds = f"port {port}", "unix sock", "file flag", "check", "fd 3", "after 1h"
    for name, ready in zip("abcdef", kinds, strict=True):
        up = {"timeout-up": "300\n", "restart": "never\n", "check": f"{SCRIPT}exit 1\n"}
        add(machine, name, f"echo x >>starts; {STAYS}", ready=f"{ready}\n", **up)
    machine.boot()
    for name in "abcdef":
        until(partial(is_down, machine, name), machine.stderr)
        assert (machine.services / name / "starts").read_text() == "x\n"


def test_a_sick_service_is_restarted(machine: Machine, port: str) -> None:
    web = add(
        machine,
        script=f"exec {LISTEN} {port}",
        health=f"http {port}/healthz every 100ms failures 3\n",
        ready=f"port {port}\n",
    )
    pid = machine.boot().until_up("web")
    time.sleep(0.5)  # questions that are answered well
    assert machine.until_up("web") == pid
    (web / "sick").touch()
    machine.until_up("web", other_than=pid)


def test_a_watchdog_that_gets_no_sign_restarts_the_service(machine: Machine) -> None:
    barks = f'[ "$WATCHDOG_PID" = $$ ] || exit 1; {NOTIFY} WATCHDOG=1; echo "$WATCHDOG_USEC" >>barks; sleep 0.1'
    web = add(
        machine, script=f"until [ -e rest ]; do {barks}; done; {STAYS}", health="watchdog timeout 1s failures 1\n"
    )
    pid = machine.boot().until_up("web")
    until(lambda: (web / "barks").exists() and len((web / "barks").read_text().splitlines()) > 15, machine.stderr)
    assert set((web / "barks").read_text().splitlines()) == {"1000000"}
    assert machine.until_up("web") == pid
    (web / "rest").touch()
    machine.until_up("web", other_than=pid)
    assert checkers(machine) == [], "signs of life are no questions"


def test_a_check_has_the_environment_and_the_log_of_its_service(machine: Machine) -> None:
    says = f'{SCRIPT}echo "$SERVICE_NAME says $A in $(basename $PWD)"\n'
    add(machine, check=says, env__A="b")
    machine.boot()
    until(lambda: "web: web says b in web" in machine.stdout(), machine.stdout)


def test_a_check_that_hangs_is_killed_with_all_that_it_started(machine: Machine) -> None:
    hangs = f"{SCRIPT}sleep 100001 & setsid sleep 100002 & (setsid sleep 100003 &) ; echo x >>runs; exec sleep 100004\n"
    web = add(machine, check=hangs, ready="up\n", health="check every 200ms timeout 200ms then ignore\n")
    machine.boot()

    def left() -> list[str]:
        return re.findall(r"sleep 10000[1-4]", machine.inside("ps", "-eo", "args="))

    until(lambda: (web / "runs").exists() and (web / "runs").read_text().count("x") >= 3, machine.stderr)
    assert len(left()) <= 8, "of one run, and of one that is just being killed"
    (web / "health").write_text("check every 1h then ignore\n")
    machine.svc("t", "web")
    until(lambda: not left(), lambda: str(left()))
    assert machine.stderr().count("it did not end in time") == 1


def hanging(machine: Machine) -> int:
    """How many processes of the check that hangs there are."""
    return len(re.findall(r"^sleep 10000[56]$", machine.inside("ps", "-eo", "args="), re.MULTILINE))


def test_a_checker_that_is_killed_is_replaced_and_nothing_is_forgotten(machine: Machine, port: str) -> None:
    add(machine, ready=f"port {port}\n")
    is_next = add_next(machine)
    add(machine, "hung", check=f"{SCRIPT}setsid sleep 100005 & exec sleep 100006\n", ready="check every 1h\n")
    add(machine, "job", "echo x >>runs", type="oneshot\n", timer="every 1s\n")
    machine.boot()
    (pid,) = until(lambda: len(found := checkers(machine)) == 1 and found, machine.stderr)
    until(lambda: hanging(machine) == 2, machine.stderr)
    machine.inside("kill", "-9", pid)
    (other,) = until(lambda: [each for each in checkers(machine) if each != pid], machine.stderr)
    until(lambda: hanging(machine) == 2, "one check, not two")
    assert f"the checker (pid {pid}) was killed by signal 9, starting another" in machine.stderr()
    assert not is_next()
    add(machine, "listener", f"exec {LISTEN} {port}")
    until(is_next, machine.stderr)
    runs = machine.services / "job/runs"
    count = len(runs.read_text().split())
    until(lambda: len(runs.read_text().split()) > count, machine.stderr)
    assert checkers(machine) == [other]
    assert machine.stop(seconds=5) == 0


def test_nobody_asks_and_there_is_no_checker(machine: Machine) -> None:
    add(machine, critical="")
    add(machine, "b", f"echo >&3; {STAYS}", ready="fd 3\n")
    machine.boot().until_up("web")
    until(lambda: "pyinit: ready" in machine.stderr(), machine.stderr)
    assert checkers(machine) == []


def test_a_timer_runs_its_service_from_due_time_to_due_time(machine: Machine) -> None:
    add(machine, "job", "date +%s.%N >>runs", type="oneshot\n", timer="every 1500ms at-start\n")
    machine.boot()
    runs = machine.services / "job/runs"
    until(lambda: runs.exists() and len(runs.read_text().split()) >= 4, machine.stderr)
    first, *rest = map(float, runs.read_text().split())
    assert rest[0] - first > 1.2, "at the start, and then after the first 1.5 s"
    assert rest[-1] - rest[0] > 1.2 * (len(rest) - 1)


def test_going_down_does_not_wait_for_checks(machine: Machine) -> None:
    add(machine, check=f"{SCRIPT}trap '' TERM; sleep 100000 & wait\n", ready="up\n", health="check every 100ms\n")
    machine.boot().until_up("web")
    until(lambda: "./check" in machine.inside("ps", "-eo", "args="), machine.stderr)
    began = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - began < 3
    assert "killed" not in machine.stderr()


def test_going_down_does_not_wait_for_a_checker_that_somebody_stopped(machine: Machine) -> None:
    add(machine, check=f"{SCRIPT}exit 1\n", ready="check every 1h\n")
    machine.boot().until_up("web")
    (pid,) = until(lambda: len(found := checkers(machine)) == 1 and found, machine.stderr)
    machine.inside("kill", "-STOP", pid)
    began = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - began < 4
    assert "missing" not in machine.stderr()


def processor_time(machine: Machine, pid: int) -> float:
    """Seconds that a process has used by itself."""
    fields = machine.inside("cat", f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sleeps(machine: Machine, pid: int) -> int:
    """How often a process has gone to sleep by itself."""
    found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)$", machine.inside("cat", f"/proc/{pid}/status"), re.MULTILINE)
    assert found
    return int(found[1])


IN_C = """
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(int count, char **words) {
    for (int n = 0; n < 1000; ++n) {
        pid_t pid;
        char *argv[] = {"./check", 0};
        posix_spawn(&pid, "./check", 0, 0, argv, environ);
        waitpid(pid, 0, 0);
    }
}
"""

IN_PYTHON = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pyinit.formats.questions import HEALTH, PROGRAM, Question
from pyinit.services.checker.checks import CheckProgram
from pyinit.services.checker.polls import Poll
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner

loop, count = Loop(b"test"), 0
question = Question(HEALTH, PROGRAM, b"web")
question.timeout = 10.0


class Counted(CheckProgram):
    __slots__ = ()

    def run(self, limit, done):
        global count
        count += 1
        if count > 1000:
            loop.stop(0)
        else:
            super().run(limit, done)


log_fd = os.open("/dev/null", os.O_WRONLY)
program = Counted(loop, Spawner(True), b"web", b"./check", [os.open(".", os.O_PATH), log_fd], {b"SERVICE_NAME": b"web"})
Poll(loop, question, [], program, lambda verb, detail: sys.exit(f"{verb} {detail}"))
loop.run()
"""


def used_by(*words: object, directory: Path) -> float:
    """Seconds of the processor that a program and its children use."""
    with subprocess.Popen([str(word) for word in words], cwd=directory) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def test_a_program_costs_at_most_twice_a_loop_in_c(tmp_path: Path) -> None:
    for name, source in ("loop", IN_C), ("check", "int main(void) { return 0; }"):
        (tmp_path / f"{name}.c").write_text(source)
        subprocess.run(["cc", "-O2", "-o", name, f"{name}.c"], cwd=tmp_path, check=True)
    (tmp_path / "poll.py").write_text(IN_PYTHON)
    in_python = [sys.executable, "-IS", "poll.py", ROOT]
    ratios = [used_by(*in_python, directory=tmp_path) / used_by("./loop", directory=tmp_path) for _ in range(3)]
    assert min(ratios) < 2, ratios


def test_a_hundred_ports_a_second_cost_less_than_a_twentieth_of_a_processor(machine: Machine, port: str) -> None:
    add(machine, "listener", f"exec {LISTEN} {port}", ready=f"port {port}\n")
    for number in range(100):
        add(machine, f"s{number}", health=f"port {port} every 1s then ignore\n", needs="listener\n")
    machine.boot()
    until(lambda: "pyinit: ready" in machine.stderr(), machine.stderr, 30)
    (pid,) = checkers(machine)
    time.sleep(1.5)
    before, began, wakes = processor_time(machine, pid), time.monotonic(), sleeps(machine, 1)
    time.sleep(4)
    used = (processor_time(machine, pid) - before) / (time.monotonic() - began)
    assert used < 0.05, used
    assert sleeps(machine, 1) - wakes <= 2, "nothing of it reaches process 1"
