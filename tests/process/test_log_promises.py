"""The log collector against full outputs, directories that cannot be used, and hostile neighbours."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine import BIN, UNSHARE, Machine, MakeMachine, environment, logged
from waiting import until


def volume(make_machine: MakeMachine, mode: str, **more: str) -> tuple[Machine, Path]:
    machine = make_machine(PYINIT_LOG=mode, **more)
    logs = machine.top / "logs"
    machine.env["PYINIT_LOG_DIR"] = str(logs)
    return machine, logs


def boot_into_pipe(machine: Machine) -> "subprocess.Popen[bytes]":
    """Boot with a pipe as standard output; the process that reads it into the file `machine.out`."""
    line = [*UNSHARE, sys.executable, "-IS", str(BIN / "pyinit")]
    with machine.err.open("ab") as err, machine.out.open("ab") as out:
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=out)
        machine.process = subprocess.Popen(
            line, env=environment(**machine.env), stdin=subprocess.DEVNULL, stdout=reader.stdin, stderr=err
        )
    assert reader.stdin
    reader.stdin.close()
    machine.until_booted()
    return reader


def test_no_line_is_left_out_of_a_stdout_that_somebody_reads(make_machine: MakeMachine) -> None:
    machine, logs = volume(make_machine, "both")
    for number in range(8):
        machine.add(f"s{number}", "seq -f '%.0f yyyyyyyyyyyyyyyyyyyyyyyy' 20000; exec sleep 1000")
    reader = boot_into_pipe(machine)
    until(lambda: all(logged(logs / f"s{n}")[-1:] == ["20000 " + "y" * 24] for n in range(8)), "all lines", 60)
    assert machine.stop() == 0
    reader.wait(10)
    assert machine.stdout().count("\n") == 160_000
    assert "stuck" not in machine.stderr()


def test_a_flood_at_the_stop_loses_no_line_of_a_stdout_that_somebody_reads(make_machine: MakeMachine) -> None:
    """What the directories have, standard output has as well: every line up to the last whole one of each service."""
    machine, logs = volume(make_machine, "both", PYINIT_LOG_SIZE="16777215", PYINIT_LOG_COUNT="100")
    names = ["a", "b", "c"]
    for name in names:
        machine.add(name, "exec seq -f '%.0f yyyyyyyyyyyyyyyyyyyyyyyy' 100000000")
    reader = boot_into_pipe(machine)
    until(lambda: machine.out.stat().st_size > 2_000_000, "the flood")
    assert machine.stop() == 0
    reader.wait(30)
    printed: dict[str, list[str]] = {name: [] for name in names}
    for line in machine.stdout().splitlines():
        name, _, text = line.partition(": ")
        printed[name].append(text)
    for name in names:
        last = (logs / name / "current").read_text().splitlines()[-1].partition(" ")[2]
        assert printed[name].pop() == last, "what seq had begun when it was killed"
        assert [int(text.split()[0]) for text in printed[name]] == list(range(1, len(printed[name]) + 1))


@pytest.mark.parametrize("mode", ["volume", "both"])
def test_a_log_directory_that_cannot_be_opened_leaves_the_lines_on_stdout(make_machine: MakeMachine, mode: str) -> None:
    machine, logs = volume(make_machine, mode)
    logs.mkdir()
    (logs / "web").write_text("in the way")
    machine.add("web", "seq 50000; echo end; exec sleep 1000")
    machine.boot()
    until(lambda: machine.stdout().endswith("web: end\n"), "all lines on standard output")
    assert machine.stdout().count("\n") == 50001
    assert machine.stderr().count("unable to open directory") == 1
    assert machine.stop(seconds=5) == 0


def test_the_reason_is_the_one_why_the_directory_is_missing(make_machine: MakeMachine) -> None:
    machine, logs = volume(make_machine, "volume")
    logs.write_text("in the way")
    machine.add("web", "echo one; exec sleep 1000")
    machine.boot()
    until(lambda: "web: one\n" in machine.stdout(), "the line")
    assert re.search(r"web: unable to .*logs.*: not a directory", machine.stderr())
    assert machine.stop(seconds=5) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
@pytest.mark.parametrize("what", ["web", "parent"])
def test_root_that_modes_bind_is_told_so_and_what_helps(make_machine: MakeMachine, what: str) -> None:
    machine, logs = volume(make_machine, "volume")
    closed = logs / "web" if what == "web" else logs
    closed.mkdir(parents=True)
    os.chown(closed, 65534, 65534)
    closed.chmod(0o700)
    machine.top.chmod(0o755)
    lost = "-dac_override,-dac_read_search"
    machine.prefix = ("setpriv", f"--bounding-set={lost}", f"--inh-caps={lost}")
    machine.add("web", "echo one; exec sleep 1000")
    machine.boot()
    until(lambda: "web: one\n" in machine.stdout(), "the line on standard output")
    told = until(lambda: [line for line in machine.stderr().splitlines() if "web: unable" in line], "the trouble")
    assert told[0].endswith(": access denied")
    assert "root has no CAP_DAC_OVERRIDE here: put the account of the directory's owner into log/user" in told[0]
    assert "file does not exist" not in machine.stderr()
    assert machine.stop(seconds=5) == 0


@pytest.mark.parametrize("script", ["t s4096", "t # ./main", "t './main"])
def test_a_script_that_cannot_be_meant_is_told_and_the_containers_settings_hold(machine: Machine, script: str) -> None:
    machine.add("web", "echo one; exec sleep 1000", log__script=script)
    machine.boot()
    until(lambda: machine.stdout() == "web: one\n", "the line")
    assert "unable to use web/log/script: " in machine.stderr()


def test_a_directory_that_is_removed_is_made_anew(make_machine: MakeMachine) -> None:
    machine, logs = volume(make_machine, "both", PYINIT_LOG_SIZE="4096")
    machine.add("web", "echo one; until test -e go; do sleep 0.05; done; seq 3000; exec sleep 1000")
    machine.boot()
    until(lambda: logged(logs / "web") == ["one"], "the first line")
    shutil.rmtree(logs / "web")
    (machine.services / "web/go").touch()
    until(lambda: logged(logs / "web")[-1:] == ["3000"], "the last line")
    assert machine.stdout().endswith("web: 3000\n")
    assert machine.stderr().count("making it anew") == 1
    assert machine.stop() == 0


def test_more_log_directories_than_descriptors(make_machine: MakeMachine) -> None:
    machine, logs = volume(make_machine, "volume")
    names = [f"s{number}" for number in range(60)]
    for name in names:
        machine.add(name, "echo one; until test -e ../go; do sleep 0.2; done; echo two; exec sleep 1000")
    machine.boot()
    limit = "prlimit", "--nofile=130:130"
    collector = until(lambda: collector_of(machine), "the collector")
    subprocess.run([*limit, "--pid", str(collector)], check=True)
    until(lambda: all(logged(logs / name)[:1] == ["one"] for name in names), "the first lines", 20)
    (machine.services / "go").touch()
    until(lambda: all(logged(logs / name)[-2:] == ["one", "two"] for name in names), "the second lines", 30)
    assert "internal error" not in machine.stderr()
    assert "a pipe is missing" not in machine.stderr()
    assert machine.stop() == 0


def collector_of(machine: Machine) -> int:
    children = Path(f"/proc/{machine.pid}/task/{machine.pid}/children").read_text().split()
    for pid in children:
        if Path(f"/proc/{pid}/comm").read_text() == "multilog\n":
            return int(pid)
    return 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_no_link_in_a_log_directory_of_another_account_is_followed(make_machine: MakeMachine) -> None:
    machine, logs = volume(make_machine, "volume")
    secret = machine.top / "secret"
    secret.write_text("mine\n")
    secret.chmod(0o744)
    (logs / "web").mkdir(parents=True)
    (logs / "web/current").symlink_to(secret)
    os.chown(logs / "web", 65534, 65534)
    machine.add("web", "echo one; exec sleep 1000")
    machine.boot()
    until(lambda: "web: one\n" in machine.stdout(), "the line on standard output")
    assert secret.read_text() == "mine\n"
    assert "a symbolic link" in machine.stderr()
    assert machine.stop(seconds=5) == 0


def test_no_service_forges_a_line_of_another(machine: Machine) -> None:
    text = "printf 'x\\rother: forged\\033[2J\\177\\n'; exec sleep 1000"
    machine.add("web", text)
    machine.boot()
    until(lambda: machine.stdout().endswith("\n"), "the line")
    assert machine.out.read_bytes() == b"web: x\\rother: forged\\x1b[2J\\x7f\n"


def test_a_long_line_of_action_1_leaves_whole(machine: Machine) -> None:
    script = "pweb:\\  1"
    machine.add(
        "web", "head -c 3000 /dev/zero | tr '\\0' x; sleep 0.5; echo other: forged; exec sleep 1000", log__script=script
    )
    machine.add("loud", "while :; do echo loud; sleep 0.05; done")
    machine.boot()
    until(lambda: "forged" in machine.stdout(), "the end of the line")
    lines = machine.stdout().splitlines()
    assert [line for line in lines if "forged" in line] == ["web: " + "x" * 3000 + "other: forged"]


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_closed_standard_descriptor_becomes_no_other_file(make_machine: MakeMachine, closed: str) -> None:
    machine = make_machine()
    machine.add("web", "echo one; exec sleep 1000")
    machine.prefix = ("sh", "-c", f'exec "$@" {closed}', "sh")
    machine.boot().until_up("web")
    until(lambda: collector_of(machine), "the collector")
    for number in "012" if closed[0] == "<" else "1":
        assert os.readlink(f"/proc/{machine.pid}/fd/{number}") == "/dev/null"
    assert machine.stop(seconds=5) == 0


def test_a_limit_on_the_size_of_files_kills_no_collector(make_machine: MakeMachine) -> None:
    machine, logs = volume(make_machine, "both")
    machine.prefix = ("prlimit", "--fsize=40960:40960")
    machine.add("web", "seq 20000; exec sleep 1000")
    machine.boot()
    until(lambda: logged(logs / "web")[-1:] == ["20000"], "the last line", 20)
    assert "unable to write to standard output, trying again: file too big" in machine.stderr()
    assert "was killed by signal" not in machine.stderr()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


LONG = "seq -f '%.0f yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy' 60000; exec sleep 1000"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file system of its own")
def test_a_full_disk_leaves_stdout_alone_and_the_missing_lines_are_marked(
    make_machine: MakeMachine, small: Path
) -> None:
    machine = make_machine(PYINIT_LOG="both", PYINIT_LOG_DIR=str(small), PYINIT_LOG_COUNT="1000")
    machine.add("web", LONG)
    machine.boot()
    until(lambda: machine.stdout().count("\n") == 60000, "all lines on standard output")
    subprocess.run(["mount", "-o", "remount,size=100m", small], check=True)
    marks = until(lambda: [line for line in logged(small / "web") if "missing" in line], "the mark", 15)
    found = re.fullmatch(r"pyinit: (\d+) lines are missing here", marks[0])
    assert found
    assert len(logged(small / "web")) - 1 + int(found[1]) == 60000
    assert machine.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file system of its own")
@pytest.mark.parametrize(("mode", "code"), [("volume", 112), ("both", 0)])
def test_what_cannot_be_written_by_the_deadline_is_counted_and_named(
    make_machine: MakeMachine, small: Path, mode: str, code: int
) -> None:
    machine = make_machine(PYINIT_LOG=mode, PYINIT_LOG_DIR=str(small), PYINIT_STOP_TIMEOUT="1")
    machine.env["PYINIT_LOG_COUNT"] = "1000"
    machine.add("web", LONG)
    machine.boot()
    until(lambda: "out of disk space" in machine.stderr(), "the trouble")
    if mode == "both":
        until(lambda: machine.stdout().count("\n") == 60000, "all lines on standard output")
    assert machine.stop(seconds=2) == code
    assert re.search(r"multilog: warning: web: \d+ lines are missing in the log", machine.stderr())
    assert "killed the log collector" not in machine.stderr()
