"""So many services that what is seldom used of them is in flight, and is no entry in PID 1's table of descriptors."""

import os
import shutil
from pathlib import Path
from signal import SIGKILL

import pytest
from descriptors import open_in
from machine import Machine, command, logged
from waiting import until

from pyinit.services.scanner import MANY

FEW = 40
"""Descriptors of a PID 1 with a crowd: what each shelf takes, and what has nothing to do with services."""


def watched(machine: Machine) -> int:
    """How many files ring: a FIFO of each service as long as it is open, and the logging process's socket."""
    of = Path(f"/proc/{machine.pid}")
    try:
        epolls = [entry.name for entry in (of / "fd").iterdir() if "eventpoll" in os.readlink(entry)]
        return max((of / "fdinfo" / number).read_text().count("tfd:") for number in epolls)
    except FileNotFoundError:  # of one that it has closed meanwhile
        return watched(machine)


def name(number: int) -> str:
    return f"s{number:03}"


@pytest.fixture
def crowd(make_machine) -> Machine:
    """MANY services and five more, up, logged on a volume. One writes a line at its start, and one a signal."""
    machine = make_machine(PYINIT_LOG="volume", PYINIT_STOP_TIMEOUT="4")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    for number in range(MANY + 5):
        machine.add(name(number), f"echo {number}; exec sleep 1000")
    machine.boot()
    until(lambda: "ready" in machine.stderr(), "all to be up", 30)
    return machine


def lines(machine: Machine, number: int) -> list[str]:
    return logged(machine.top / "logs" / name(number))


def test_a_command_given_by_a_run_before_all_are_started_is_obeyed(make_machine):
    """Its FIFO is listened to behind the starts; by then it has been written to."""
    machine = make_machine("svscan")
    for number in range(MANY + 5):
        machine.add(name(number), "echo d >supervise/control; touch ran; exec sleep 1000")
    machine.boot()

    def is_taken_down(number: int) -> bool:
        has_run = (machine.services / name(number) / "ran").exists()
        state = machine.svstat(name(number))
        return has_run and state.startswith("down") and "want up" not in state

    for number in 0, 70, MANY + 4:
        until(lambda: is_taken_down(number), "what its run asked for")


def test_a_service_takes_few_descriptors_and_works_as_ever(crowd):
    assert open_in(crowd.pid) < FEW
    assert watched(crowd) == MANY + 6
    before = open_in(crowd.pid)
    for number in 0, 70, MANY + 4:
        pid = crowd.pid_of(name(number))
        crowd.svc("k", name(number))
        assert crowd.until_up(name(number), other_than=pid)
        until(lambda: lines(crowd, number) == [str(number)] * 2, "the line of the second run")
        crowd.svc("d", name(number))
        until(lambda: crowd.svstat(name(number)).startswith("down"), "down")
        crowd.svc("u", name(number))
        until(lambda: len(lines(crowd, number)) == 3, "the line of the third run")
    until(lambda: open_in(crowd.pid) <= before, "no descriptor more, when the last start has been told of")
    assert "warning" not in crowd.stderr()
    assert crowd.stop(seconds=10) == 0
    assert all(lines(crowd, number)[-1:] == [str(number)] for number in range(MANY + 5))


def test_locks_are_held_and_given_up(crowd):
    lock = crowd.services / name(3) / "supervise/lock"
    assert command("setlock", "-nx", lock, "true").returncode == 0
    assert command("setlock", "-n", lock, "true").returncode == 111
    crowd.svc("dx", name(3))
    until(lambda: command("setlock", "-n", lock, "true").returncode == 0, "the lock to be free")
    crowd.until_up(name(3))
    assert command("setlock", "-n", lock, "true").returncode == 111


def test_another_logging_process_is_given_every_pipe(crowd):
    def logger() -> str:
        return crowd.inside("pgrep", "-x", "multilog", check=False).strip()

    until(lambda: all(lines(crowd, number) for number in range(MANY + 5)), "the first lines, which it may not lose", 20)
    first = logger()
    crowd.inside("kill", "-9", first)
    until(lambda: logger() not in ("", first), "another logging process")
    for number in range(MANY + 5):
        assert command("svc", "-k", crowd.services / name(number)).returncode == 0
    until(lambda: all(lines(crowd, number) == [str(number)] * 2 for number in range(MANY + 5)), "a line of each", 20)


def test_what_is_removed_is_forgotten(crowd):
    for number in range(0, MANY, 2):
        directory = crowd.services / name(number)
        elsewhere = crowd.top / f"gone{number}"
        directory.rename(elsewhere)
        assert command("svc", "-dx", elsewhere).returncode == 0
    until(lambda: watched(crowd) == MANY // 2 + 6, "descriptors to be given up", 10)
    for number in range(0, MANY, 2):
        shutil.rmtree(crowd.top / f"gone{number}")
        crowd.add(f"new{number}", "echo new; exec sleep 1000")
    until(lambda: all(crowd.pid_of(f"new{number}") for number in range(0, MANY, 2)), "new ones", 20)
    assert watched(crowd) == MANY + 6
    assert open_in(crowd.pid) < FEW
    assert crowd.stop(seconds=10) == 0


def test_pipes_of_loggers_of_their_own_are_in_flight_too(make_machine):
    machine = make_machine()
    for number in range(MANY + 1):
        machine.add(name(number), f"echo {number}; exec sleep 1000", log__run="exec cat >>lines")
    machine.boot()
    until(lambda: "ready" in machine.stderr(), "all to be up", 60)
    assert open_in(machine.pid) < 2 * FEW
    path = machine.services / name(9) / "log/lines"
    until(lambda: path.read_text() == "9\n", "the first line")
    logger = machine.pid_of(f"{name(9)}/log")
    machine.inside("kill", "-9", logger)
    machine.until_up(f"{name(9)}/log", other_than=logger)
    machine.svc("k", name(9))
    until(lambda: path.read_text() == "9\n9\n", "a line of the second run, by the second logger")
    assert machine.stop(seconds=20) == 0
    assert all((machine.services / name(number) / "log/lines").read_text() for number in range(MANY + 1))


def test_a_crowd_is_told_of_when_all_of_it_is_started(make_machine):
    """The first service of a hundred sees at its start that it is supervised, and a status that can be read."""
    machine = make_machine(program="svscan")
    script = "svok . && svstat . >>seen || echo no >>seen; exec sleep 1000"
    for number in range(100):
        machine.add(name(number), script)
    machine.boot()
    seen = [machine.services / name(number) / "seen" for number in range(100)]
    until(lambda: all(path.exists() and path.read_text() for path in seen), "all to have looked", 30)
    assert all("seconds" in path.read_text() for path in seen), {path.read_text() for path in seen}
    until(lambda: all(machine.pid_of(name(number)) for number in range(100)), "all to be told of", 20)


def test_nobody_is_told_that_all_is_ready_before_every_status_tells_so(make_machine):
    """The command, which is started then, finds a pid in each."""
    machine = make_machine(PYINIT_LOG="volume")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    for number in range(400):
        machine.add(f"{number:03}")
    seen = machine.top / "seen"
    machine.boot("--", "sh", "-c", f"cat {machine.services}/*/supervise/status >{seen}.new; mv {seen}.new {seen}")
    assert machine.wait(60) == 0
    statuses = seen.read_bytes()
    assert len(statuses) == 400 * 18
    assert all(int.from_bytes(statuses[at + 12 : at + 16], "little") for at in range(0, len(statuses), 18))


def test_many_that_die_at_once_are_all_restarted(crowd):
    pids = [crowd.pid_of(name(number)) for number in range(MANY + 5)]
    crowd.inside("sh", "-c", f"sleep 1; kill -{int(SIGKILL)} {' '.join(map(str, pids))}")
    for number, pid in enumerate(pids):
        crowd.until_up(name(number), other_than=pid)


def test_what_leaves_before_the_crowd_is_told_of_is_told_of(make_machine):
    """The run of one tells its supervise to exit and ends, while the others are still being started."""
    machine = make_machine(program="svscan")
    machine.add("a", "svc -x .; exit 0")
    for number in range(40):
        machine.add(name(number))
    machine.boot()
    until(lambda: all(machine.pid_of(name(number)) for number in range(40)), "all to be up", 20)
    until(lambda: (machine.services / "a/supervise/status").read_bytes()[12:16] == bytes(4), "down", 10)
    assert "internal error" not in machine.stderr()
    assert machine.stop() == 0
