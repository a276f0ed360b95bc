"""The table of the README: the rows that say most, out of a run's results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.rows import OURS, Row, figure

BEGIN, END = "<!-- made by make bench -->\n", "<!-- end -->\n"

SHOWN = {
    "up": (
        "10 services up, each with a logger: executed",
        "10 services up, each with a logger: first lines in the logs",
        "500 services up, each with a logger: first lines in the logs",
        "1,000 services up, no loggers",
    ),
    "first": ("first service executed",),
    "footprint": (
        "memory with 1 logged service",
        "memory with 100 logged services",
        "memory with 1,000 logged services",
        "idle wake-ups with 1,000 logged services",
    ),
    "orphans": ("orphan storm", "orphan storm made by a service"),
    "latency": ("signal to the child's handler, median",),
    "command": ("INIT -- true, processor time",),
    "restart": ("restart: death to exec, median",),
    "status": ("status of 1,000 services in one call",),
    "down": ("100 logged services down after TERM",),
    "multilog_throughput": (
        "100-byte lines, t ./main",
        "qmail's lines, t -* '+* status: *' =status",
        "1,000-byte lines, t s16777215 n10 ./main",
        "20-byte lines, t ./main -* '+* status: *' =status",
    ),
}


def table(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Markdown, of the rows shown that were measured. `results` is what samples.json holds."""
    lines = ["| | pyinit | others | median ratio |", "| --- | --- | --- | --- |"]
    for name, works in SHOWN.items():
        rows = {row.work: row for row in (Row(**each) for each in results.get(name, ()))}
        lines += [_line(rows[work]) for work in works if work in rows]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    others = ", ".join(f"{name} {figure(row.median(name))}" for name in row.samples if name != OURS)
    ratios = row.ratios()
    ratio = f"{figure(median(ratios))} of {row.reference}" if ratios else ""
    return f"| {row.work}, {row.unit} | {figure(row.median(OURS))} | {others} | {ratio} |"


def put(path: Path, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Replace what is between the marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + table(results) + END + after)
