"""How fast multilog is: bytes a second through four scripts, and the cost of a line that is written alone.

Throughput: standard input is a file of lines of 20, 100 or 1,000 bytes, or of a mail queue's log; until the program has
ended. The file has 192 MiB, so that starting the interpreter hardly counts. s6-log and svlogd stand beside Debian's
multilog where they do the same; they take one turn of a cell. Alone: a program writes 100 bytes at a time into a
pipe, as fast as it can or at intervals. The figure is the logger's processor time a line.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.rows import OURS, Row, interleave
from benchmarks.workshop import BrokenMeasurement, Workshop

C = "daemontools"
MEBIBYTE = 1 << 20

SCRIPTS = {
    "t ./main": ["t", "./main"],
    "t s16777215 n10 ./main": ["t", "s16777215", "n10", "./main"],
    "t -* '+* status: *' =status": ["t", "-*", "+* status: *", "=status"],
    "t ./main -* '+* status: *' =status": ["t", "./main", "-*", "+* status: *", "=status"],
}

PEERS = {
    "s6": {
        "t ./main": ["s6-log", "-b", "t", "./main"],
        "t s16777215 n10 ./main": ["s6-log", "-b", "s16777215", "n9", "t", "./main"],
        "t -* '+* status: *' =status": ["s6-log", "-b", "--", "-", "+^status: ", "t", "=status"],
        "t ./main -* '+* status: *' =status": ["s6-log", "-b", "t", "./main", "-", "+^status: ", "t", "=status"],
    },
    "runit": {
        "t ./main": ["svlogd", "-t", "main"],
        "t s16777215 n10 ./main": ["svlogd", "-t", "main"],
    },
}
SVLOGD_CONFIG = {"t ./main": "s99999\nn10\n", "t s16777215 n10 ./main": "s16777215\nn10\n"}

WORDS = b"the queue: is empty and a connection from mail was accepted; status of one delivery: closed".split()
"""Every byte of the pattern occurs in them, so that no quick look can rule out a match."""

FAST = "lines written one at a time, as fast as they can be"
SELDOM = "lines written one at a time, 1,000 a second"
WAKES = "each line wakes the logger, and a wake-up of an interpreter costs more than the line"

WRITER = """
import os, sys, time
count, gap = int(sys.argv[1]), float(sys.argv[2])
line, due = b"x" * 99 + b"\\n", time.perf_counter()
for _ in range(count):
    os.write(1, line)
    if gap:
        due += gap
        time.sleep(max(due - time.perf_counter(), 0))
"""


def text_lines(length: int) -> bytes:
    """About a mebibyte of lines of words, `length` bytes each, newline included."""
    chance = random.Random(length)
    lines = []
    for _ in range(MEBIBYTE // length):
        words = b" ".join(chance.choices(WORDS, k=length // 3 + 2))
        lines.append(words[: length - 1] + b"\n")
    return b"".join(lines)


def mail_lines() -> bytes:
    """About a mebibyte of qmail-send's log."""
    chance = random.Random(0)
    lines: list[str] = []
    for number in range(3400):
        message, remote, size = 190000 + number % 977, number % 20, chance.randrange(400, 90000)
        lines += [
            f"new msg {message}",
            f"info msg {message}: bytes {size} from <u{number % 89}@example.org> qp {number} uid 7",
            f"starting delivery {number}: msg {message} to remote someone{number % 97}@example.net",
            f"status: local 0/10 remote {remote}/20",
            f"delivery {number}: success: 192.0.2.{number % 250}_accepted_message./Remote_host_said:_250_ok_{number}/",
            f"status: local 0/10 remote {remote - 1 if remote else 0}/20",
            f"end msg {message}",
        ]
    return "".join(line + "\n" for line in lines).encode()


KINDS: dict[str, Callable[[], bytes]] = {
    "20-byte lines": lambda: text_lines(20),
    "100-byte lines": lambda: text_lines(100),
    "1,000-byte lines": lambda: text_lines(1000),
    "qmail's lines": mail_lines,
}


def run(command: list[str], place: Path, source: int, config: str) -> tuple[float, float]:
    """Run a logger in a new directory until it has read everything: seconds, and processor seconds."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "main").mkdir(parents=True) if config else place.mkdir()
    if config:
        (place / "main/config").write_text(config)
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=place, stdin=source, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BrokenMeasurement(f"{command}: exit {process.returncode}")
    return took, usage.ru_utime + usage.ru_stime


def throughput(workshop: Workshop, kind: str, script: str, data: Path) -> Row:
    """MB a second."""
    commands = {C: ["multilog", *SCRIPTS[script]], OURS: [str(workshop.ours / "multilog"), *SCRIPTS[script]]}
    for peer, known in PEERS.items():
        if peer in workshop.peers and script in known:
            commands[peer] = known[script]

    def measured(name: str) -> float:
        config = SVLOGD_CONFIG[script] if name == "runit" else ""
        with data.open("rb") as source:
            return (
                data.stat().st_size
                / run(commands[name], workshop.directory / "place", source.fileno(), config)[0]
                / 1e6
            )

    contestants = {name: lambda name=name: measured(name) for name in commands}
    once = dict.fromkeys(PEERS, 1)
    samples = interleave(contestants, workshop.rounds(3), warm_up=not workshop.quick, at_most=once)
    return Row(f"{kind}, {script}", "MB/s", samples, "multilog", C, more_is_better=True)


def alone(workshop: Workshop, gap: float, count: int, work: str, note: str = "") -> Row:
    """Processor time a line that is written alone, interpreter's start included."""

    def measured(program: str) -> float:
        reader, writer = os.pipe()
        source = subprocess.Popen([sys.executable, "-c", WRITER, str(count), str(gap)], stdout=writer)
        os.close(writer)
        cost = run([program, "t", "./main"], workshop.directory / "place", reader, "")[1]
        os.close(reader)
        source.wait()
        return cost / count * 1e6

    programs = {C: "multilog", OURS: str(workshop.ours / "multilog")}
    contestants = {name: lambda program=program: measured(program) for name, program in programs.items()}
    return Row(work, "µs of CPU a line", interleave(contestants, workshop.rounds(3)), reference=C, note=note)


def measure(workshop: Workshop) -> list[Row]:
    """All cells, the median over them, and lines written alone."""
    rows = []
    copies = 32 if workshop.quick else 192
    for kind, make in KINDS.items():
        scripts = [each for each in SCRIPTS if workshop.wants(f"{kind}, {each}")]
        if not scripts:
            continue
        data = workshop.directory / "lines"
        block = make()
        with data.open("wb") as file:
            for _ in range(copies):
                file.write(block)
        rows += [throughput(workshop, kind, each, data) for each in scripts]
        data.unlink()
    if len(rows) == len(KINDS) * len(SCRIPTS):
        medians = [median(ratios) for ratios in zip(*(row.ratios(C) for row in rows), strict=True)]
        over_all = {OURS: medians, C: [1.0] * len(medians)}
        rows.append(Row("multilog, median of all cells", "times", over_all, "multilog, median", more_is_better=True))
    if workshop.wants(FAST):
        rows.append(alone(workshop, 0, 20_000 if workshop.quick else 1_000_000, FAST))
    if workshop.wants(SELDOM):
        rows.append(alone(workshop, 1e-3, 200 if workshop.quick else 5000, SELDOM, WAKES))
    return rows
