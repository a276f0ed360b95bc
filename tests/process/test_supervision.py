"""PID 1 supervises: pyinit and svscan, each as process 1 of a namespace."""

import itertools
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from machine import Machine, MakeMachine
from waiting import until

pytestmark = pytest.mark.parametrize("program", ["pyinit", "svscan"])


@pytest.fixture
def machine(program: str, make_machine: MakeMachine) -> Machine:
    return make_machine(program)


def starts(machine: Machine, name: str) -> list[float]:
    """When a service that writes `date +%s.%N` to a file `starts` was started, unix seconds."""
    file = machine.services / name / "starts"
    return [float(line) for line in file.read_text().split()] if file.exists() else []


NOTE = "date +%s.%N >>starts; "


def test_every_service_is_up_and_a_child_of_process_1(machine: Machine) -> None:
    for name in ("a", "b", "c"):
        machine.add(name)
    machine.boot()
    pids = {machine.until_up(name) for name in ("a", "b", "c")}
    assert len(pids) == 3
    children = machine.inside("cat", "/proc/1/task/1/children").split()
    assert pids <= set(map(int, children))


def test_the_supervise_directory_is_as_the_c_program_makes_it(machine: Machine) -> None:
    machine.add("a")
    machine.boot().until_up("a")
    directory = machine.services / "a/supervise"
    modes = {path.name: oct(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == {"control": "0o10600", "lock": "0o100600", "ok": "0o10600", "status": "0o100644"}
    assert oct(directory.stat().st_mode) == "0o40700"
    assert (directory / "lock").read_bytes() == b""
    assert len((directory / "status").read_bytes()) == 18


def test_what_is_killed_comes_back_with_a_new_pid(machine: Machine) -> None:
    machine.add("a")
    pid = machine.boot().until_up("a")
    machine.inside("kill", "-9", pid)
    assert machine.until_up("a", other_than=pid) != pid


def test_never_two_starts_within_a_second(machine: Machine) -> None:
    machine.add("a", NOTE + "exit 1")
    machine.boot()
    when = until(lambda: len(found := starts(machine, "a")) >= 4 and found, "four starts", 15)
    gaps = [after - before for before, after in itertools.pairwise(when)]
    assert all(0.8 <= gap < 1.7 for gap in gaps), gaps  # they are stamped by run, which a busy machine delays
    assert sum(gaps) > 2.8, gaps


def test_one_that_ran_longer_is_restarted_at_once(machine: Machine) -> None:
    machine.add("a", NOTE + "sleep 1.2")
    machine.boot()
    when = until(lambda: len(found := starts(machine, "a")) >= 3 and found, "three starts", 15)
    assert all(after - before < 1.6 for before, after in itertools.pairwise(when)), when


def test_control_is_obeyed_within_the_second_after_a_start(machine: Machine) -> None:
    machine.add("a", "exit 1")
    machine.boot()
    until(lambda: "down" in machine.svstat("a"), "the first death")
    before = time.monotonic()
    machine.svc("d", "a")
    until(lambda: "want up" not in machine.svstat("a"), "the command to be obeyed")
    assert time.monotonic() - before < 0.8


def test_a_down_file_keeps_a_service_down_until_up(machine: Machine) -> None:
    machine.add("a", down="")
    machine.boot()
    until(lambda: machine.svstat("a").startswith("down"), "the service to be taken up")
    machine.svc("u", "a")
    machine.until_up("a")
    assert machine.svstat("a").endswith("normally down")


def test_every_letter_arrives(machine: Machine) -> None:
    machine.add(
        "a",
        'for s in HUP ALRM INT TERM CONT; do trap "echo $s >>got" $s; done\n: >ready\nwhile :; do sleep 0.02; done',
    )
    machine.boot().until_up("a")
    ready, got = machine.services / "a/ready", machine.services / "a/got"
    until(ready.exists, "the traps to be set")
    for letter, name in (("h", "HUP"), ("a", "ALRM"), ("i", "INT"), ("t", "TERM"), ("c", "CONT")):
        machine.svc(letter, "a")
        until(lambda: got.exists() and name in got.read_text().split(), name)
    pid = machine.pid_of("a")
    machine.svc("p", "a")
    until(lambda: "paused" in machine.svstat("a"), "paused")
    until(lambda: machine.inside("ps", "-o", "state=", "-p", pid).strip() == "T", "stopped")
    machine.svc("c", "a")
    until(lambda: "paused" not in machine.svstat("a"), "continued")
    machine.svc("o", "a")
    machine.svc("k", "a")
    until(lambda: machine.svstat("a").startswith("down"), "killed, and not restarted")
    machine.svc("d", "a")


def test_new_services_start_within_100_ms(machine: Machine) -> None:
    machine.boot()
    machine.add("seed")
    machine.until_up("seed")
    elsewhere = machine.top / "elsewhere"
    for number in range(3):
        machine.add(f"directory{number}", NOTE + "exec sleep 1000")
        appeared = time.time()
        until(lambda: starts(machine, f"directory{number}"), "the start")
        assert starts(machine, f"directory{number}")[0] - appeared < 0.1
        (machine.services / f"directory{number}").rename(elsewhere := machine.top / f"elsewhere{number}")
    (elsewhere / "starts").unlink()
    machine.svc("dx", str(elsewhere))
    until(lambda: b"not running" in machine_stat(elsewhere), "the service to be given up")
    (machine.services / "linked").symlink_to(elsewhere)
    appeared = time.time()
    until(lambda: starts(machine, "linked"), "the start through the link")
    assert starts(machine, "linked")[0] - appeared < 0.1


def machine_stat(path: Path) -> bytes:
    from machine import command

    return command("svstat", path).stdout


def test_names_with_a_dot_and_files_are_ignored(machine: Machine) -> None:
    machine.add(".hidden")
    (machine.services / "file").write_text("no service")
    machine.add("a")
    machine.boot().until_up("a")
    assert not (machine.services / ".hidden/supervise").exists()
    assert "file" not in machine.stderr()


def test_a_service_is_removed_the_daemontools_way_and_taken_up_again(machine: Machine) -> None:
    real = machine.add("a")
    moved = machine.top / "real"
    real.rename(moved)
    real.symlink_to(moved)
    machine.boot()
    pid = machine.until_up("a")
    real.unlink()
    assert f"pid {pid}" in machine_stat(moved).decode(), "what is only unlisted is left alone"
    machine.svc("dx", str(moved))
    until(lambda: b"supervise not running" in machine_stat(moved), "supervise to leave")
    real.symlink_to(moved)
    assert machine.until_up("a", seconds=2) != pid


def test_a_listed_service_told_to_exit_is_taken_up_again(machine: Machine) -> None:
    machine.add("a")
    pid = machine.boot().until_up("a")
    machine.svc("dx", "a")
    until(lambda: "not running" in machine.svstat("a"), "supervise to leave")
    assert machine.until_up("a", other_than=pid, seconds=6)


def test_a_renamed_directory_is_the_same_service(machine: Machine) -> None:
    machine.add("a")
    pid = machine.boot().until_up("a")
    machine.add("witness")
    (machine.services / "a").rename(machine.services / "b")
    machine.until_up("witness")
    assert machine.pid_of("b") == pid


def test_a_renamed_directory_is_taken_up_again_under_its_new_name(machine: Machine) -> None:
    machine.add("a")
    pid = machine.boot().until_up("a")
    (machine.services / "a").rename(machine.services / "b")
    machine.svc("dx", "b")
    assert machine.until_up("b", other_than=pid, seconds=8)
    assert "a: file does not exist" not in machine.stderr()


def test_a_deleted_directory_is_let_go_when_its_process_ends(machine: Machine) -> None:
    machine.add("a")
    pid = machine.boot().until_up("a")
    shutil.rmtree(machine.services / "a")
    machine.inside("kill", "-9", pid)
    machine.add("b")
    machine.until_up("b")
    until(lambda: str(machine.services / "a") not in links(machine), "its descriptors to be closed")


def links(machine: Machine) -> str:
    """What the descriptors of process 1 are open on."""
    found = []
    for descriptor in Path(f"/proc/{machine.pid}/fd").iterdir():
        try:
            found.append(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    return "\n".join(found)


def test_the_service_directory_may_be_removed_and_made_again(machine: Machine) -> None:
    machine.add("a")
    machine.boot().until_up("a")
    machine.svc("dx", "a")
    until(lambda: "not running" in machine.svstat("a"), "supervise to leave")
    shutil.rmtree(machine.services)
    time.sleep(0.1)  # long enough for the scan that finds it gone
    machine.services.mkdir()
    machine.add("b")
    assert machine.until_up("b", seconds=8)


def test_hup_scans(machine: Machine) -> None:
    machine.boot()
    machine.add("a")
    machine.signal(signal.SIGHUP)
    machine.until_up("a")
    assert machine.stop() == 0


def test_bad_run_files_do_not_disturb_the_others(machine: Machine) -> None:
    machine.add("good")
    (machine.services / "missing").mkdir()
    (machine.add("plain") / "run").chmod(0o644)
    (machine.add("interpreter") / "run").write_text("#!/nonexistent\n")
    shebangless = machine.add("shebangless") / "run"
    shebangless.write_text("true\n")
    (machine.services / "folder/run").mkdir(parents=True)
    machine.boot().until_up("good")
    for name, reason in (
        ("missing", "file does not exist"),
        ("plain", "access denied"),
        ("interpreter", "file does not exist"),
        ("shebangless", "exec format error"),
        ("folder", "access denied"),
    ):
        text = f"supervise: fatal: unable to start {name}/run: {reason}"
        until(lambda: text in machine.stderr(), text)
    pid = machine.pid_of("good")
    (machine.services / "plain/run").chmod(0o755)
    machine.until_up("plain", seconds=3)
    assert machine.pid_of("good") == pid


def test_orphans_are_reaped(machine: Machine) -> None:
    machine.add("a", "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.05 &) ; done; : >made; exec sleep 1000")
    machine.boot().until_up("a")
    until((machine.services / "a/made").exists, "the orphans")
    until(lambda: "sleep 0.05" not in machine.inside("ps", "-e", "-o", "args="), "their end")
    until(lambda: "Z" not in machine.inside("ps", "-e", "-o", "state="), "no zombie to stay")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_signals_that_stop(machine: Machine, number: int) -> None:
    machine.add("a")
    machine.boot().until_up("a")
    assert machine.stop(number) == 0


def test_every_service_is_told_term_then_cont(machine: Machine) -> None:
    machine.add("a")
    machine.boot().until_up("a")
    machine.svc("p", "a")
    until(lambda: "paused" in machine.svstat("a"), "paused")
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < 2
    assert machine.svstat("a") == "supervise not running"


def test_nothing_starts_while_it_goes_down(machine: Machine) -> None:
    machine.add("slow", "trap 'sleep 0.7; exit' TERM; : >ready; while :; do sleep 0.05; done")
    machine.boot().until_up("slow")
    until((machine.services / "slow/ready").exists, "the trap")
    machine.signal(signal.SIGTERM)
    machine.add("late")
    assert machine.wait() == 0
    assert not (machine.services / "late/supervise").exists()


def test_it_idles_without_waking_up(machine: Machine) -> None:
    for name in ("a", "b"):
        machine.add(name)
    machine.boot().until_up("b")
    machine.until_up("a")

    def wakeups() -> int:
        status = machine.proc("status").decode()
        return sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)

    def settled() -> bool:
        before = wakeups()
        time.sleep(0.3)
        return wakeups() == before

    until(settled, "the boot to be over")
    before = wakeups()
    time.sleep(6.5)  # longer than any fallback scan
    assert wakeups() == before


def test_a_status_is_written_only_when_it_is_another(machine: Machine) -> None:
    machine.add("a")
    machine.add("idle", down="")
    machine.boot().until_up("a")
    status = machine.services / "a/supervise/status"
    first = status.stat()
    assert (first.st_mode & 0o777, first.st_size) == (0o644, 18)
    machine.svc("u", "a")
    machine.svc("p", "a")
    until(lambda: "paused" in machine.svstat("a"), "the pause, which is told, and before it the other command")
    second = status.stat()
    assert second.st_ino != first.st_ino
    for letters in "p", "u":
        machine.svc(letters, "a")
    machine.svc("u", "idle")  # the commands before it were obeyed when this one is
    machine.until_up("idle")
    assert status.stat().st_ino == second.st_ino
    machine.svc("c", "a")
    until(lambda: "paused" not in machine.svstat("a"), "the end of the pause")


def test_more_commands_at_once_than_are_read_at_once(machine: Machine) -> None:
    """What is left after the first look has to be read without another command that would announce it."""
    machine.add("a")
    machine.boot().until_up("a")
    with (machine.services / "a/supervise/control").open("wb", buffering=0) as control:
        control.write(b"c" * 200 + b"d")
    until(lambda: machine.svstat("a").startswith("down"), "the last of them", 10)
