"""A sample of what `make faults` does whole: single system calls fail, and PID 1 says so or goes on."""

import subprocess

import pytest
from faults.harness import FATAL, HARMLESS, PHASES, SAID, Bench, Fault, holds
from machine import environment

SAMPLE = [
    Fault("start", "epoll_create1", "EMFILE", "1"),
    Fault("start", "socketpair", "EMFILE", "1"),
    Fault("start", "sendmsg", "ENOBUFS", "1"),
    Fault("start", "epoll_ctl", "ENOMEM", "4"),
    Fault("steady", "epoll_wait", "ENOMEM", "1..20"),
    Fault("steady", "socketpair", "EMFILE", "1..2"),
    Fault("steady", "epoll_ctl", "ENOMEM", "1..3"),
    Fault("steady", "wait4", "ENOMEM", "1"),
    Fault("stop", "openat", "EMFILE", "1..3"),
]


@pytest.mark.parametrize("fault", SAMPLE, ids=lambda fault: f"{fault.phase}-{fault.call}-{fault.error}")
def test_one_call_fails(fault: Fault) -> None:
    assert PHASES[fault.phase](fault) in ((SAID, HARMLESS, FATAL) if fault.phase == "start" else (SAID, HARMLESS))


def test_the_collector_comes_back_where_no_descriptor_is_free() -> None:
    with Bench() as bench:
        bench.machine.boot()
        assert bench.logs()
        used = {int(path.name) for path in bench.machine_fds()}
        lowest = min(set(range(len(used) + 1)) - used)
        subprocess.run(["prlimit", f"--nofile={lowest}", "--pid", str(bench.machine.pid)], check=True)
        bench.machine.inside("kill", "-9", bench.inner(bench.collector()))
        assert holds(lambda: "starting another" in bench.machine.stderr())
        assert bench.logs(), bench.machine.stderr()


@pytest.mark.parametrize("limit", [8, 10])
def test_too_few_descriptors_to_start_are_fatal(limit: int) -> None:
    with Bench() as bench:
        line = f'ulimit -n {limit}; exec "$0" -IS bin/pyinit -d {bench.machine.services}'
        done = subprocess.run(
            ["sh", "-c", line, bench.machine.interpreter],
            env=environment(**bench.machine.env),
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert done.returncode == 111, done.stderr
        assert "pyinit: fatal: " in done.stderr
        assert "Traceback" not in done.stderr


def test_what_does_not_fit_is_said_and_pid_1_is_not_ready() -> None:
    with Bench() as bench:
        bench.machine.prefix = ("prlimit", "--nofile=26")
        bench.machine.boot()
        assert holds(lambda: "0 of 1 services fit: the limit is 26 open files" in bench.machine.stderr())
        assert not holds(lambda: "ready" in bench.machine.stderr(), 1)
