"""What follows an end of `run`, on a real kernel: `finish`, and nothing left before the next start."""

import re
import time
from pathlib import Path

import pytest
from machine import Machine, MakeMachine, logged
from waiting import until

FINISH = '#!/bin/sh\necho "$@" >>finished\n'


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_finish_gets_the_arguments_of_s6(machine: Machine) -> None:
    run = "test -e again && exec sleep 1000; echo $$ >>pids; test -s pids.1 && { touch again; kill -9 $$; }"
    web = machine.add("web", f"{run}; cp pids pids.1; exit 3", finish=FINISH)
    machine.boot()
    finished = until(lambda: len(found := lines(web / "finished")) >= 2 and found, "two ends")
    first, second = lines(web / "pids")
    assert finished[:2] == [f"3 0 web {first}", f"256 9 web {second}"]
    machine.until_up("web")


def test_finish_runs_in_the_directory_with_the_environment_and_the_log(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="both", PYINIT_LOG_DIR="/nonexistent")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    finish = "#!/bin/sh\necho cleaned $COLOUR $SERVICE_NAME in ${PWD##*/}\n"
    machine.add("web", "exit 0", finish=finish, env__COLOUR="green\n", restart="never")
    machine.boot()
    until(lambda: "cleaned green web in web" in logged(machine.top / "logs/web"), "the line of finish")


def test_an_exit_of_125_is_for_good(machine: Machine) -> None:
    web = machine.add("web", "exit 78", finish=f"{FINISH}test $1 = 78 && exit 125\n")
    machine.boot()
    for times in (1, 2):
        until(lambda: len(lines(web / "finished")) == times, f"{times} ends")
        until(lambda: re.fullmatch(r"down \d+ seconds, normally up", machine.svstat("web")), "the service is given up")
        machine.svc("u", "web")


def test_a_hanging_finish_is_killed_with_its_children(machine: Machine) -> None:
    finish = "#!/bin/sh\nsetsid sleep 777 &\nsleep 778\n"
    machine.add("web", "sleep 0.1; exit 1", finish=finish, **{"timeout-finish": "300", "backoff": "1h"})
    machine.boot()
    until(lambda: "killed web/finish" in machine.stderr(), "the kill")
    assert re.search(
        r"supervise: warning: killed web/finish \(pid \d+\): it did not end within 0\.[34] s", machine.stderr()
    )
    until(lambda: not re.search("sleep 77", machine.inside("ps", "-e", "-o", "args=")), "its children to be gone")


def test_a_service_is_down_while_it_finishes_and_leaves_after_that(machine: Machine) -> None:
    web = machine.add("web", finish="#!/bin/sh\nuntil test -e go; do sleep 0.05; done; touch done\n")
    machine.boot().until_up("web")
    machine.svc("dx", "web")
    until(lambda: re.fullmatch(r"down \d+ seconds, normally up", machine.svstat("web")), "its process to be gone")
    (web / "go").touch()
    until((web / "done").exists, "finish to end")
    machine.until_up("web")  # it is listed, so it is taken up again


def test_at_a_stop_a_finish_is_waited_for(machine: Machine) -> None:
    web = machine.add("web", finish="#!/bin/sh\nsleep 0.5; touch done\n")
    machine.boot().until_up("web")
    assert machine.stop() == 0
    assert (web / "done").exists()
    assert "killed" not in machine.stderr()


def test_at_a_stop_a_finish_gets_no_more_than_is_left(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_STOP_TIMEOUT="1")
    machine.add("web", finish="#!/bin/sh\nsleep 777\n", **{"timeout-finish": "0"})
    machine.boot().until_up("web")
    before = time.monotonic()
    machine.stop()
    assert 0.9 < time.monotonic() - before < 4
    assert "killed" in machine.stderr()


@pytest.mark.parametrize("program", ["svscan"])
def test_svscan_knows_no_finish(make_machine: MakeMachine, program: str) -> None:
    machine = make_machine(program)
    web = machine.add("web", "exit 0", finish=FINISH)
    machine.boot()
    until(lambda: "want up" in machine.svstat("web"), "an end")
    machine.stop()
    assert not (web / "finished").exists()
