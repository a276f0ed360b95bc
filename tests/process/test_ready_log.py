"""Services that are ready when their log says so, on the real PID 1 with its collector."""

from pathlib import Path

import pytest
from machine import Machine, MakeMachine, logged
from waiting import until

STAYS = "exec sleep 100000"


def add(machine: Machine, script: str, text: str, **files: str) -> Path:
    """A service `web`, and `next`, which is started once that is ready."""
    machine.add("next", f"echo x >>../../next; {STAYS}", needs="web\n")
    return machine.add("web", script, ready=f"log {text}\n", **files)


def is_next(machine: Machine) -> bool:
    return (machine.top / "next").exists()


def collectors(machine: Machine) -> list[str]:
    lines = machine.inside("ps", "-eo", "pid=,comm=").splitlines()
    return [line.split()[0] for line in lines if line.split()[1] == "multilog"]


def test_a_line_with_the_text_is_readiness(machine: Machine) -> None:
    web = add(
        machine, f"echo begun; touch began; until [ -e go ]; do sleep 0.02; done; echo now up: 3 >&2; {STAYS}", "up: 3"
    )
    machine.boot()
    until((web / "began").exists, machine.stderr)
    until(lambda: "web: begun" in machine.stdout(), machine.stdout)
    assert not is_next(machine)
    (web / "go").touch()
    until(lambda: is_next(machine), machine.stderr)
    assert "web: now up: 3" in machine.stdout()
    assert machine.stop() == 0


def test_a_text_that_does_not_come_in_time(machine: Machine) -> None:
    add(machine, f"echo started; {STAYS}", "ready", **{"timeout-up": "300\n", "restart": "never\n"})
    machine.boot()
    until(lambda: machine.svstat("web").startswith("down"), machine.stderr)
    assert not is_next(machine)


def test_a_line_of_an_earlier_start_does_not_count(machine: Machine) -> None:
    """Its stray says the word while the second start is waited for."""
    first = "(sleep 1; echo ready; sleep 100000) & touch once; exit 1"
    web = add(machine, f"if [ ! -e once ]; then {first}; fi; touch twice; {STAYS}", "ready")
    machine.boot()
    until((web / "twice").exists, machine.stderr)
    until(lambda: "web: ready" in machine.stdout(), machine.stdout)
    assert not is_next(machine)
    pid = machine.until_up("web")
    machine.svc("t", "web")  # the third start is like the second
    machine.until_up("web", other_than=pid)
    assert not is_next(machine)
    assert machine.stop() == 0


def test_every_line_of_every_start_is_in_the_log(make_machine: MakeMachine, tmp_path: Path) -> None:
    machine = make_machine(PYINIT_LOG="volume", PYINIT_LOG_DIR=str(tmp_path / "logs"))
    counts = "n=$(cat n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >n; i=0"
    says = "while [ $i -lt 500 ]; do echo $n.$i; i=$((i + 1)); done; echo ready"
    stays = f"[ $n -lt 4 ] || {STAYS}; (sleep 1.5; echo $n stray) & exit 1"
    add(machine, f"{counts}; {says}; {stays}", "ready")
    machine.boot()

    def lines() -> list[str]:
        return logged(tmp_path / "logs/web")

    until(lambda: "4.499" in lines() and "3 stray" in lines(), machine.stderr, 20)
    numbers = [line for line in lines() if "." in line]
    assert numbers == [f"{start}.{number}" for start in range(1, 5) for number in range(500)]
    assert lines().count("ready") == 4
    assert "warning" not in machine.stderr(), "the directory goes from one pipe to the next without a word"
    until(lambda: is_next(machine), machine.stderr)


def test_a_collector_that_is_killed_forgets_nothing(machine: Machine) -> None:
    web = add(machine, f"echo begun; until [ -e go ]; do sleep 0.02; done; echo up; {STAYS}", "up")
    machine.boot()
    until(lambda: "web: begun" in machine.stdout(), machine.stdout)
    (pid,) = collectors(machine)
    machine.inside("kill", "-9", pid)
    until(lambda: collectors(machine) not in ([], [pid]), machine.stderr)
    (web / "go").touch()
    until(lambda: is_next(machine), machine.stderr)


@pytest.mark.parametrize("letter", ["d", "x"])
def test_no_pipe_is_left_behind(machine: Machine, letter: str) -> None:
    add(machine, f"echo up; {STAYS}", "up")
    machine.boot()
    until(lambda: is_next(machine), machine.stderr)
    before = len(machine.inside("ls", "/proc/1/fd").split())
    for _ in range(3):
        pid = machine.pid_of("web")
        machine.svc("t", "web")
        machine.until_up("web", other_than=pid)
    until(lambda: len(machine.inside("ls", "/proc/1/fd").split()) <= before, machine.stderr)
    machine.svc(letter, "web")
    assert machine.stop(seconds=5) == 0
