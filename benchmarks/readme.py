"""The table of the README: the rows that say most, out of a run's results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.rows import OURS, Row, best, figure, others

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
    "orphans": ("orphan storm",),
    "latency": ("signal to the child's handler, median", "signal to the child's handler, p99"),
    "command": ("INIT -- true, processor time",),
    "restart": ("restart: death to exec, median",),
    "status": ("status of 1,000 services in one call",),
    "down": ("100 logged services down after TERM",),
    "chain": ("envdir, setuidgid, softlimit before a program, processor time",),
    "stdout": (
        "text lines to stdout",
        "JSON lines to stdout",
        "write(2) to line on stdout, median",
        "write(2) to line on stdout, p99",
    ),
    "multilog_throughput": (
        "100-byte lines, t ./main",
        "qmail's lines, t -* '+* status: *' =status",
        "20-byte lines, t ./main -* '+* status: *' =status",
        "multilog, median of all cells",
    ),
}


def table(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Markdown, of the rows shown that were measured. `results` is the content of samples.json."""
    lines = ["| | pyinit | others | ratio, bound | to the best peer |", "| --- | --- | --- | --- | --- |"]
    for name, works in SHOWN.items():
        rows = {row.work: row for row in (Row(**each) for each in results.get(name, ()))}
        lines += [_line(rows[work]) for work in works if work in rows]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    ours = figure(row.median(OURS))
    return f"| {row.work}, {row.unit} | {ours} | {others(row)} | {_bounded(row)} | {best(row)} |"


def _bounded(row: Row) -> str:
    """The median ratio that the row is about, and its bound; a bound that is missed says so."""
    ratios = row.ratios(row.reference)
    parts = [f"{figure(median(ratios))} of {row.reference}"] if ratios else []
    if row.asked:
        words = row.asked.text(row.unit) if not row.asked.of else row.asked.text(row.unit).partition(" of ")[0]
        parts.append(f"**{words}: missed**" if row.is_met() is False else words)
    return "; ".join(parts)


def put(path: Path, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Replace the text between the marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + table(results) + END + after)
