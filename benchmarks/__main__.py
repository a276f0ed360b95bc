"""python -m benchmarks [OPTION ...] [NAME[/TEXT] ...]: measure all, or some.

A NAME is a module of this package with `measure(workshop) -> list[Row]`; its docstring says what it measures. NAME/TEXT
are only its rows with TEXT in them: `up/500`, `multilog_throughput/20-byte`.

At the end of a run stand the bounds that are met and missed. Its table, samples and plots go to benchmarks/results, and
some rows to the README. Rows that were not measured stay as they are. A run with --quick or --rounds leaves nothing,
unless --output names a directory.
"""

import argparse
import importlib
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import host, plots, readme
from benchmarks.rows import Row, markdown, verdicts
from benchmarks.workshop import MEMORY, ROOT, Workshop

NAMES = {
    "up": "Services up",
    "first": "The first service",
    "footprint": "Memory and wake-ups",
    "orphans": "Orphan storms",
    "latency": "Signals",
    "command": "A container of one command",
    "restart": "Restarts",
    "status": "Status",
    "down": "The way down",
    "startup": "Chain-loading commands",
    "chain": "Chains of commands",
    "stdout": "Lines to standard output",
    "multilog_throughput": "multilog",
    "lines": "multilog by length of line",
    "readback": "svlog",
    "growth": "Growth",
}
RESULTS = Path(__file__).parent / "results"
ALL_ROUNDS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 whether or not the bounds are met, which a busy machine decides too."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__.partition("\n")[2],
        epilog=f"Names: {', '.join(NAMES)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="show in two minutes that everything can be measured")
    parser.add_argument("--rounds", type=int, default=ALL_ROUNDS, help="at most so many rounds of each row")
    parser.add_argument("--python", default="/usr/bin/python3", help="the interpreter of pyinit: %(default)s")
    parser.add_argument("--place", default=MEMORY, help="where everything is made and run: %(default)s")
    parser.add_argument("--output", type=Path, help="where results go")
    parser.add_argument("names", nargs="*", metavar="NAME[/TEXT]", default=list(NAMES))
    options = parser.parse_args(arguments)
    wanted = [name.partition("/")[::2] for name in options.names]
    if unknown := {name for name, _ in wanted} - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(111))  # so that the `finally` below runs
    workshop = Workshop(options.quick, options.python, options.place, options.rounds)
    workshop.tell_missing()
    is_for_good = not options.quick and options.rounds == ALL_ROUNDS
    output = options.output or (RESULTS if is_for_good else None)
    found: dict[str, list[Row]] = {}
    try:
        for name, text in wanted:
            rows = measure(workshop, name, text)
            found[name] = merged(found.get(name, []), rows)
        print(f"## Bounds\n\n{verdicts([row for rows in found.values() for row in rows])}")
        if output:
            write(output, found, {name for name, text in wanted if not text}, workshop)
    finally:
        workshop.remove()
    return 0


def measure(workshop: Workshop, name: str, text: str) -> list[Row]:
    """The rows of one benchmark with the text in them, measured and printed."""
    began = time.monotonic()
    workshop.only = text
    rows = [row for row in importlib.import_module(f"benchmarks.{name}").measure(workshop) if text in row.work]
    print(f"## {NAMES[name]} ({name}, {time.monotonic() - began:.0f} s)\n\n{markdown(rows)}", flush=True)
    return rows


def merged(kept: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Rows, with new ones in the place of those of the same work."""
    return list(({row.work: row for row in kept} | {row.work: row for row in rows}).values())


def write(output: Path, found: dict[str, list[Row]], whole: set[str], workshop: Workshop) -> None:
    """Write the table, the samples and the plots. Of a benchmark that is not `whole` the other rows stay."""
    output.mkdir(parents=True, exist_ok=True)
    samples = output / "samples.json"
    kept = json.loads(samples.read_text()) if samples.exists() else {}
    every: dict[str, list[Row]] = {}
    for name in NAMES:
        before = [] if name in whole else [Row(**row) for row in kept.get(name, [])]
        if rows := merged(before, found.get(name, [])):
            every[name] = rows
    measured = {name: [asdict(row) for row in rows] for name, rows in every.items()}
    samples.write_text(json.dumps(measured) + "\n")
    (output / "results.md").write_text(page(every, workshop))
    if output == RESULTS:
        readme.put(ROOT / "README.md", measured)
    for name, plot in workshop.plots.items():
        try:
            plots.draw(plot, output / f"{name}.svg")
        except ImportError:
            print("benchmarks: no plots without matplotlib: pip install pyinit-container[bench]", file=sys.stderr)
            break


def page(every: dict[str, list[Row]], workshop: Workshop) -> str:
    """results.md."""
    parts = [
        "# Results\n\nMade by `make bench`; docs/performance.md says how to read it.\n",
        host.describe(workshop),
        f"## Bounds\n\n{verdicts([row for rows in every.values() for row in rows])}",
        *(f"## {NAMES[name]}\n\n{markdown(rows)}" for name, rows in every.items()),
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
