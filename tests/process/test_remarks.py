"""What process 1 says, once, about what cannot be as it was asked for."""

import shutil
import signal

import pytest
from machine import ROOT, Machine, command
from waiting import until


def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(machine: Machine) -> None:
    machine.env.update(PYINIT_LOGS="volume", PYINIT_XYZZY="1")
    machine.boot("--", "true")
    assert machine.wait() == 0
    said = machine.stderr()
    assert said.count("pyinit: warning: unable to use variable PYINIT_LOGS: is PYINIT_LOG meant?\n") == 1
    assert "pyinit: warning: unable to use variable PYINIT_XYZZY: there is none of that name\n" in said


def test_a_signal_for_no_service_is_told(machine: Machine) -> None:
    machine.add("web")
    machine.env.update(PYINIT_SIGNALS="USR1=web:HUP USR2=wbe:HUP")
    machine.boot().until_up("web")
    said = [line for line in machine.stderr().splitlines() if "PYINIT_SIGNALS" in line]
    assert said == ["pyinit: warning: PYINIT_SIGNALS names wbe, and no service has that name yet"]


def test_a_directory_that_vanishes_is_told_once_and_its_service_left_alone(machine: Machine) -> None:
    machine.add("web")
    machine.add("other")
    pid = machine.boot().until_up("web")
    shutil.rmtree(machine.services / "web")
    text = f"the directory of web is gone while it runs: nobody can control it, kill pid {pid}\n"
    until(lambda: text in machine.stderr(), "the directory to be missed")
    machine.add("more")
    machine.until_up("more")
    assert machine.stderr().count("is gone") == 1
    assert machine.inside("ps", "-o", "pid=", "-p", pid).strip() == str(pid)


def test_root_that_may_not_write_everywhere_is_told_the_true_reason(machine: Machine) -> None:
    """With no directory for state at all: the reason is that of supervise/, not that the lock in it is missing."""
    machine.add("web")
    machine.services.joinpath("web").chmod(0o755)
    shutil.chown(machine.services / "web", 65534)
    machine.env["PYINIT_STATE"] = "/proc/none"
    bind = 'mkdir -p /mnt/w /mnt/r; mount --rbind "$TOP" /mnt/w; mount --rbind "$ROOT" /mnt/r'
    keep = 'mkdir -p /mnt/r "$ROOT" && mount --rbind /mnt/r "$ROOT" && mount -o remount,ro /tmp'
    hide = f"for d in /run /dev/shm; do mount -t tmpfs -o ro none $d || exit 9; done; mount -t tmpfs none /tmp; {keep}"
    machine.prefix = (
        *("unshare", "-m", "sh", "-c", f'{bind}; {hide}; exec "$@"', "sh"),
        *("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"),
    )
    machine.env.update(TOP=str(machine.top), ROOT=str(ROOT))
    machine.env["PYINIT_SERVICE_DIR"] = "/mnt/w/service"
    machine.boot()
    text = "supervise: fatal: unable to acquire web/supervise/lock: access denied\n"
    until(lambda: text in machine.stderr(), lambda: f"the reason: {machine.stderr()}")
    assert "no directory for state can be written: set PYINIT_STATE, or mount a tmpfs at /run" in machine.stderr()


def test_a_logger_in_trouble_says_whose_it_is(machine: Machine) -> None:
    machine.add("web", log__run="exec multilog ./missing/main", log__missing="a file, where a directory should be")
    machine.boot()
    until(lambda: "multilog: fatal: web/log: unable to " in machine.stderr(), machine.stderr)


def test_more_is_said_each_time_v_is_repeated(machine: Machine) -> None:
    machine.add("web", log__run="exec cat")
    said = []
    for count in range(4):
        machine.err = machine.top / f"stderr-{count}"
        machine.boot(*(["-" + "v" * count] if count else []))
        pid = machine.until_up("web")
        until(lambda: "pyinit: ready" in machine.stderr(), "readiness")
        machine.signal(signal.SIGHUP)
        machine.svc("t", "web")
        machine.until_up("web", other_than=pid)
        assert machine.stop() == 0
        said.append(machine.stderr())
    assert ["info: going down" in text for text in said] == [False, True, True, True]
    assert ["info: web: up (pid " in text for text in said] == [False, False, True, True]
    assert said[2].count("info: web: up (pid ") >= 2, "the restart as well"
    assert "info: web/log: up (pid " in said[2]
    assert ["info: signal 1: rescan" in text for text in said] == [False, False, False, True]


@pytest.mark.parametrize("logger", ["exec cat", "exec sh -c 'while read line; do echo $line; done'"])
def test_to_rotate_spares_a_logger_that_is_no_multilog(machine: Machine, logger: str) -> None:
    machine.add("plain", log__run=logger)
    machine.add("kept", "echo a line; exec sleep 1000", log__run="exec multilog t ./main")
    machine.env.update(PYINIT_SIGNALS="USR1=rotate")
    machine.boot()
    pid = machine.until_up("plain/log")
    current = machine.services / "kept/log/main/current"
    until(lambda: current.exists() and current.stat().st_size > 0, "a line in the log")
    machine.signal(signal.SIGUSR1)
    until(lambda: current.stat().st_size == 0, "multilog to begin a new file")
    assert command("svstat", machine.services / "plain/log").stdout.partition(b"(pid ")[2].startswith(b"%d)" % pid)
