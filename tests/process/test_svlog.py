"""svlog the program, on directories that real multilogs write, ours and Debian's."""

import fcntl
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any

import pytest
from machine import BIN, ROOT, environment
from waiting import until

from pyinit import tai
from pyinit.formats import paths
from pyinit.formats.counters import Counters, pack

MULTILOGS = {"ours": [sys.executable, "-IS", str(BIN / "multilog")], "debian": ["/usr/bin/multilog"]}
SVLOG = [sys.executable, "-IS", str(BIN / "svlog")]


class House:
    """A log directory and a service directory of their own, and what reads them."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.logs = top / "logs"
        self.services = top / "service"
        self.logs.mkdir()
        self.services.mkdir()
        self.environment = environment(PYINIT_LOG_DIR=str(self.logs), PYINIT_SERVICE_DIR=str(self.services))
        self.running: list[subprocess.Popen[Any]] = []

    def svlog(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
        env = {**self.environment, **more}
        return subprocess.run([*SVLOG, *arguments], env=env, capture_output=True, check=False, timeout=60, cwd=self.top)

    def start(self, *arguments: str, **how: object) -> "Followed":
        return Followed(self, arguments, how)

    def multilog(self, multilog: str, name: str, data: bytes, *script: str) -> None:
        line = [*MULTILOGS[multilog], "t", *script, str(self.logs / name)]
        subprocess.run(line, input=data, check=True, timeout=60, env=self.environment)

    def end(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


class Followed:
    """A svlog that runs, its output in files."""

    def __init__(self, house: House, arguments: tuple[str, ...], how: dict[str, Any]) -> None:
        number = len(house.running)
        self.out, self.err = house.top / f"out{number}", house.top / f"err{number}"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            how = {"stdout": out, "stderr": err, "env": house.environment, "cwd": house.top, **how}
            self.process = subprocess.Popen([*SVLOG, *arguments], **how)
        house.running.append(self.process)

    def messages(self) -> list[bytes]:
        return messages(self.out.read_bytes())

    def wakeups(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return sum(map(int, re.findall(r"voluntary_ctxt_switches:\s+(\d+)", status)))

    def is_asleep(self) -> bool:
        """Whether it did nothing for a while."""
        before = self.wakeups()
        time.sleep(0.2)
        return self.wakeups() == before


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.end()
    shutil.rmtree(tmp_path, ignore_errors=True)


def messages(output: bytes) -> list[bytes]:
    """What follows the times."""
    return [re.sub(rb"^.*?\d\.\d{9}Z? ", b"", line) for line in output.splitlines()]


def numbered(count: int) -> bytes:
    return b"".join(b"line %d of many\n" % number for number in range(count))


def labelled(seconds_ago: float, text: str) -> bytes:
    return tai.label(time.time_ns() - int(seconds_ago * 1e9)) + f" {text}\n".encode()


def put(directory: Path, *lines: bytes) -> None:
    directory.mkdir(parents=True)
    (directory / "current").write_bytes(b"".join(lines))


@pytest.mark.parametrize("processor", [[], ["!gzip"], ["!xz -0"]])
@pytest.mark.parametrize("multilog", MULTILOGS)
def test_a_log_is_printed_as_tai64nlocal_shows_it(house: House, multilog: str, processor: list[str]) -> None:
    house.multilog(multilog, "web", numbered(3000), "s32768", "n100", *processor)
    log = house.logs / "web"
    assert len(list(log.glob("@*"))) > 2
    done = house.svlog("web", TZ="America/New_York")
    assert (done.returncode, done.stderr) == (0, b"")
    assert messages(done.stdout) == numbered(3000).splitlines()
    unpack = {"!gzip": "zcat", "!xz -0": "xzcat"}.get("".join(processor), "cat")
    peer = f"({unpack} {log}/@*; cat {log}/current) | TZ=America/New_York tai64nlocal"
    assert done.stdout == subprocess.run(["sh", "-c", peer], capture_output=True, check=True).stdout
    assert house.svlog("-n", "700", "web", TZ="America/New_York").stdout == b"".join(
        done.stdout.splitlines(True)[-700:]
    )


def test_services_are_merged_and_named(house: House) -> None:
    processes = []
    for name, multilog in (("one", "ours"), ("two", "debian")):
        script = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.03; done"
        script += f" | {' '.join(MULTILOGS[multilog])} t {house.logs}/{name}"
        processes.append(subprocess.Popen(["sh", "-c", script], env=house.environment))
    assert [process.wait(30) for process in processes] == [0, 0]
    lines = house.svlog("--utc").stdout.splitlines()
    shapes = [re.fullmatch(rb"(one|two): (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9})Z (\d)", line) for line in lines]
    assert all(shapes)
    times = [shape[2] for shape in shapes if shape]
    assert times == sorted(times)
    for log in (b"one", b"two"):
        assert [shape[3] for shape in shapes if shape and shape[1] == log] == [b"%d" % number for number in range(1, 7)]
    assert house.svlog("two", "--utc").stdout.splitlines() == [line[5:] for line in lines if line[:3] == b"two"]


def test_a_window_of_time(house: House) -> None:
    put(house.logs / "web", *(labelled(60 * age, f"{age} minutes") for age in (90, 60, 30, 10, 1)))
    assert messages(house.svlog("--since", "45m").stdout) == [b"30 minutes", b"10 minutes", b"1 minutes"]
    assert messages(house.svlog("--until=20m", "--since=1.25h").stdout) == [b"60 minutes", b"30 minutes"]
    assert messages(house.svlog("--until", "20m", "-n1").stdout) == [b"30 minutes"]
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - 1200))
    assert messages(house.svlog("--since", stamp).stdout) == [b"10 minutes", b"1 minutes"]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 1200))
    east = {"TZ": "Asia/Tokyo"}
    assert messages(house.svlog("--utc", "--since", stamp, **east).stdout) == [b"10 minutes", b"1 minutes"]
    assert messages(house.svlog("--since", stamp + "Z", **east).stdout) == [b"10 minutes", b"1 minutes"]


@pytest.mark.parametrize(
    "arguments",
    [
        "-x",
        "-n",
        "-n x",
        "-n -1",
        "-n 1x",
        "-fx",
        "--since",
        "--until=",
        "--sinc 1m",
        "--utc=1",
        "-n 99999999999999999999",
        "-g",
        "-g x -C",
        "-g x -C y",
        "-C 1",
        "--json=1",
        "-f --stats",
        "-n 5 --stats",
    ],
)
def test_wrong_usage(house: House, arguments: str) -> None:
    done = house.svlog(*arguments.split())
    expected = b"svlog: usage: svlog [-f] [-n LINES] [-g REGEX] [-C LINES] [--since T] [--until T] [--utc] "
    expected += b"[--json] [--stats] [SERVICE...]\n"
    assert (done.returncode, done.stdout, done.stderr) == (100, b"", expected)


def test_a_time_that_is_none(house: House) -> None:
    done = house.svlog("--since", "yesterday")
    assert done.returncode == 100
    assert done.stderr.startswith(b"svlog: fatal: unable to understand time yesterday\nsvlog: usage: ")


@pytest.mark.parametrize("processor", [[], ["!gzip"], ["!zstd -q"]], ids=["plain", "gzip", "zstd"])
def test_matches_are_found_in_all_files(house: House, processor: list[str]) -> None:
    house.multilog("ours", "web", numbered(3000), "s32768", "n100", *processor)
    assert len(list((house.logs / "web").glob("@*"))) > 2
    done = house.svlog("-g", r"line \d*77 of", "-C1")
    around = [number + near for number in range(77, 3000, 100) for near in (-1, 0, 1)]
    assert (done.returncode, done.stderr) == (0, b"")
    assert messages(done.stdout) == [b"line %d of many" % number for number in around]


def test_a_pattern_that_cannot_be_understood(house: House) -> None:
    done = house.svlog("-g", "a(b")
    assert (done.returncode, done.stdout) == (100, b"")
    expected = b"svlog: fatal: unable to understand pattern a(b: missing ), unterminated subpattern at position 1\n"
    assert done.stderr.startswith(expected)


def test_following_shows_matches_as_they_come(house: House) -> None:
    put(house.logs / "web", labelled(1, "error 1"), labelled(1, "quiet"))
    log = house.start("-f", "-g", "error", "-C", "1", "--json")
    until(lambda: len(log.out.read_bytes().splitlines()) == 2)
    with (house.logs / "web/current").open("ab") as current:
        current.write(labelled(0, "a") + labelled(0, "b") + labelled(0, "error 2"))
    until(lambda: b"error 2" in log.out.read_bytes())
    objects = [json.loads(line) for line in log.out.read_bytes().splitlines()]
    assert [found["message"] for found in objects] == ["error 1", "quiet", "b", "error 2"]
    assert {found["service"] for found in objects} == {"web"}


def test_what_cannot_be_read_is_told_and_the_rest_is_printed(house: House) -> None:
    put(house.logs / "web", labelled(1, "here"))
    first, second = labelled(9, "").split()[0].decode(), labelled(8, "").split()[0].decode()
    (house.logs / f"web/{first}.s").write_bytes(b"\x1f\x8b\x08 no gzip")
    (house.logs / f"web/{second}.s").symlink_to("nowhere")
    (house.logs / "empty").mkdir()
    done = house.svlog("web", "none", "empty", "-n", "5")
    assert re.fullmatch(rb"(web: )?\d.* here\n", done.stdout)
    assert done.returncode == 111
    web = bytes(house.logs / "web")
    assert sorted(done.stderr.splitlines()) == [
        b"svlog: warning: unable to find log of none: file does not exist",
        b"svlog: warning: unable to open %b/current: file does not exist" % bytes(house.logs / "empty"),
        b"svlog: warning: unable to open %b/%b.s: file does not exist" % (web, second.encode()),
        b"svlog: warning: unable to read %b/%b.s: bad format" % (web, first.encode()),
    ]


def test_no_logs_at_all(house: House) -> None:
    done = house.svlog()
    expected = b"svlog: warning: unable to find any log in %b or %b\n" % (bytes(house.logs), bytes(house.services))
    assert (done.returncode, done.stdout, done.stderr) == (111, b"", expected)


def test_logs_that_are_not_kept_are_explained(house: House) -> None:
    """Where a pyinit runs, and its logs go to standard output only."""
    state = house.top / "state"
    state.mkdir(mode=0o755)
    (state / "lock").write_bytes(paths.pack_lock(1, bytes(house.services)))
    hint = [b"docker logs CONTAINER", b"PYINIT_LOG=both -v logs:/var/log/services"]
    with (state / "lock").open("rb") as lock:
        assert not any(text in house.svlog(PYINIT_STATE=str(state)).stderr for text in hint)
        fcntl.flock(lock, fcntl.LOCK_EX)
        for arguments in [], ["web"]:
            assert all(text in house.svlog(*arguments, PYINIT_STATE=str(state)).stderr for text in hint)
        kept = house.svlog(PYINIT_STATE=str(state), PYINIT_LOG="volume")
        assert not any(text in kept.stderr for text in hint)
        put(house.logs / "web", labelled(1, "here"))
        assert house.svlog(PYINIT_STATE=str(state)).stderr == b""


def test_the_page_shows_what_svlog_prints(house: House) -> None:
    page = (ROOT / "docs/commands/svlog.md").read_text().partition("## EXAMPLES")[2]
    sessions = re.findall(r"^    \$ svlog (.*)\n((?:(?:    (?!\$).*)?\n)+)", page, re.MULTILINE)
    assert len(sessions) == 4
    lines = re.findall(r"^    (\w+): (\S+) (\S+)Z (.*)$", page, re.MULTILINE)
    counters = {}
    for name, kind in (("db", "rfc3339"), ("web", "tai64n")):
        text = [f"{date}T{time}Z {message}\n" for service, date, time, message in lines if service == name]
        if kind == "tai64n":
            text = [tai.label(key_time(line)).decode() + line[30:] for line in text]
        put(house.logs / name, *(line.encode() for line in text))
        each = counters[name.encode()] = Counters()
        each.lines_in = each.lines_written = len(text)
        each.bytes_in = each.bytes_written = sum(len(line.partition(" ")[2]) for line in text)
    (house.top / "logs.table").write_bytes(pack(counters))
    state = house.top / "state"
    state.mkdir(mode=0o755)
    (house.top / "logs.table").rename(state / "logs")
    for arguments, shown in sessions:
        expected = textwrap.dedent(shown).strip("\n") + "\n"
        assert house.svlog(*arguments.split(), PYINIT_STATE=str(state)).stdout.decode() == expected


def key_time(line: str) -> int:
    """Unix nanoseconds of a line with a time of RFC 3339."""
    return int(datetime.fromisoformat(line[:19] + "+00:00").timestamp()) * 10**9 + int(line[20:29])


def test_a_full_output_is_told(house: House) -> None:
    put(house.logs / "web", labelled(1, "here"))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*SVLOG], env=house.environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (
        111,
        b"svlog: fatal: unable to write to standard output: out of disk space\n",
    )


def test_a_reader_that_leaves_ends_it_quietly(house: House) -> None:
    put(house.logs / "web", *(labelled(5, f"{number}" * 50) for number in range(9999)))
    log = house.start("web", stdout=subprocess.PIPE)
    assert log.process.stdout
    assert log.process.stdout.readline()
    log.process.stdout.close()
    assert log.process.wait(10) == 0
    assert log.err.read_bytes() == b""


def test_a_reader_that_leaves_ends_following_without_a_line_more(house: House) -> None:
    put(house.logs / "web", labelled(1, "here"))
    log = house.start("-f", "web", stdout=subprocess.PIPE)
    assert log.process.stdout
    assert log.process.stdout.readline().endswith(b" here\n")
    log.process.stdout.close()
    assert log.process.wait(10) == 0
    assert log.err.read_bytes() == b""


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_signal_ends_following_quietly(house: House, number: int) -> None:
    put(house.logs / "web", labelled(1, "here"))
    log = house.start("-f")
    until(log.messages)
    log.process.send_signal(number)
    assert log.process.wait(10) == -number
    assert log.err.read_bytes() == b""


def test_following_begins_with_the_last_lines(house: House) -> None:
    put(house.logs / "web", *(labelled(60 - number, f"line {number}") for number in range(50)), b"begun")
    log = house.start("-f", "web")
    until(lambda: len(log.messages()) == 10)
    with (house.logs / "web/current").open("ab") as current:
        current.write(b" and ended\n" + labelled(0, "next"))
    until(lambda: len(log.messages()) >= 12)
    assert log.messages()[:10] == [b"line %d" % number for number in range(40, 50)]
    assert log.out.read_bytes().splitlines()[10] == b"begun and ended"
    assert log.messages()[11] == b"next"


WRITER = """
import sys, time
for number in range(int(sys.argv[1])):
    sys.stdout.write("line %d of many\\n" % number)
    if number % 50 == 0:
        sys.stdout.flush()
        time.sleep(0.001)
"""


@pytest.mark.parametrize("script", [["s4096", "n10000"], ["s4096", "n10000", "!gzip -1"]])
@pytest.mark.parametrize("multilog", MULTILOGS)
def test_following_through_rapid_rotation_loses_and_doubles_nothing(
    house: House, multilog: str, script: list[str]
) -> None:
    count = 4000 if len(script) == 3 else 40000
    log = house.start("-f", "web", "-n", "99999")
    until(log.err.read_bytes)
    writer = [sys.executable, "-IS", "-c", WRITER, str(count)]
    line = f"{' '.join(MULTILOGS[multilog])} t {' '.join(script[:2])} '{''.join(script[2:])}' {house.logs}/web"
    source = subprocess.Popen(writer, stdout=subprocess.PIPE)
    subprocess.run(["sh", "-c", line], stdin=source.stdout, check=True, timeout=60, env=house.environment)
    assert source.stdout
    source.stdout.close()
    assert source.wait() == 0
    assert len(list((house.logs / "web").iterdir())) > 30
    until(lambda: log.out.read_bytes().endswith(b" %d of many\n" % (count - 1)), "the last line", 20)
    assert log.messages() == numbered(count).splitlines()
    assert log.err.read_bytes() == b"svlog: warning: unable to find log of web: file does not exist\n"


def test_reading_while_it_rotates_doubles_nothing(house: House) -> None:
    """Every look finds the numbers from some first one to some last one, each once."""
    script = f"exec {' '.join(MULTILOGS['ours'])} t s4096 n50 {house.logs}/web"
    source = subprocess.Popen([sys.executable, "-IS", "-c", WRITER, "1000000"], stdout=subprocess.PIPE)
    log = subprocess.Popen(["sh", "-c", script], stdin=source.stdout, env=house.environment)
    house.running += [source, log]
    assert source.stdout
    source.stdout.close()
    until(lambda: (house.logs / "web").exists() and len(list((house.logs / "web").iterdir())) > 20)
    for _ in range(20):
        numbers = [int(message.split()[1]) for message in messages(house.svlog("web", "-n", "900").stdout)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert len(numbers) == 900


def test_following_services_that_come_and_logs_that_go(house: House) -> None:
    house.multilog("ours", "one", b"a\n")
    log = house.start("-f")
    until(lambda: log.messages() == [b"a"])
    house.multilog("ours", "two", b"b\n")
    until(lambda: log.messages() == [b"a", b"b"])
    shutil.rmtree(house.logs / "one")
    house.multilog("debian", "one", b"c\n")
    until(lambda: log.messages() == [b"a", b"b", b"c"])
    (house.services / "own/log/kept").mkdir(parents=True)
    subprocess.run([*MULTILOGS["ours"], "t", house.services / "own/log/kept"], input=b"d\n", check=True)
    until(lambda: log.messages() == [b"a", b"b", b"c", b"d"])
    shutil.rmtree(house.logs)
    house.logs.mkdir()
    house.multilog("ours", "three", b"e\n")
    until(lambda: log.messages() == [b"a", b"b", b"c", b"d", b"e"])
    names = [line.partition(b": ")[0] for line in log.out.read_bytes().splitlines()]
    assert names == [b"one", b"two", b"one", b"own", b"three"]
    assert log.err.read_bytes() == b""


def test_following_what_is_not_there_yet(house: House) -> None:
    house.logs.rmdir()
    log = house.start("-f", "web")
    until(log.err.read_bytes)
    until(log.is_asleep)
    house.logs.mkdir()
    house.multilog("ours", "web", b"a\n")
    until(lambda: log.messages() == [b"a"])


def test_following_until_a_time(house: House) -> None:
    put(house.logs / "web", labelled(1, "here"))
    end = time.time() + 1.5
    log = house.start("-f", "--until", tai.label(int(end * 1e9)).decode())
    until(lambda: log.messages() == [b"here"])
    with (house.logs / "web/current").open("ab") as current:
        current.write(labelled(0, "more") + labelled(-10, "too late"))
    assert log.process.wait(10) == 0
    assert log.messages() == [b"here", b"more"]
    assert time.time() >= end


def test_following_a_quiet_log_takes_no_time(house: House) -> None:
    for name in ("one", "two", "three"):
        put(house.logs / name, labelled(1, "here"))
    log = house.start("-f")
    until(lambda: len(log.messages()) == 3)
    until(log.is_asleep)
    before = log.wakeups()
    time.sleep(1.5)
    assert log.wakeups() == before


def peak(arguments: list[str], env: dict[str, str]) -> tuple[int, int]:
    """Bytes printed and the most memory that was used until the last but one MB of them, in MB."""
    process = subprocess.Popen([*SVLOG, *arguments], env=env, stdout=subprocess.PIPE)
    assert process.stdout
    size, most = 0, 0
    while block := process.stdout.read(1 << 20):
        size += len(block)
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        most = int(found[1]) // 1024 if found else most
    process.stdout.close()
    assert process.wait(10) == 0
    return size, most


def test_memory_is_bounded(house: House) -> None:
    for place, name in enumerate(("one", "two", "three")):
        (house.logs / name).mkdir()
        with (house.logs / name / "current").open("wb") as current:
            for number in range(0, 400_000, 100):
                lines = range(number, number + 100)
                current.write(b"".join(tai.label(line * 3000 + place) + b" " + b"x" * 70 + b"\n" for line in lines))
    size = sum(path.stat().st_size for path in house.logs.glob("*/current"))
    assert size > 100_000_000
    printed, most = peak([], house.environment)
    assert printed > size
    assert 0 < most < 30
    printed, most = peak(["-n", "500000"], house.environment)
    assert 0 < most < 30


def test_memory_is_bounded_on_a_line_without_end(house: House) -> None:
    for name in ("one", "two"):
        put(house.logs / name, labelled(2, "x"))
        with (house.logs / name / "current").open("ab") as current:
            current.write(labelled(1, "")[:-1])
            for _ in range(40):
                current.write(b"y" * 1_000_000)
            current.write(b"\n" + labelled(0, "z"))
    assert 0 < peak(["-n", "4"], house.environment)[1] < 30
    lines = house.svlog("-n", "4").stdout.split(b"\n")
    assert [len(line) for line in lines[:2]] == [40_000_000 + len(b"one: 1999-08-24 04:04:05.787492500 ")] * 2
    assert sorted(line[-1:] for line in lines[2:4]) == [b"z", b"z"]


def test_a_window_of_a_large_file_fits_into_little_memory(house: House) -> None:
    """A file of 200 MB whose clock was set back in its middle, read with an address space smaller than it."""
    (house.logs / "web").mkdir()
    with (house.logs / "web/current").open("wb") as current:
        for block in (*range(1100), *range(900, 2000)):
            lines = range(block * 1000, block * 1000 + 1000)
            current.write(b"".join(tai.label(line * 10**6) + b" " + b"x" * 64 + b"\n" for line in lines))
    assert (house.logs / "web/current").stat().st_size > 200_000_000
    limited = ["prlimit", f"--as={120 << 20}", *SVLOG]
    for arguments, count in (
        (["-n", "1000"], 1000),
        (["--since", tai.label(1_999_000 * 10**6).decode()], 1000),
        (["--since", tai.label(1_099_000 * 10**6).decode(), "-n", "2000000"], 1_101_000),
        (["--until", tai.label(1_000_000 * 10**6).decode(), "-n", "10"], 10),
    ):
        done = subprocess.run([*limited, *arguments], env=house.environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", count)


TQDM = """
import sys
class tqdm:
    def __init__(self, total, **how):
        self.n = 0
        print("bar", total, file=sys.stderr, flush=True)
    def update(self, n): self.n += n
    def close(self): print("done", self.n, file=sys.stderr, flush=True)
"""
WITH_TQDM = "import sys; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; from pyinit.__main__ import run; run('svlog')"


def on_a_terminal(house: House, arguments: list[str], redirect: Callable[[int], dict[str, Any]]) -> str:
    """What svlog, with a stand-in for tqdm, says on standard error, a terminal."""
    (house.top / "tqdm.py").write_text(TQDM)
    ours, theirs = pty.openpty()
    line = [sys.executable, "-c", WITH_TQDM, str(house.top), str(ROOT), *arguments]
    subprocess.run(line, env=house.environment, stderr=theirs, check=True, timeout=60, **redirect(theirs))
    os.set_blocking(ours, False)
    try:
        return os.read(ours, 9999).decode()
    except BlockingIOError:
        return ""
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_bar_is_shown_to_a_person_who_waits(house: House) -> None:
    put(house.logs / "web", labelled(1, "x" * 1000) * 9000)
    size = (house.logs / "web/current").stat().st_size
    away = {"stdout": subprocess.DEVNULL}
    assert on_a_terminal(house, [], lambda terminal: away).split() == ["bar", str(size), "done", str(size)]
    assert on_a_terminal(house, ["-n", "3"], lambda terminal: away) == ""
    assert "bar" not in on_a_terminal(house, ["--since", "1s", "--until", "5h"], lambda terminal: {"stdout": terminal})
