"""multilog the program, beside Debian's: hand-overs, signals, full disks, hostile input."""

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemontools import Commands
from waiting import until

NOBODY = 65534


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.remove()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter."""
    path = Path(tempfile.mkdtemp(prefix="pyinit-log-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=["ours", "debian"])
def multilog(request: pytest.FixtureRequest, commands: Commands) -> Path:
    return {"ours": commands.ours, "debian": commands.debian}[request.param] / "multilog"


@pytest.fixture
def ours(commands: Commands) -> Path:
    return commands.ours / "multilog"


def log(program: Path, place: Path, data: bytes, *script: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program, *script], cwd=place, input=data, capture_output=True, timeout=60, check=False)


def listing(directory: Path) -> list[tuple[str, int, bytes]]:
    """Each file with its mode and content, in order; of the labels in names only what is new is masked."""
    files = sorted(directory.iterdir())
    return [
        (re.sub("^@40000000[4-9a-f].*", "@NEW", file.name), stat.S_IMODE(file.stat().st_mode), file.read_bytes())
        for file in files
    ]


def files(directory: Path) -> list[Path]:
    return [*sorted(directory.glob("@*")), directory / "current"]


def content(directory: Path) -> bytes:
    """Everything that was logged, the oldest first; nothing in the middle of a rotation."""
    try:
        return b"".join(file.read_bytes() for file in files(directory))
    except FileNotFoundError:
        return b""


def lines_of(count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(count))


STATES = {
    "clean": {"current": (0o744, b"cur\n"), "state": (0o644, b"st\n")},
    "clean, all else stray": {
        "current": (0o744, b"cur\n"),
        "previous": (0o744, b"prev\n"),
        "processed": (0o644, b"proc\n"),
        "newstate": (0o644, b"n\n"),
        "state": (0o644, b"s\n"),
    },
    "crashed while writing": {"current": (0o644, b"cur\n"), "state": (0o644, b"st\n")},
    "crashed before anything was written": {"current": (0o644, b"")},
    "crashed after rename": {"previous": (0o644, b"prev\n")},
    "crashed before chmod": {"previous": (0o644, b"prev\n"), "current": (0o600, b"")},
    "crashed before link": {"previous": (0o744, b"prev\n"), "current": (0o644, b"")},
    "crashed in the processor": {
        "previous": (0o744, b"prev\n"),
        "current": (0o644, b""),
        "processed": (0o644, b"half"),
        "newstate": (0o644, b"n\n"),
        "state": (0o644, b"s\n"),
    },
    "crashed after the processor": {
        "previous": (0o744, b"prev\n"),
        "current": (0o644, b""),
        "processed": (0o744, b"proc\n"),
        "newstate": (0o644, b"n\n"),
        "state": (0o644, b"s\n"),
    },
    "crashed before the new state": {
        "current": (0o644, b""),
        "processed": (0o744, b"proc\n"),
        "newstate": (0o644, b"n\n"),
    },
    "many old files": {
        **{f"@40000000000000000000000{number}.s": (0o744, b"old\n") for number in range(5)},
        "current": (0o644, b"cur\n"),
    },
    "linked": {"current": (0o644, b""), "previous": (0o744, b"prev\n"), "@400000003b4a39c23294b13c.s": (0o744, b"")},
}


def prepared(place: Path, state: str) -> Path:
    directory = place / "log"
    directory.mkdir()
    for name, (mode, data) in STATES[state].items():
        if state == "linked" and name[0] == "@":
            (directory / name).hardlink_to(directory / "previous")
            continue
        (directory / name).write_bytes(data)
        (directory / name).chmod(mode)
    return directory


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("processor", ["", "!cat; cat <&4 >&5; echo x >&5"])
def test_a_directory_goes_from_hand_to_hand_in_every_state(
    commands: Commands, place: Path, state: str, processor: str
) -> None:
    """Two others for every two of Debian's: each finds what it would have left itself."""
    ours, debian = commands.ours / "multilog", commands.debian / "multilog"
    script = ["n4", "s4096", *filter(None, [processor]), "./log"]
    found = []
    for sequence in ([debian] * 3, [debian, ours, debian], [ours, debian, ours]):
        directory = prepared(place, state)
        steps = []
        for number, program in enumerate(sequence):
            done = log(program, place, b"%d" % number * 2500 + b"\n", *script)
            assert (done.returncode, done.stderr) == (0, b"")
            steps.append(listing(directory))
        found.append(steps)
        shutil.rmtree(directory)
    assert found[1] == found[0]
    assert found[2] == found[0]


def test_a_stream_goes_from_hand_to_hand_by_term(commands: Commands, place: Path) -> None:
    """A pipe that outlives its readers, as svscan keeps it: every line arrives once, in order."""
    reader, writer = os.pipe()
    is_enough = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not is_enough.is_set():
            os.write(writer, b"%d\n" % written)
            written += 1
        os.close(writer)

    source = threading.Thread(target=write)
    source.start()
    for turn in range(8):
        program = (commands.ours, commands.debian)[turn % 2] / "multilog"
        process = subprocess.Popen([program, "s4096", "n1000000", "./log"], stdin=reader, cwd=place)
        before = len(list(place.glob("log/@*.s")))
        until(lambda: len(list(place.glob("log/@*.s"))) > before + 2, "more files")
        if turn < 7:
            process.send_signal(signal.SIGTERM)
        else:
            is_enough.set()
        assert process.wait(20) == 0
    source.join()
    os.close(reader)
    assert content(place / "log") == lines_of(written)


def test_kill_loses_at_most_what_was_not_written(commands: Commands, place: Path) -> None:
    """What is in a file stays in it, and what was not read goes to the next: KILL between reads costs nothing."""
    reader, writer = os.pipe()
    for number in range(12):
        program = (commands.ours, commands.debian)[number % 2] / "multilog"
        process = subprocess.Popen([program, "s4096", "n1000", "./log"], stdin=reader, cwd=place)
        for part in range(40):
            os.write(writer, b"%d %d %b\n" % (number, part, b"x" * 60))
        last = b"%d 39 %b\n" % (number, b"x" * 60)
        until(lambda: last in content(place / "log"), "the last line")
        process.kill()
        process.wait()
    os.close(reader)
    os.close(writer)
    found = [tuple(map(int, line.split()[:2])) for line in content(place / "log").splitlines()]
    assert found == [(number, part) for number in range(12) for part in range(40)]


def test_term_while_a_processor_runs_is_acted_on_when_it_is_done(ours: Path, place: Path) -> None:
    """The C program notices only when more input comes."""
    reader, writer = os.pipe()
    wait = "!echo >started; while ! test -e go; do sleep 0.05; done; cat"
    process = subprocess.Popen([ours, "s4096", wait, "./log"], stdin=reader, cwd=place)
    os.write(writer, b"x\n" * 1200)
    until((place / "log/started").exists, "the processor")
    process.send_signal(signal.SIGTERM)
    (place / "log/go").touch()
    assert process.wait(20) == 0
    os.close(reader)
    os.close(writer)
    assert content(place / "log") == b"x\n" * 1200
    assert stat.S_IMODE((place / "log/current").stat().st_mode) == 0o744


def test_signals_while_idle_are_acted_on_at_once(ours: Path, place: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen([ours, "./log"], stdin=reader, cwd=place)
    for number in range(1, 6):
        os.write(writer, b"%d\n" % number)
        until(lambda: content(place / "log").endswith(b"%d\n" % number), "the line")
        process.send_signal(signal.SIGALRM)
        until(lambda: len(list((place / "log").glob("@*.s"))) == number, "the rotation", 2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(2) == 0
    os.close(reader)
    os.close(writer)
    assert content(place / "log") == b"1\n2\n3\n4\n5\n"


def test_a_full_disk_is_waited_for(ours: Path, place: Path) -> None:
    """On a small tmpfs of its own mount namespace: nothing is lost, and nothing is read meanwhile."""
    beside = place.with_name(place.name + "-beside")
    beside.mkdir()
    script = f"""
        mount -t tmpfs -o size=128k none {place} && cd {place} || exit 100
        exec 3<&0
        {ours} s65536 n100 ./log <&3 2>{beside}/errors & multilog=$!
        until test -e {beside}/go; do sleep 0.02; done
        mount -o remount,size=4m {place}
        wait $multilog && cp -a log {beside}
    """
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    data = b"".join(b"%d %b\n" % (number, b"x" * 90) for number in range(4000))
    process = subprocess.Popen(["unshare", "-m", *rights, "sh", "-c", script], stdin=subprocess.PIPE)
    until((beside / "errors").exists, "the start")
    feeder = threading.Thread(target=process.communicate, args=(data,))
    feeder.start()
    until((beside / "errors").read_bytes, "the warning")
    (beside / "go").touch()
    feeder.join(30)
    warnings = (beside / "errors").read_bytes()
    logged = content(beside / "log")
    shutil.rmtree(beside)
    assert process.returncode == 0
    assert logged == data
    assert warnings == b"multilog: warning: unable to write to ./log/current, pausing: out of disk space\n"


def test_a_directory_that_may_not_be_written_is_waited_for(multilog: Path, place: Path) -> None:
    """Rotation needs the directory; writing goes on in the open file until then."""
    directory = place / "log"
    directory.mkdir()
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    os.chown(directory, user, -1)
    process = subprocess.Popen(
        [multilog, "s4096", "./log"], cwd=place, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        user=user,
    )  # fmt: skip
    assert process.stdin
    assert process.stderr
    until((directory / "current").exists, "the log")
    until(lambda: stat.S_IMODE((directory / "current").stat().st_mode) == 0o644, "its mode")
    directory.chmod(0o555)
    process.stdin.write(b"one\n" * 1000)
    process.stdin.close()
    line = process.stderr.readline()
    assert line == (
        b"multilog: warning: unable to rename current to previous in directory ./log, pausing: access denied\n"
    )
    assert process.poll() is None
    directory.chmod(0o755)
    assert process.wait(20) == 0
    process.stderr.close()
    assert content(directory) == b"one\n" * 1000


def test_a_directory_that_is_moved_away_and_back_goes_on(ours: Path, place: Path) -> None:
    process = subprocess.Popen([ours, "s4096", "n100", "./log"], cwd=place, stdin=subprocess.PIPE)
    assert process.stdin
    until((place / "log/current").exists, "the log")
    (place / "log").rename(place / "moved")
    process.stdin.write(lines_of(5000))
    process.stdin.flush()
    until(lambda: b"\n4999\n" in content(place / "moved"), "the lines")
    (place / "moved").rename(place / "log")
    process.stdin.close()
    assert process.wait(20) == 0
    assert content(place / "log") == lines_of(5000)


def peak_of(command: list[object], place: Path, source: list[str]) -> int:
    """Greatest resident size, in bytes, of a program that is fed by another."""
    feeder = subprocess.Popen(source, stdout=subprocess.PIPE)
    process = subprocess.Popen([str(word) for word in command], cwd=place, stdin=feeder.stdout)
    assert feeder.stdout
    feeder.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert feeder.wait() == 0
    return usage.ru_maxrss * 1024


@pytest.mark.parametrize("script", [["t", "s16777215", "n3", "./log"], ["t", "-*", "+*yy*", "./log", "1", "=status"]])
def test_a_line_of_100_megabytes_takes_no_memory(ours: Path, place: Path, script: list[str]) -> None:
    little = peak_of([ours, *script], place, ["echo", "y"])
    shutil.rmtree(place / "log")
    command = [ours, *script]
    if "1" in script:
        command = ["sh", "-c", 'exec "$0" "$@" >/dev/null', *command]
    much = peak_of(command, place, ["sh", "-c", "head -c 100000000 /dev/zero | tr '\\0' y"])
    assert much - little < 4 << 20
    assert files(place / "log")[-1].read_bytes().endswith(b"y\n")


def test_a_million_empty_lines(ours: Path, place: Path) -> None:
    little = peak_of([ours, "t", "s40000000", "./log"], place, ["true"])
    much = peak_of([ours, "t", "s40000000", "./log"], place, ["sh", "-c", "yes '' | head -n 1000000"])
    assert much - little < 24 << 20
    data = (place / "log/current").read_bytes()
    assert len(data) == 27_000_000
    assert re.fullmatch(rb"(@[0-9a-f]{24} \n)*", data)


def test_any_bytes_are_kept(multilog: Path, place: Path) -> None:
    data = bytes(range(256)) * 40 + b"\0\0\n\0\xff\xfe\n" * 100
    assert log(multilog, place, data, "s16777215", "./log").returncode == 0
    assert content(place / "log") == data


def test_a_standard_output_that_nobody_reads_does_not_stop_the_log(ours: Path, place: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [ours, "1", "./log"], cwd=place, input=b"one\ntwo\n", stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == (b"multilog: warning: unable to write to standard output, going on without it: broken pipe\n")
    assert content(place / "log") == b"one\ntwo\n"


def test_a_tee_with_a_prefix(ours: Path, place: Path) -> None:
    done = log(ours, place, b"one\ntwo", "t", "./log", "pweb: ", "1")
    stamped = re.sub(rb"(@[0-9a-f]{24} )web: ", rb"\1", done.stdout)
    assert stamped == content(place / "log")
    assert re.fullmatch(rb"@[0-9a-f]{24} web: one\n@[0-9a-f]{24} web: two\n", done.stdout)


def test_closed_descriptors_never_become_files_of_the_log(multilog: Path, place: Path) -> None:
    shell = f"exec {multilog} e ./log =status 0<&- 2>&-"
    done = subprocess.run(["sh", "-c", shell], cwd=place, capture_output=True, check=False)
    assert done.returncode == 0
    assert content(place / "log") == b""


def test_a_processor_gets_what_the_c_program_gives(commands: Commands, place: Path) -> None:
    """Signals, environment, descriptors, directory, arguments; its own are no business of the processor's."""
    script = (
        "!grep -E '^Sig[BIC]|^Umask' /proc/self/status; tr '\\0' '\\n' </proc/self/environ; echo;"
        "tr '\\0' ' ' </proc/$$/cmdline;"
        "for fd in /proc/$$/fd/*; do echo $(basename $fd) $(readlink $fd); done; pwd"
    )
    outputs = []
    for program in (commands.debian / "multilog", commands.ours / "multilog"):
        command = [str(program), "s4096", script, "./log"]
        environment = {"LANG": "C", "A": "é", "PATH": os.environ["PATH"]}
        subprocess.run(
            command, cwd=place, input=b"x\n" * 1200, env=environment, stderr=subprocess.DEVNULL, check=True, timeout=30
        )
        (old,) = (place / "log").glob("@*")
        outputs.append(re.sub(rb"(/proc/|pipe:.)[0-9]+", rb"\1N", old.read_bytes()))
        shutil.rmtree(place / "log")
    assert b"/previous" in outputs[0]
    assert b"A=\xc3\xa9" in outputs[0]
    assert outputs[0] == outputs[1]


def test_a_processor_without_its_state_says_so(multilog: Path, place: Path) -> None:
    log(multilog, place, b"x\n", "./log")
    (place / "log/state").unlink()
    process = subprocess.Popen(
        [multilog, "s4096", "!cat", "./log"], cwd=place, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stderr
    process.stdin.write(b"x\n" * 1200)
    process.stdin.close()
    said = [process.stderr.readline() for _ in range(2)]
    assert said == [
        b"multilog: fatal: unable to run cat: file does not exist\n",
        b"multilog: warning: processor failed in ./log, pausing\n",
    ]
    (place / "log/state").touch()
    assert process.wait(20) == 0
    process.stderr.close()
    assert content(place / "log") == b"x\n" * 1201
