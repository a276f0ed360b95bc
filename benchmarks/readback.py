"""svlog on 1 GB of one service, in 10 files that are not compressed: the last 1,000 lines, found without reading all.

By number (`-n`) and by time (`--since`). Lines have 100 bytes, label included; their times are a millisecond apart.
Wall time until svlog has ended, held against a bare interpreter.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.bounds import BARE
from benchmarks.rows import OURS, Row, interleave
from benchmarks.workshop import BrokenMeasurement, Workshop
from pyinit import tai

FILES, WANTED = 10, 1000
BEGINNING = 1_700_000_000 * 10**9
MILLISECOND = 10**6
MESSAGE = b"GET /index.html HTTP/1.1 200 a line of an access log, with as much in it".ljust(73, b".") + b"\n"


def measure(workshop: Workshop) -> list[Row]:
    """A row for each way."""
    count = 10_000 if workshop.quick else 1_000_000
    size = "1 GB" if not workshop.quick else "10 MB"
    works = {f"{WANTED:,} lines of {size}, by {option}": option for option in ("-n", "--since")}
    if not workshop.wants(*works):
        return []
    log = workshop.directory / "readback"
    since = fill(log, count)
    rows = []
    for work, option in works.items():
        value = since if option == "--since" else str(WANTED)
        command = [str(workshop.ours / "svlog"), option, value, str(log)]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.count(b"\n")
        if found != WANTED:
            raise BrokenMeasurement(f"{command}: {found} lines")
        contestants = {
            OURS: _run(workshop, command),
            BARE: _run(workshop, [workshop.python, "-I", "-S", "-c", "pass"]),
        }
        rows.append(Row(work, "ms", interleave(contestants, workshop.rounds(21)), "svlog"))
    for file in log.iterdir():
        file.unlink()
    return rows


def fill(log: Path, count: int) -> str:
    """Make a log directory with so many lines in each file; returns the label of the first of the last WANTED lines."""
    log.mkdir()
    number = 0
    for turn in range(FILES):
        with (log / "current").open("wb") as current:
            for _ in range(count // WANTED):
                current.write(b"".join(_line(each) for each in range(number, number + WANTED)))
                number += WANTED
        (log / "current").chmod(0o744)
        if turn < FILES - 1:
            (log / "current").rename(log / f"{_label(number).decode()}.s")
    return _label(number - WANTED).decode()


def _label(number: int) -> bytes:
    return tai.label(BEGINNING + number * MILLISECOND)


def _line(number: int) -> bytes:
    return b"%b %b" % (_label(number), MESSAGE)


def _run(workshop: Workshop, command: list[str]) -> Callable[[], float]:
    def once() -> float:
        code, wall, _ = workshop.cost(*command)
        if code:
            raise BrokenMeasurement(f"{command}: exit code {code}")
        return wall

    return once
