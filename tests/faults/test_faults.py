"""A sample of what `make faults` does whole: single system calls fail, and PID 1 says so or goes on."""

import subprocess
from functools import cache
from pathlib import Path

import pytest
from faults.bench import Bench, holds, inner, is_in_order, run, trace
from faults.calls import Fault, about, faults
from machine import environment

SAMPLE = [
    ("start", "epoll_create1", ""),
    ("start", "epoll_ctl", "EPOLL_CTL_ADD socket"),
    ("start", "ioctl", "a module"),
    ("start", "sendmsg", "socket"),
    ("start", "socketpair", "socket"),
    ("steady", "socketpair", "socket"),
    ("steady", "wait4", ""),
    ("stop", "openat", "proc/self/task/N/children"),
    ("collector", "epoll_ctl", "EPOLL_CTL_ADD pipe"),
    ("collector", "newfstatat", "logs/web/current"),
    ("collector", "prlimit64", ""),
    ("collector", "write", "stdout"),
]
"""Phase, call, and what it is about; the first of these."""


@cache
def faults_of(phase: str) -> list[Fault]:
    return list(faults(phase, *trace(phase)))


@pytest.mark.parametrize("case", SAMPLE, ids="-".join)
def test_one_call_fails(case: tuple[str, str, str]) -> None:
    phase, call, what = case
    fault = next(fault for fault in faults_of(phase) if (fault.call, fault.about) == (call, what))
    found = run(fault)
    assert is_in_order(found), found


@pytest.mark.parametrize("phase", ["steady", "collector"])
def test_the_wait_fails_twenty_times(phase: str) -> None:
    found = run(Fault(phase, "epoll_wait", "1..20"))
    assert is_in_order(found), found


def test_the_collector_comes_back_where_no_descriptor_is_free() -> None:
    with Bench() as bench:
        bench.boot()
        used = bench.machine_fds()
        lowest = min(set(range(len(used) + 1)) - used)
        subprocess.run(["prlimit", f"--nofile={lowest}", "--pid", str(bench.machine.pid)], check=True)
        bench.machine.inside("kill", "-9", inner(bench.collector()))
        assert holds(lambda: "starting another" in bench.said())
        assert bench.logs("web: tick"), bench.said()


@pytest.mark.parametrize("call", ["clone", "socketpair"])
def test_the_collector_comes_back_after_five_failed_starts(call: str) -> None:
    """Whatever is wanting for a while: said once, tried every second."""
    with Bench() as bench:
        bench.boot()
        bench.attach(bench.machine.pid, Fault("steady", call, "1..5").options)
        bench.kill_collector()
        assert holds(lambda: "unable to start the log collector, trying again every second" in bench.said())
        assert bench.logs("web: tick"), bench.said()
        assert bench.wrong() == []
        assert bench.said().count("unable to start the log collector") == 1


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
        assert holds(lambda: "0 of 1 services fit: the limit is 26 open files" in bench.said())
        assert not holds(lambda: "ready" in bench.said(), 1)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('openat(7</t/service>, "web/.", O_RDONLY) = 11</t/service/web>', "service/web"),
        ('newfstatat(15</t/logs/web/lock>, "", {st_mode=S_IFREG|0600}, AT_EMPTY_PATH) = 0', "logs/web/lock"),
        ("epoll_ctl(3<anon_inode:[eventpoll]>, EPOLL_CTL_ADD, 5<pipe:[77]>, {}) = 0", "EPOLL_CTL_ADD pipe"),
        ('mkdirat(11</t/service/web>, "supervise", 0700) = 0', "service/web/supervise"),
        ("kill(2, SIGTERM) = 0", "SIGTERM"),
        ('openat(7</t/service>, "web/.", O_RDONLY) = -1 EMFILE (Too many open files)', "service/web"),
        ('openat(AT_FDCWD</c>, "/proc/self/comm", O_RDONLY) = 3</proc/7/comm>', "proc/self/comm"),
        ('write(2</t/stderr>, "SIGTERM", 7) = 7', "stderr"),
        ('read(5</p/__pycache__/x.cpython-311.pyc>, "", 9) = 9', "a module"),
    ],
)
def test_a_call_is_named_by_what_it_is_about(line: str, what: str) -> None:
    assert about(line, Path("/t")) == what
