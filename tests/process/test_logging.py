"""The pairs of PID 1: who logs what, and that nothing is lost, whoever dies."""

import os
import re
import signal
import time

import pytest
from machine import PROGRAMS, Machine, MakeMachine, command, logged
from waiting import until


def numbers(text: str, prefix: str) -> list[int]:
    return [int(line.removeprefix(prefix)) for line in text.splitlines() if line.startswith(prefix)]


def logger_pid(machine: Machine) -> int:
    """The pid of the log collector, as its namespace counts."""
    listing = machine.inside("ps", "-e", "-o", "pid=,ppid=,comm=").splitlines()
    found = [int(pid) for pid, parent, name in map(str.split, listing) if (parent, name) == ("1", "multilog")]
    return found[0] if found else 0


def test_both_outputs_of_run_come_out_as_whole_prefixed_lines(machine: Machine) -> None:
    machine.add("web", "echo out; echo err >&2; printf half; echo ' line'; exec sleep 1000")
    machine.boot()
    until(lambda: "web: half line\n" in machine.stdout(), "the last line")
    assert machine.stdout() == "web: out\nweb: err\nweb: half line\n"
    until(lambda: re.fullmatch(r"pyinit: ready services=1 in \d\.\d+s\n", machine.stderr()), machine.stderr)


def test_lines_of_many_services_never_mix(machine: Machine) -> None:
    for name in "abcd":
        machine.add(name, f"exec {PROGRAMS}/halves 300")
    machine.boot()
    for name in "abcd":
        until(lambda: f"{name}: done\n" in machine.stdout(), f"{name} to be done", 20)
    for name in "abcd":
        own = [line for line in machine.stdout().splitlines() if line.startswith(f"{name}: line")]
        assert own == [f"{name}: line {n} begins and {n} ends" for n in range(300)]


def test_a_log_run_of_its_own_gets_everything(machine: Machine) -> None:
    machine.add("web", "echo out; echo err >&2; exec sleep 1000", log__run="exec multilog t ./main")
    machine.boot()
    current = machine.services / "web/log/main/current"
    until(lambda: current.exists() and current.read_text().count("\n") == 2, "two lines")
    assert logged(current.parent) == ["out", "err"]
    assert machine.stdout() == ""
    assert machine.svstat("web/log").startswith("up (pid ")


def test_a_log_directory_without_run_is_no_logger(machine: Machine) -> None:
    machine.add("web", "echo out; exec sleep 1000", log__note="nothing here")
    machine.boot()
    until(lambda: machine.stdout() == "web: out\n", "the line")


def test_volume_and_both(make_machine: MakeMachine) -> None:
    for mode, on_stdout in (("volume", ""), ("both", "web: one\nweb: two\n")):
        machine = make_machine(PYINIT_LOG=mode)
        machine.env["PYINIT_LOG_DIR"] = str(machine.top / "deep/logs")
        machine.add("web", "echo one; echo two; exec sleep 1000")
        machine.boot()
        directory = machine.top / "deep/logs/web"
        until(lambda: (directory / "current").exists() and len(logged(directory)) == 2, "two lines")
        assert logged(directory) == ["one", "two"]
        until(lambda: machine.stdout() == on_stdout, "stdout")
        assert machine.stop() == 0
        assert (directory / "current").stat().st_mode & 0o777 == 0o744


def test_volumes_are_rotated_by_size(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("web", "seq -f 'number %.0f' 40000; exec sleep 1000")
    machine.boot()
    directory = machine.top / "logs/web"
    until(lambda: directory.exists() and logged(directory)[-1:] == ["number 40000"], "the last number", 20)
    old = [path for path in directory.iterdir() if path.name.startswith("@")]
    assert 5 < len(old) <= 9
    assert all(path.stat().st_size <= 99999 for path in old)
    kept = [int(line.split()[1]) for line in logged(directory)]
    assert kept == list(range(kept[0], 40001))


def test_the_last_words_of_every_service_are_in_its_log(machine: Machine) -> None:
    for name in ("a", "b"):
        machine.add(name, f"exec {PROGRAMS}/steady")
    machine.add("c", f"exec {PROGRAMS}/steady", log__run="exec multilog t ./main")
    machine.boot()
    for name in ("a", "b"):
        until(lambda: f"{name}: ready" in machine.stdout(), f"{name} to be ready")
    main = machine.services / "c/log/main"
    until(lambda: (main / "current").exists() and logged(main) == ["ready"], "c to be ready")
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < 1
    assert {"a: last words", "b: last words"} <= set(machine.stdout().splitlines())
    assert logged(main) == ["ready", "last words"]
    assert (main / "current").stat().st_mode & 0o777 == 0o744, "the logger read to the end and ended by itself"


def counting(count: int) -> str:
    """Numbers in single writes, a pause now and then so that there is a middle of the stream."""
    return f"""exec python3 -c '
import os, time
for n in range({count}):
    os.write(1, b"n %d\\n" % n)
    if n % 50 == 0: time.sleep(0.005)
os.write(1, b"end\\n")
time.sleep(1000)'"""


def test_a_killed_logging_process_is_replaced_and_loses_at_most_what_it_had_read(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("web", counting(20000))
    machine.boot()
    directory = machine.top / "logs/web"
    first = until(lambda: logger_pid(machine), "the log collector")
    until(lambda: directory.exists() and len(logged(directory)) > 2000, "the middle of the stream")
    machine.inside("kill", "-9", first)
    assert until(lambda: (pid := logger_pid(machine)) != first and pid, "another one")
    until(lambda: logged(directory)[-1:] == ["end"], "the end of the stream", 30)
    assert "the log collector" in machine.stderr()
    kept = [int(line.split()[1]) for line in logged(directory) if line != "end"]
    assert kept == sorted(set(kept)), "in order, nothing twice"
    assert 20000 - len(kept) <= 65536 // len("n 10000\n"), "at most one block in flight"


def test_what_is_in_the_pipe_when_the_logging_process_dies_is_not_lost(make_machine: MakeMachine) -> None:
    """Stopped, it reads nothing; killed then, it had nothing in flight: every line must come out."""
    machine = make_machine()
    machine.add("web", "while [ ! -e go ]; do sleep 0.05; done; seq -f 'n %.0f' 0 4999; exec sleep 1000")
    machine.add("hello", "echo hello; exec sleep 1000")
    machine.boot()
    until(lambda: "hello: hello" in machine.stdout(), "the log collector to work")
    pid = logger_pid(machine)
    machine.inside("kill", "-STOP", pid)
    (machine.services / "web/go").touch()
    until(lambda: "sleep 1000" in machine.inside("ps", "-o", "args=", "-p", machine.pid_of("web")), "all written")
    machine.inside("kill", "-9", pid)
    until(lambda: "web: n 4999\n" in machine.stdout(), "the last number")
    assert numbers(machine.stdout(), "web: n ") == list(range(5000))


def test_the_logging_process_told_to_end_hands_over_without_loss(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="both")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("web", counting(20000))
    machine.boot()
    directory = machine.top / "logs/web"
    seen = {0}
    for threshold in (2000, 6000, 10000):
        until(lambda: directory.exists() and len(logged(directory)) > threshold, "more of the stream", 20)
        pid = until(lambda: (pid := logger_pid(machine)) not in seen and pid, "a log collector")
        seen.add(pid)
        machine.inside("kill", "-TERM", pid)
    until(lambda: logged(directory)[-1:] == ["end"], "the end of the stream", 30)
    assert [int(line.split()[1]) for line in logged(directory) if line != "end"] == list(range(20000))
    until(lambda: "web: end\n" in machine.stdout(), "the end on stdout")
    assert numbers(machine.stdout(), "web: n ") == list(range(20000))


def test_a_service_killed_over_and_over_loses_no_line_it_wrote(machine: Machine) -> None:
    machine.add("web", f"exec {PROGRAMS}/counter")
    pid = machine.boot().until_up("web")
    for round_number in range(3):
        until(lambda: len(numbers(machine.stdout(), "web: n ")) > 300 * (round_number + 1), "lines")
        machine.inside("kill", "-9", pid)
        pid = machine.until_up("web", other_than=pid)
    machine.svc("d", "web")
    until(lambda: machine.svstat("web").startswith("down"), "down")
    assert machine.stop() == 0
    found = numbers(machine.stdout(), "web: n ")
    last = int((machine.services / "web/n").read_text() or 0)
    assert found == sorted(found)
    assert len(set(range(1, last + 1)) - set(found)) <= 4, "only a number noted but killed before it was written"


def test_a_logger_of_its_own_that_is_killed_misses_nothing_in_the_pipe(machine: Machine) -> None:
    """`log/run` reads line by line and holds nothing: what it has read is written."""
    log = 'while IFS= read -r line; do echo "$line" >>got; done'
    machine.add("web", "seq -f 'n %.0f' 3000; exec sleep 1000", log__run=log)
    pid = machine.boot().until_up("web/log")
    got = machine.services / "web/log/got"
    until(lambda: got.exists() and got.stat().st_size > 2000, "the middle")
    machine.inside("kill", "-9", pid)
    until(lambda: got.read_text().endswith("n 3000\n"), "the end", 20)
    found = numbers(got.read_text(), "n ")
    assert found == sorted(found)
    # The shell reads a pipe a byte at a time, so at most the line in its hands was lost.
    assert 3000 - len(found) <= 1


def test_a_full_directory_does_not_hold_up_the_others(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume")
    logs = machine.top / "logs"
    machine.env["PYINIT_LOG_DIR"] = str(logs)
    (logs / "bad").mkdir(parents=True)
    (logs / "bad/current").mkdir()
    machine.add("bad", "echo kept; exec sleep 1000")
    machine.add("good", "for i in 1 2 3; do echo $i; sleep 0.1; done; exec sleep 1000")
    machine.boot()
    until(lambda: (logs / "good").exists() and logged(logs / "good") == ["1", "2", "3"], "the good one's lines")
    until(lambda: "unable to append to" in machine.stderr() or "is a directory" in machine.stderr(), "the trouble told")
    until(lambda: "bad: kept\n" in machine.stdout(), "the line on standard output instead")
    (logs / "bad/current").rmdir()
    until((logs / "bad/current").is_file, "the retry", 12)
    machine.svc("t", "bad")
    until(lambda: logged(logs / "bad") == ["kept"], "the log to go on")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PYINIT_LOG", "files"), ("PYINIT_LOG_DIR", "relative"), ("PYINIT_STOP_TIMEOUT", "soon")],
)
def test_bad_settings_are_refused_at_start(machine: Machine, name: str, value: str) -> None:
    done = command("pyinit", "-d", machine.services, **{name: value})
    assert done.returncode == 100
    assert done.stderr.splitlines()[-1].startswith(b"pyinit: fatal: unable to use " + name.encode())
    assert os.listdir(machine.services) == []


def test_a_missing_service_directory_is_fatal(machine: Machine) -> None:
    done = command("pyinit", "-d", machine.top / "nowhere")
    assert done.returncode == 111
    assert done.stderr.endswith(b"/nowhere: file does not exist\n")


def test_strangers_are_stopped_and_what_they_wrote_is_logged(machine: Machine) -> None:
    """A daemon that left its service holds the pipe: it is asked to end, and its last line is in the log."""
    daemon = "trap 'echo daemon ends; exit' TERM; echo daemon runs; while :; do sleep 0.05; done"
    machine.add("web", f'setsid sh -c "{daemon}" & sleep 0.3; exec sleep 1000')
    machine.boot()
    until(lambda: "web: daemon runs" in machine.stdout(), "the daemon")
    before = time.monotonic()
    assert machine.stop() == 0
    assert time.monotonic() - before < 2
    assert "web: daemon ends" in machine.stdout()


def test_a_stubborn_service_is_killed_at_the_deadline_and_named(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_STOP_TIMEOUT="1")
    machine.add("stubborn", f"exec {PROGRAMS}/stubborn")
    machine.add("good", f"exec {PROGRAMS}/steady")
    machine.boot()
    for name in ("stubborn", "good"):
        until(lambda: f"{name}: ready" in machine.stdout(), name)
    pid = machine.pid_of("stubborn")
    before = time.monotonic()
    assert machine.stop() == 0
    assert 0.9 < time.monotonic() - before < 2
    assert f"pyinit: warning: killed stubborn (pid {pid}) after 1.0 seconds" in machine.stderr()
    assert "good" not in machine.stderr()
    assert "good: last words" in machine.stdout()


def test_reasons_are_told_once_until_they_change(machine: Machine) -> None:
    (machine.services / "web").mkdir()
    machine.boot()
    until(lambda: "unable to start web/run: file does not exist" in machine.stderr(), "the first reason")
    time.sleep(2.5)  # two more tries
    assert machine.stderr().count("unable to start web/run") == 1
    run = machine.services / "web/run"
    run.write_text("#!/bin/sh\nexec sleep 1000\n")
    until(lambda: "unable to start web/run: access denied" in machine.stderr(), "the second reason")
    run.write_text("#!/no/such/shell\n")
    run.chmod(0o755)
    until(lambda: "the interpreter /no/such/shell" in machine.stderr(), machine.stderr)
    run.write_text("#!/bin/sh\nexec sleep 1000\n")
    machine.until_up("web")
    assert machine.stderr().count("unable") == 3


def test_a_storm_of_orphans_leaves_no_zombie(machine: Machine) -> None:
    machine.add("storm", f"exec {PROGRAMS}/orphans 1000")
    machine.boot()
    until(lambda: "storm: 1000 orphans" in machine.stdout(), "the storm", 30)
    until(lambda: "sleep 0.1" not in machine.inside("ps", "-e", "-o", "args="), "its end")
    until(lambda: "Z" not in machine.inside("ps", "-e", "-o", "state="), "no zombie to stay")
    machine.signal(signal.SIGHUP)
    assert machine.stop() == 0
