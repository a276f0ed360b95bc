"""What follows an end of `run`, on a real kernel: `finish`, and nothing left before the next start."""

import os
import re
import time
from collections.abc import Callable
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


# --- kill-mode

WRAPPER = """
echo $$ >>pids
trap 'exit 0' TERM  # the child outlives this wrapper, as it gets no signal
sleep 7771 &
setsid sh -c 'sleep 7772 & sleep 7773 &'
test -e plain || env -i "$(command -v setsid)" sleep 7774 &
while :; do sleep 0.05; done
"""
"""A wrapper with a child, a double fork with a session of its own, and one without an environment."""

NOT_BEFORE_THE_START = 'ps -e -o pid=,args= | grep -c "[s]leep 777" >>left'


def left(machine: Machine) -> list[str]:
    """The processes of the wrapper that there are."""
    return re.findall(r"sleep 777\d", machine.inside("ps", "-e", "-o", "args="))


def counts(web: Path) -> list[str]:
    """How many of them there were at each start."""
    return lines(web / "left")


Boot = Callable[..., Path]
"""boot_wrapper(**files): the service, once all of its processes are there."""


@pytest.fixture
def boot_wrapper(machine: Machine) -> Boot:
    def boot(**says: str) -> Path:
        web = machine.add("web", f"{NOT_BEFORE_THE_START}\n{WRAPPER}", **says)
        machine.boot()
        until(lambda: len(left(machine)) == (3 if "plain" in says else 4), "its processes")
        return web

    return boot


@pytest.mark.parametrize("mode", ["mixed", "group"])
def test_after_svc_none_of_its_processes_is_left(machine: Machine, boot_wrapper: Boot, mode: str) -> None:
    web = boot_wrapper(**{"kill-mode": mode})
    machine.svc("t", "web")
    until(lambda: len(counts(web)) == 2, "the next start")
    until(lambda: len(left(machine)) == 4, "its processes")
    machine.svc("d", "web")
    until(lambda: not left(machine), "none of them to be left")
    assert counts(web) == ["0", "0"]


def test_after_a_crash_none_of_its_processes_is_left(machine: Machine, boot_wrapper: Boot) -> None:
    web = boot_wrapper(**{"kill-mode": "mixed", "plain": ""})
    machine.inside("kill", "-9", lines(web / "pids")[0])
    until(lambda: len(counts(web)) == 2, "the next start")
    assert counts(web) == ["0", "0"]


def test_after_a_health_restart_none_of_its_processes_is_left(machine: Machine) -> None:
    health = "check every 200ms timeout 5s failures 1 then restart"
    check = "#!/bin/sh\ntest ! -e sick && echo well >>checked\n"
    files = {"kill-mode": "mixed", "check": check, "health": health}
    web = machine.add("web", f"{NOT_BEFORE_THE_START}\nrm -f sick\n{WRAPPER}", **files)
    (web / "health").chmod(0o644)
    machine.boot()
    until(lambda: len(left(machine)) == 4 and len(lines(web / "checked")) >= 2, "it to be ready, and well")
    (web / "sick").touch()
    until(lambda: len(counts(web)) == 2, "the next start")
    assert counts(web) == ["0", "0"]


CONTAINER = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot"
"""Capabilities of a container's root: without SYS_PTRACE it may not read the environments of other users."""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_as_a_container_s_root_it_ends_what_a_crashed_service_of_another_user_left(machine: Machine) -> None:
    machine.prefix = ("setpriv", "--bounding-set", CONTAINER)
    script = "setsid sleep 7771 & setsid sh -c 'sleep 7772 &' & sleep 0.3; kill -9 $$"
    web = machine.add(
        "web",
        f'{NOT_BEFORE_THE_START}\nexec setuidgid nobody sh -c "{script}"'.replace("$$", "\\$\\$"),
        **{"kill-mode": "mixed"},
    )
    machine.boot()
    until(lambda: len(counts(web)) >= 3, "two crashes")
    assert set(counts(web)) == {"0"}


def test_without_the_file_what_it_leaves_is_left(machine: Machine, boot_wrapper: Boot) -> None:
    web = boot_wrapper()
    machine.svc("t", "web")
    until(lambda: len(counts(web)) == 2, "the next start")
    assert counts(web) == ["0", "4"]


def test_what_does_not_end_is_killed_before_the_start_and_named(machine: Machine) -> None:
    stubborn = "trap '' TERM; sleep 7771; while :; do sleep 7772; done"
    script = (
        f'{NOT_BEFORE_THE_START}\ntest -e once && exec sleep 1000; touch once\n(exec sh -c "{stubborn}") &\nsleep 0.3'
    )
    web = machine.add("web", script, **{"kill-mode": "mixed", "timeout-kill": "400"})
    machine.boot()
    until(lambda: len(counts(web)) == 2, "the next start")
    assert counts(web) == ["0", "0"]
    text = r"supervise: warning: killed process s\w+ \(pid \d+\) that web left: it did not end within 0\.[4-9] seconds"
    assert re.search(text, machine.stderr())
    assert machine.until_up("web")


def test_others_are_not_touched(machine: Machine, boot_wrapper: Boot) -> None:
    other = machine.add("other", WRAPPER.replace("777", "888"), **{"kill-mode": "mixed"})
    web = boot_wrapper(**{"kill-mode": "mixed"})
    until(lambda: lines(other / "pids"), "the other one")

    def found() -> list[str]:
        return re.findall(r"(\d+) sleep 888\d", machine.inside("ps", "-e", "-o", "pid=,args="))

    before = until(lambda: len(pids := found()) == 4 and pids, "its processes")
    collector = [line for line in machine.inside("ps", "-e", "-o", "pid=,comm=").splitlines() if "multilog" in line]
    for letter in "tt":
        starts = len(counts(web))
        machine.svc(letter, "web")
        until(lambda: len(counts(web)) > starts, "the next start", 15)
    assert found() == before
    assert collector == [
        line for line in machine.inside("ps", "-e", "-o", "pid=,comm=").splitlines() if "multilog" in line
    ]


def test_finish_sees_none_of_them_and_leaves_none(machine: Machine) -> None:
    finish = f"#!/bin/sh\n{NOT_BEFORE_THE_START}\nsetsid sleep 7779 &\n"
    script = f"{NOT_BEFORE_THE_START}\nsetsid sleep 7771 &\nsleep 0.2; exit 1"
    web = machine.add("web", script, finish=finish, **{"kill-mode": "mixed"})
    machine.boot()
    until(lambda: len(counts(web)) >= 4, "two runs and two ends")
    assert set(counts(web)) == {"0"}


def test_at_a_stop_leftovers_get_what_is_left(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_STOP_TIMEOUT="1")
    finish = "#!/bin/sh\ntouch finished\n"
    web = machine.add("web", "(trap '' TERM; sleep 777) &\nexec sleep 1000", finish=finish, **{"kill-mode": "mixed"})
    machine.boot().until_up("web")
    before = time.monotonic()
    machine.stop()
    assert 0.9 < time.monotonic() - before < 4
    assert not (web / "finished").exists()
    assert "no time is left for web/finish" in machine.stderr()
