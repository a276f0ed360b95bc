"""The container's log: formats, a service's own log/script, log/user and log/fold, accounts, a stuck stdout."""

import json
import os
import pwd
import re
import subprocess
import sys
from signal import SIGTERM
from typing import Any

import pytest
from machine import BIN, UNSHARE, Machine, MakeMachine, command, environment, logged
from waiting import until


def entries(machine: Machine) -> list[dict[str, Any]]:
    return [json.loads(line) for line in machine.stdout().splitlines()]


def accounts(machine: Machine) -> dict[str, list[str]]:
    """The file of accounts: numbers by the service's name."""
    path = machine.top / "state/logs"
    rows = path.read_text().splitlines()[1:] if path.exists() else []
    return {row.split(" ", 7)[7]: row.split(" ", 7)[:7] for row in rows}


def test_json_with_folded_traces(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG_FORMAT="json", PYINIT_LOG_FOLD="1")
    machine.add("web", "printf 'one\\nTraceback (most recent call last):\\n  File\\nE: x\\ntwo\\n'; exec sleep 1000")
    machine.boot()
    until(lambda: len(machine.stdout().splitlines()) == 2, "two messages")
    assert [entry["message"] for entry in entries(machine)] == [
        "one\nTraceback (most recent call last):\n  File\nE: x",
        "two",
    ]
    assert all(entry["service"] == "web" for entry in entries(machine))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", entry["time"]) for entry in entries(machine))


def test_one_service_may_ask_for_folding(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG_FORMAT="json")
    machine.add("folds", "printf 'a\\n b\\n'; exec sleep 1000", log__fold="")
    machine.add("does-not", "printf 'a\\n b\\n'; exec sleep 1000")
    machine.boot()
    until(lambda: len(machine.stdout().splitlines()) == 3, "three messages")
    found = sorted((entry["service"], entry["message"]) for entry in entries(machine))
    assert found == [("does-not", " b"), ("does-not", "a"), ("folds", "a\n b")]


def test_raw(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG_FORMAT="raw")
    machine.add("web", "printf 'a\\n\\nb'; exec sleep 1000")
    machine.boot()
    until(lambda: machine.stdout() == "a\n\n", "whole lines")
    assert machine.stop() == 0
    assert machine.stdout() == "a\n\nb\n"


def test_a_script_of_its_own_replaces_the_default(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    script = "t n3 ./main '-*' '+* a keep *' =status ./kept pweb:\\  1"
    machine.add("web", "echo 'a keep b'; echo drop; exec sleep 1000", log__script=script)
    machine.boot()
    log = machine.services / "web/log"
    until(lambda: (log / "main/current").exists() and len(logged(log / "main")) == 2, "two lines")
    assert logged(log / "main") == ["a keep b", "drop"]
    until(lambda: logged(log / "kept") == ["a keep b"], "the line that is kept")
    assert (log / "status").read_text().rstrip("\n").endswith(" a keep b")
    assert re.fullmatch(r"@[0-9a-f]{24} web: a keep b\n", machine.stdout())
    assert not (machine.top / "logs/web").exists()
    # of two lines, 14 bytes: all into ./main, one of 9 bytes into ./kept and to standard output
    until(lambda: accounts(machine).get("web", [])[2:5] == ["4", "32", "2"], "what was written, and deselected")


def test_sizes_and_counts(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume", PYINIT_LOG_SIZE="4096", PYINIT_LOG_COUNT="3")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("web", "seq 2000; exec sleep 1000")
    machine.boot()
    directory = machine.top / "logs/web"
    until(lambda: directory.exists() and logged(directory)[-1:] == ["2000"], "the last line")
    old = [path for path in directory.iterdir() if path.name.startswith("@")]
    assert len(old) == 2
    assert all(path.stat().st_size <= 4096 for path in old)


def test_a_log_is_written_as_its_user(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume")
    machine.top.chmod(0o755)
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.env["PYINIT_LOG_SIZE"] = "4096"
    machine.add("web", "seq 1000; exec sleep 1000", log__user="nobody")
    machine.add("other", "echo x; exec sleep 1000")
    machine.boot()
    until((machine.top / "logs/other/current").exists, "the other log")
    assert (machine.top / "logs/other/current").stat().st_uid == os.geteuid()
    directory = machine.top / "logs/web"
    if os.geteuid() != 0:  # in a user namespace of one user there is no other to become
        until(lambda: "unable to become nobody" in machine.stderr(), "the trouble told")
        return
    until(lambda: directory.exists() and logged(directory)[-1:] == ["1000"], "the last line")
    nobody = pwd.getpwnam("nobody").pw_uid
    assert {path.stat().st_uid for path in [directory, *directory.iterdir()]} == {nobody}


@pytest.mark.skipif(os.geteuid() != 0, reason="there is no other user to become")
@pytest.mark.parametrize("files", [{}, {"ready": "log y\n"}], ids=["first pipe", "a pipe for each start"])
def test_a_service_of_another_user_opens_dev_stdout_and_dev_stderr(machine: Machine, files: dict[str, str]) -> None:
    words = "echo x >/dev/stdout; echo y >/dev/stderr; exec sleep 1000"
    machine.add("web", f"exec setuidgid nobody sh -c '{words}'", **files)
    machine.boot()
    until(lambda: machine.stdout().count("\n") >= 2, machine.stderr)
    assert machine.stdout() == "web: x\nweb: y\n"


def test_what_is_wrong_in_a_services_own_log_is_told_and_its_lines_are_kept(machine: Machine) -> None:
    machine.add("a", "echo one; exec sleep 1000", log__user="no-such-user")
    machine.add("b", "echo two; exec sleep 1000", log__script="t 'unclosed")
    machine.boot()
    until(lambda: machine.stdout().count("\n") == 2, "both lines")
    assert sorted(machine.stdout().splitlines()) == ["a: one", "b: two"]
    assert "multilog: warning: unable to use a/log/user: unknown account no-such-user" in machine.stderr()
    assert "multilog: warning: unable to use b/log/script: No closing quotation" in machine.stderr()


def test_accounts_count_what_was_read_and_svstat_tells_them(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.add("web", "seq 100; exec sleep 1000")
    machine.boot()
    until(lambda: accounts(machine).get("web", ["0"])[0] == "100", "a hundred lines counted")
    assert accounts(machine)["web"] == ["100", "292", "100", "292", "0", "0", "0.000"]
    done = command("svstat", "-v", machine.services / "web", **machine.env)
    assert done.stdout.endswith(
        b"; log: 100 lines, 292 bytes; written 100 lines, 292 bytes; 0 deselected, 0 dropped, blocked 0.0 seconds\n"
    )
    assert machine.stop() == 0
    machine.boot()
    until(lambda: accounts(machine).get("web", [""])[0] == "100", "counted from nothing again")


def test_lines_longer_than_docker_takes_keep_their_prefix(machine: Machine) -> None:
    machine.add("web", "head -c 40000 /dev/zero | tr '\\0' y; echo; exec sleep 1000")
    machine.boot()
    until(lambda: machine.stdout().endswith("y\n") and machine.stdout().count("\n") == 3, "three pieces")
    lines = machine.stdout().splitlines()
    assert all(line.startswith("web: y") and len(line) < 16384 for line in lines)
    assert [line.endswith("[...]") for line in lines] == [True, True, False]


class Stuck:
    """A machine whose standard output is a pipe that nobody reads."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.read_end, write_end = os.pipe()
        line = [*UNSHARE, sys.executable, "-IS", str(BIN / "pyinit")]
        with machine.err.open("ab") as err:
            machine.process = subprocess.Popen(
                line, env=environment(**machine.env), stdin=subprocess.DEVNULL, stdout=write_end, stderr=err
            )
        os.close(write_end)
        machine.until_booted()

    def read_all(self) -> bytes:
        chunks = []
        while chunk := os.read(self.read_end, 1 << 20):
            chunks.append(chunk)
        return b"".join(chunks)


def test_a_stuck_stdout_holds_no_volume_up_and_what_it_misses_is_counted(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="both", PYINIT_STOP_TIMEOUT="1")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("web", "seq -f '%.0f yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy' 10000; exec sleep 1000")
    stuck = Stuck(machine)
    directory = machine.top / "logs/web"
    last = "10000 " + "y" * 32
    until(lambda: directory.exists() and logged(directory)[-1:] == [last], "the last line on the volume", 20)
    assert "standard output is stuck" in machine.stderr()
    until(lambda: int(accounts(machine)["web"][5]) > 1000, "the missed lines to be counted")
    dropped = int(accounts(machine)["web"][5])
    assert accounts(machine)["web"][2] == "10000", "all of them are on the volume"
    machine.signal(SIGTERM)
    out = stuck.read_all().splitlines()
    assert len(out) + dropped == 10000, "every line is on stdout or counted"
    assert machine.wait() == 0
    os.close(stuck.read_end)


@pytest.mark.parametrize("mode", ["stdout", "both"])
def test_lines_for_a_stdout_that_nobody_reads_any_more_are_counted(make_machine: MakeMachine, mode: str) -> None:
    machine = make_machine(PYINIT_LOG=mode)
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("web", "until test -e go; do sleep 0.02; done; rm go; seq 1000; exec sleep 1000")
    stuck = Stuck(machine)
    machine.until_up("web")
    os.close(stuck.read_end)
    go = machine.services / "web/go"
    go.touch()
    told = re.compile(r"unable to write to standard output, (\d+) lines are lost, and all from now on: broken pipe")
    assert until(lambda: told.search(machine.stderr()), "the trouble to be told")[1] == "1000"
    go.touch()
    machine.svc("t", "web")
    until(lambda: accounts(machine).get("web", [""])[0] == "2000", "as many lines again")
    assert accounts(machine)["web"][5] == "1000", "those are counted"
    assert accounts(machine)["web"][2] == ("1000" if mode == "stdout" else "2000")
    assert machine.stop() == 0


def test_lines_are_not_counted_as_written_before_they_are(make_machine: MakeMachine) -> None:
    machine = make_machine(PYINIT_LOG="volume")
    logs = machine.top / "logs"
    machine.env["PYINIT_LOG_DIR"] = str(logs)
    logs.write_text("in the way")
    machine.add("web", "seq 100; exec sleep 1000")
    machine.boot()
    until(lambda: "unable to" in machine.stderr(), "the trouble to be told")
    assert accounts(machine).get("web", ["0"] * 3)[2] == "0"
    logs.unlink()
    until(lambda: accounts(machine).get("web", ["0"] * 3)[2] == "100", "all to be written", 15)


def test_a_processor_of_the_logging_process_is_run_until_it_succeeds(machine: Machine) -> None:
    """What it has made is kept, nothing is lost while it failed, and its failure is told of."""
    script = "s4096 n99 '!test -e ../again || { touch ../again; exit 3; }; tr a-z A-Z' ./main"
    lines = [f"line {number}" for number in range(1000)]
    text = "seq -f 'line %g' 0 999; exec sleep 1000"
    main = machine.add("web", text, log__script=script) / "log/main"
    machine.boot()

    def kept() -> "list[str]":
        files = [*sorted(main.glob("@*.s")), main / "current"]
        try:
            return "".join(path.read_text() for path in files).splitlines()
        except FileNotFoundError:  # not made yet, or in the middle of a rotation
            return []

    until(lambda: len(kept()) == 1000, "all lines to be logged")
    assert [line.lower() for line in kept()] == lines
    assert kept()[0] == "LINE 0"
    assert machine.stderr().count("web: processor failed in ") == 1, machine.stderr()
    assert machine.stop() == 0


def test_without_a_volume_a_blocked_stdout_blocks_its_services_and_loses_nothing(make_machine: MakeMachine) -> None:
    machine = make_machine()
    machine.add("web", "seq 50000; echo end; exec sleep 1000")
    stuck = Stuck(machine)
    until(lambda: "ready" in machine.stderr(), "the boot")
    until(lambda: "seq" in machine.inside("ps", "-e", "-o", "args="), "the service to be blocked in its writing")
    got = b""
    while not got.endswith(b"web: end\n"):
        got += os.read(stuck.read_end, 65536)
    assert got == b"".join(b"web: %d\n" % n for n in range(1, 50001)) + b"web: end\n"
    assert machine.stop() == 0
    os.close(stuck.read_end)
