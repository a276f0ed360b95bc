"""Lines to the container's standard output, a pipe that a C program reads as fast as it can.

Throughput: one service floods lines of 100 bytes, written in blocks of forty. The figure is MB of its lines a second,
from its first write until the last line was read. Latency: one service writes 1,000 lines a second, one at a time. The
figure is the time from before a write until the reader has the line.

pyinit's lines are text, `NAME: LINE`, or JSON objects. The others pass lines on as they came: supervisord with
`stdout_logfile=/dev/fd/1`, `s6-log 1` as the logger of s6, and `cat` in a pipeline without any supervision.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

from benchmarks.machine import Machine, wait_until
from benchmarks.record import Record
from benchmarks.rows import CAT, OURS, Row, column, interleave
from benchmarks.supervisors import S6, Pyinit, Supervisor, Supervisord, script
from benchmarks.workshop import Workshop

LINE = 100
"""Bytes (programs/flood.c)."""

GAP = 1_000_000
"""Nanoseconds between two lines, where latency is measured."""


class Text(Pyinit):
    """Ours, with lines as text."""

    style = "text"

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        words = super().command(top, count, logged)
        self.environment |= {"PYINIT_LOG": "stdout", "PYINIT_LOG_FORMAT": self.style}
        return words


class Json(Text):
    """Ours, with lines as JSON objects."""

    style = "json"


class S6Stdout(S6):
    """s6 with s6-log to its standard output, which is the container's."""

    def add_logger(self, top: Path, directory: Path) -> None:
        (directory / "log").mkdir()
        script(directory / "log/run", f"{self.chain} /usr/bin/s6-log 1")


class SupervisordStdout(Supervisord):
    """supervisord with its services' lines on its standard output."""

    def destination(self, top: Path, name: str) -> tuple[str, int]:
        return "/dev/fd/1", 0


class Cat(Supervisor):
    """The service, a pipe and cat."""

    name = CAT

    def add_logger(self, top: Path, directory: Path) -> None:
        """It is in the pipeline."""

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        return ["sh", "-c", f"{top}/service/{self.names(1)[0]}/run | cat"]


def measure(workshop: Workshop) -> list[Row]:
    """Two rows of throughput, two of latency."""
    rows = []
    kinds: list[type[Supervisor]] = [Text, S6Stdout, SupervisordStdout, Cat]
    made = [kind(workshop) for kind in kinds if kind.peer is None or kind.peer in workshop.peers]
    text, json = "text lines to stdout", "JSON lines to stdout"
    if workshop.wants(text, json):
        count = 20_000 if workshop.quick else 2_000_000
        contestants = {each.name: _flood(each, count) for each in made}
        contestants["JSON"] = _flood(Json(workshop), count)
        samples = interleave(contestants, workshop.rounds(5), at_most={"supervisord": 1})
        of_json = samples.pop("JSON")
        rows.append(Row(text, "MB/s", samples, reference=CAT, more_is_better=True))
        rows.append(Row(json, "MB/s", samples | {OURS: of_json}, reference=CAT, more_is_better=True, note=NOTE))
    work = "write(2) to line on stdout"
    median, p99 = f"{work}, median", f"{work}, p99"
    if workshop.wants(median, p99):
        count = 100 if workshop.quick else 2000
        delays = interleave({each.name: _trickle(each, count) for each in made}, workshop.rounds(5))
        rows.append(Row(median, "us", column(delays, "median"), reference=CAT))
        rows.append(Row(p99, "us", column(delays, "p99"), reference=CAT))
    return rows


NOTE = "the others are those of the row above: they write no JSON"


def _flood(supervisor: Supervisor, count: int) -> Callable[[], float]:
    def run() -> float:
        began, over = _through(supervisor, count, gap=0, notes=1, every=count)
        return count * LINE / ((over[0] - began[0]) / 1e9) / 1e6

    return run


def _trickle(supervisor: Supervisor, count: int) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        written, read = _through(supervisor, count, gap=GAP, notes=count, every=1)
        cuts = quantiles([b - a for a, b in zip(written, read, strict=True)], n=100)
        return {"median": cuts[49] / 1000, "p99": cuts[98] / 1000}

    return run


def _through(supervisor: Supervisor, count: int, gap: int, notes: int, every: int) -> tuple[list[int], list[int]]:
    """Run one service that writes `count` lines until all were read: the times noted by it, and by the reader."""
    workshop = supervisor.workshop
    arrived = Record(workshop.directory / "arrived", count // every)
    reader, writer = os.pipe()
    drain = subprocess.Popen([workshop.program("drain"), arrived.path, str(every)], stdin=reader)
    os.close(reader)
    flood = f"{workshop.program('flood')} RECORD {count} {gap}"
    try:
        with Machine(supervisor, 1, logged=True, run=flood, notes=notes, stdout=writer) as machine:
            wait_until(
                lambda: arrived.count == count // every,
                lambda: f"{supervisor.name}: {arrived.count} of {count // every} read; {machine.output()[-500:]!r}",
            )
            return machine.record.times(), arrived.times()
    finally:
        os.close(writer)
        drain.wait()
        arrived.close()
