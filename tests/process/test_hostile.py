"""What is survived and reported: no forks, no descriptors, no room, floods, replaced directories, odd clocks."""

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemontools import Commands, interpreter
from machine import PROGRAMS, Machine, MakeMachine, command
from waiting import until

LONG = 60.0
"""Seconds for what takes one or two on an idle machine."""

DEADLINE = 7.0
"""Seconds, less than PYINIT_STOP_TIMEOUT: a stop that waited for it took longer."""

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), Path("/nonexistent"))


def processes(machine: Machine) -> list[str]:
    return [line for line in machine.inside("ps", "-e", "-o", "args=").splitlines() if not line.startswith("ps ")]


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """Our commands where every user gets at them: the checkout may lie in a directory that is closed."""
    commands = Commands()
    yield commands.ours
    commands.remove()


def test_no_forks(machine: Machine, open_to_all: Path) -> None:
    """Process 1 of a user who has as many processes as he may: told once, tried each second, and up when it can."""
    user = 100_000 + os.getpid()  # of whom nothing else runs here, this test at the same time neither
    machine.top.chmod(0o755)
    machine.program, machine.interpreter = str(open_to_all / "pyinit"), interpreter()
    for name in ("a", "b"):
        os.chown(machine.add(name), user, user)
    machine.prefix = ("prlimit", "--nproc=3", "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
    machine.boot().until_up("a")
    pid = machine.until_up("b")
    until(
        lambda: "multilog: warning: unable to start the log collector, trying again every second: " in machine.stderr(),
        "the logger's",
    )
    machine.svc("d", "a")
    until(lambda: "multilog" in machine.inside("ps", "-e", "-o", "comm="), "the log collector")
    assert machine.stderr().count("multilog: warning: unable to start the log collector") == 1
    machine.svc("u", "a")
    text = "supervise: warning: unable to fork for a, trying again in a second: "
    until(lambda: text in machine.stderr(), "the trouble to be told")
    time.sleep(1.2)  # in which it is tried once more
    assert machine.stderr().count(text) == 1
    assert "want up" in machine.svstat("a")
    assert machine.pid_of("b") == pid
    machine.svc("d", "b")
    machine.until_up("a")
    assert machine.stop() == 0


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], Path]]]:
    """A file system of 200 kB, and a function that fills it to the last byte."""
    place = tmp_path / "full"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k,mode=755", "none", place], check=True)

    def fill() -> Path:
        ballast = place / "ballast"
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}"], capture_output=True, check=False)
        assert shutil.disk_usage(place).free == 0
        return ballast

    yield place, fill
    subprocess.run(["umount", "-l", place], check=True)


def test_no_room(machine: Machine, full: tuple[Path, Callable[[], Path]]) -> None:
    """Full when it boots: state lives elsewhere. Full later: that is told, services go on, and so does the status."""
    place, fill = full
    machine.services = place / "service"
    machine.env["PYINIT_SERVICE_DIR"] = str(machine.services)
    machine.services.mkdir()
    machine.top, top = place, machine.top
    machine.add("a")
    machine.top = top
    machine.boot().until_up("a")
    ballast = fill()
    pid = machine.pid_of("a")
    machine.inside("kill", "-9", pid)
    text = "supervise: warning: unable to write a/supervise/status.new: out of disk space"
    until(lambda: text in machine.stderr(), "the trouble to be told")
    until(lambda: processes(machine).count("sleep 1000") == 1, "the service to be back")
    ballast.unlink()
    machine.svc("t", "a")
    assert machine.until_up("a", other_than=pid)
    assert machine.stop() == 0


@pytest.mark.parametrize("event", ["kill", "down"])
def test_a_status_is_right_again_when_there_is_room_again(
    make_machine: MakeMachine, full: tuple[Path, Callable[[], Path]], event: str
) -> None:
    """The place of state was full while the service changed. No event follows, and svstat tells the truth."""
    place, fill = full
    machine = make_machine(PYINIT_STATE=str(place / "state"))
    machine.add("a")
    (machine.services / "a/supervise").symlink_to(place / "a")
    pid = machine.boot().until_up("a")
    ballast = fill()
    if event == "kill":
        machine.inside("kill", "-9", pid)
        until(lambda: "unable to write a/supervise/status.new" in machine.stderr(), "the trouble to be told")
        new = until(
            lambda: [each for each in machine.inside("pgrep", "sleep", check=False).split() if int(each) != pid],
            "a new one",
        )
        expected = f"up (pid {new[0]})"
    else:
        command("svc", "-d", machine.services / "a")
        until(lambda: processes(machine).count("sleep 1000") == 0, "its end")
        expected = "down "
    assert machine.svstat("a").startswith(f"up (pid {pid})"), "the place is full"
    ballast.unlink()
    until(lambda: machine.svstat("a").startswith(expected), "the status to be right")
    assert machine.stderr().count("unable to write a/supervise/status.new") == 1
    assert machine.stop() == 0


def test_no_descriptors(machine: Machine) -> None:
    """More services than descriptors: that is told, those that are up go on, and the rest comes up when it can."""
    given = resource.getrlimit(resource.RLIMIT_NOFILE)
    machine.add("a")
    machine.boot().until_up("a")
    used = len(os.listdir(f"/proc/{machine.pid}/fd"))
    resource.prlimit(machine.pid, resource.RLIMIT_NOFILE, (used + 24, given[1]))
    for number in range(6):
        machine.add(f"s{number}")
    until(lambda: ": process cannot open more files" in machine.stderr(), "the trouble")
    assert "svscan: warning: unable to create pipe for s" in machine.stderr()
    pid = machine.pid_of("a")
    machine.inside("kill", "-9", pid)
    machine.until_up("a", other_than=pid)
    up = [number for number in range(6) if (machine.services / f"s{number}/supervise").exists()]
    assert 0 < len(up) < 6
    assert machine.stderr().count("\n") < 20, machine.stderr()
    assert "internal error" not in machine.stderr()
    resource.prlimit(machine.pid, resource.RLIMIT_NOFILE, given)
    machine.signal(signal.SIGHUP)
    for number in range(6):
        machine.until_up(f"s{number}")
    assert machine.stop() == 0


def test_a_flooded_control_fifo(machine: Machine) -> None:
    """Whoever may write to one service's FIFO takes nothing from the others."""
    machine.add("flooded")
    machine.add("a")
    machine.boot().until_up("a")
    machine.until_up("flooded")
    assert oct((machine.services / "flooded/supervise").stat().st_mode)[-3:] == "700", "nobody else may"
    fifo = machine.services / "flooded/supervise/control"
    flood = subprocess.Popen(["sh", "-c", f"exec dd if=/dev/urandom bs=65536 >{fifo} 2>/dev/null"])
    letters = subprocess.Popen(["sh", "-c", f"yes ptcxuhdok >{fifo}"])
    try:
        for _ in range(5):
            pid = machine.pid_of("a")
            before = time.monotonic()
            machine.svc("k", "a")
            machine.until_up("a", other_than=pid)
            assert time.monotonic() - before < 2.5
    finally:
        for process in (flood, letters):
            process.kill()
            process.wait()
    until(lambda: machine.svstat("flooded"), "it to be there still")
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < 5
    assert "internal error" not in machine.stderr()


@pytest.mark.parametrize("what", ["file", "loop", "dangling", "nothing"])
def test_a_directory_replaced_while_it_runs(machine: Machine, what: str) -> None:
    directory = machine.add("a")
    machine.add("b")
    pid = machine.boot().until_up("a")
    other = machine.until_up("b")
    directory.rename(machine.top / "moved")
    if what == "file":
        directory.write_text("no directory")
    elif what == "loop":
        directory.symlink_to("a")
    elif what == "dangling":
        directory.symlink_to("/nonexistent")
    machine.signal(signal.SIGHUP)
    machine.add("later")
    machine.until_up("later")
    if what in ("loop", "dangling"):
        until(lambda: "svscan: warning: unable to stat a: " in machine.stderr(), "the trouble to be told")
    assert command("svstat", machine.top / "moved").stdout.decode().partition(": ")[2].startswith(f"up (pid {pid})")
    assert machine.pid_of("b") == other
    if what != "nothing":
        directory.unlink()
    (machine.top / "moved").rename(directory)
    machine.signal(signal.SIGHUP)
    until(lambda: machine.pid_of("a") == pid, "the same service under its name again")
    machine.inside("kill", "-9", pid)
    assert machine.until_up("a", other_than=pid)
    assert "internal error" not in machine.stderr()


def test_the_service_directory_replaced_while_services_run(machine: Machine) -> None:
    machine.add("a")
    pid = machine.boot().until_up("a")
    machine.services.rename(machine.top / "old")
    machine.signal(signal.SIGHUP)
    until(lambda: "unable to read directory" in machine.stderr(), "its loss to be told")
    machine.services.mkdir()
    machine.add("b")
    machine.signal(signal.SIGHUP)
    machine.until_up("b")
    assert command("svstat", machine.top / "old/a").stdout.decode().partition(": ")[2].startswith(f"up (pid {pid})")
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < DEADLINE, "the service that is no longer listed was asked too"
    assert "warning: killed" not in machine.stderr()


def test_clocks(make_machine: MakeMachine) -> None:
    """An hour back, a year forward: no pause is longer or shorter, and svstat counts no negative seconds."""
    assert FAKETIME.exists()
    machine = make_machine()
    clock = machine.top / "clock"
    clock.write_text("+0")
    machine.env.update(
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    machine.add("a", "date +%s >date; exec sleep 1000")
    machine.add("dying", "echo x >>starts; exit 1")
    machine.boot().until_up("a")
    starts, date = machine.services / "dying/starts", machine.services / "a/date"
    until(lambda: starts.exists() and date.exists() and date.read_text(), "both to have run", LONG)
    for offset, seconds in (("-1h", -3600), ("+1y", 365 * 86400)):
        clock.write_text(offset)
        date.unlink()
        before = time.monotonic()
        count = len(starts.read_text().split())
        pid = machine.pid_of("a")
        machine.svc("t", "a")
        machine.until_up("a", other_than=pid)
        faked = int(until(lambda: date.exists() and date.read_text(), "the service's clock", LONG))
        assert abs(faked - time.time() - seconds) < 86400, "the clock is what is claimed"
        until(lambda: len(starts.read_text().split()) >= count + 3, "three more starts", LONG)
        assert time.monotonic() - before > 0.9, "two pauses of a second, one of which had begun"
        assert int(machine.svstat("a").split()[3]) >= 0
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < DEADLINE


def test_stopping_and_continuing_anything(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_STOP_TIMEOUT="4")
    machine.add("a", f"exec {PROGRAMS}/counter")
    machine.boot().until_up("a")
    logger = until(
        lambda: [line for line in machine.inside("ps", "-e", "-o", "pid=,comm=").splitlines() if "multilog" in line],
        "it",
    )
    logger_pid = logger[0].split()[0]
    until(lambda: "a: n 100" in machine.stdout(), "lines")
    machine.inside("kill", "-STOP", logger_pid)
    machine.add("b")
    machine.until_up("b")
    machine.inside("kill", "-CONT", logger_pid)
    seen = len(machine.stdout())
    until(lambda: len(machine.stdout()) > seen, "lines to go on")

    machine.signal(signal.SIGSTOP)
    written = len(machine.stdout())
    until(lambda: len(machine.stdout()) > written, "services and logs to go on without process 1")
    pid = int(machine.inside("pgrep", "-f", "counter").split()[0])
    machine.inside("kill", "-KILL", pid)
    machine.signal(signal.SIGCONT)
    machine.until_up("a", other_than=pid)

    machine.inside("kill", "-STOP", logger_pid, machine.pid_of("a"))
    assert machine.stop() == 0
    lines = [line for line in machine.stdout().splitlines() if line.startswith("a: n ")]
    numbers = [int(line.split()[2]) for line in lines]
    noted = int((machine.services / "a/n").read_text())
    missing = set(range(1, noted + 1)) - set(numbers)
    assert len(missing) <= 2, "nothing is lost but what was noted and not yet written when the service was killed"
    assert "warning: killed" not in machine.stderr(), "what was stopped was continued, the log collector too"


@pytest.mark.timeout(6 * LONG)
def test_ten_thousand_orphans(machine: Machine) -> None:
    machine.add("a", "trap 'echo here' HUP; : >up; while :; do sleep 0.02; done")
    flood = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(100):\n"
        "    if os.fork() == 0:\n"
        "        for _ in range(100):\n"
        "            if os.fork() == 0:\n"
        "                os._exit(0) if os.fork() else (open('/dev/null'), time.sleep(0.5), os._exit(0))\n"
        "        os._exit(0)\n"
        "open('made', 'w').close()\n"
        "time.sleep(1000)\n"
    )
    directory = machine.add("flood", "exec python3 -IS flood.py", **{"flood.py": flood}, down="")
    machine.boot().until_up("a")
    until((machine.services / "a/up").exists, "the trap")
    machine.svc("o", "flood")
    until((directory / "made").exists, "the orphans", LONG)
    machine.svc("h", "a")
    until(lambda: "a: here" in machine.stdout(), "commands to be obeyed meanwhile", LONG)
    until(lambda: len(processes(machine)) < 20, "them all to be reaped", 2 * LONG)
    until(lambda: "defunct" not in machine.inside("ps", "-e", "-o", "args="), "no zombie to stay", LONG)
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < DEADLINE


def test_a_blocked_standard_output_and_error(make_machine: MakeMachine) -> None:
    """Nobody reads what the container says: services that say much wait; control, restarts and the stop do not."""
    machine = make_machine(PYINIT_STOP_TIMEOUT="1")
    machine.add("loud", "trap '' TERM; while :; do echo a line that nobody reads; done")
    machine.add("a")
    machine.add("bad")
    reader, writer = os.pipe()
    (machine.services / "bad/run").chmod(0o644)
    machine.top.joinpath("unused").touch()
    out, err = machine.out, machine.err
    machine.out = machine.err = Path(f"/proc/{os.getpid()}/fd/{writer}")
    machine.boot().until_up("a")
    machine.out, machine.err = out, err

    def is_full() -> bool:
        import array
        import fcntl
        import termios

        waiting = array.array("i", [0])
        fcntl.ioctl(reader, termios.FIONREAD, waiting)
        return waiting[0] > 60000

    until(is_full, "the pipe to be full")
    for _ in range(3):
        pid = machine.pid_of("a")
        machine.svc("k", "a")
        machine.until_up("a", other_than=pid)
    (machine.services / "bad/run").chmod(0o755)
    machine.until_up("bad")
    before = time.monotonic()
    assert machine.stop() == 112
    assert time.monotonic() - before < 5
    os.close(writer)
    os.close(reader)


def test_services_that_belong_to_others_are_kept_apart(machine: Machine) -> None:
    """Another user's directory, in which anything may happen to `supervise`."""
    victim = machine.add("victim")
    os.chown(victim, 65534, 65534)
    target = machine.top / "target"
    target.write_text("precious")
    (victim / "supervise").mkdir()
    for name in ("lock", "status.new", "control", "ok"):
        (victim / "supervise" / name).symlink_to(target)
    machine.add("a")
    machine.boot().until_up("a")
    until(lambda: "unable to acquire victim/supervise/lock" in machine.stderr(), "the trouble to be told")
    (victim / "supervise/lock").unlink()
    machine.signal(signal.SIGHUP)
    until(lambda: "unable to read victim/supervise/control" in machine.stderr(), "the trouble to be told")
    (victim / "supervise/control").unlink()
    machine.signal(signal.SIGHUP)
    until(lambda: "unable to open victim/supervise/status.new" in machine.stderr(), "the trouble to be told")
    assert target.read_text() == "precious"
    assert "internal error" not in machine.stderr()
    machine.until_up("a")
    assert machine.stop() == 0


def test_a_removed_place_of_state(machine: Machine) -> None:
    machine.add("a")
    machine.boot().until_up("a")
    shutil.rmtree(machine.services / "a/supervise")
    pid = int(machine.inside("pgrep", "-f", "sleep 1000").split()[0])
    machine.inside("kill", "-9", pid)
    until(lambda: "unable to open a/supervise/status.new" in machine.stderr(), "the trouble to be told")
    until(lambda: machine.inside("pgrep", "-f", "sleep 1000", check=False).split() not in ([], [str(pid)]), "a new one")
    assert machine.stop() == 0
