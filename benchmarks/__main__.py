"""python -m benchmarks [--quick] [--python PATH] [--place DIR] [--output DIR] [NAME ...]: measure all, or those named.

Each benchmark is a module of this package with `measure(workshop) -> list[Row]`; its docstring says what it measures.
A run leaves its table, all samples and the plots in benchmarks/results, and the rows that say most in the README; a
run of some replaces those there; a quick one leaves nothing, unless a directory is named.
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
from benchmarks.rows import Row, markdown
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
    "multilog_throughput": "multilog",
    "lines": "multilog by length of line",
    "growth": "Growth",
}
RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[2])
    parser.add_argument("--quick", action="store_true", help="show in two minutes that everything can be measured")
    parser.add_argument("--python", default="/usr/bin/python3", help="the interpreter of pyinit: %(default)s")
    parser.add_argument("--place", default=MEMORY, help="where everything is made and run: %(default)s")
    parser.add_argument("--output", type=Path, help="where results go")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(111))  # so that what was started is stopped
    workshop = Workshop(options.quick, options.python, options.place)
    workshop.tell_missing()
    output = options.output or (None if options.quick else RESULTS)
    found: dict[str, list[Row]] = {}
    try:
        for name in options.names or NAMES:
            began = time.monotonic()
            found[name] = importlib.import_module(f"benchmarks.{name}").measure(workshop)
            took = time.monotonic() - began
            print(f"## {NAMES[name]} ({name}, {took:.0f} s)\n\n{markdown(found[name])}", flush=True)
        if output:
            write(output, found, workshop)
    finally:
        workshop.remove()
    return 0


def write(output: Path, found: dict[str, list[Row]], workshop: Workshop) -> None:
    """The table with what it was measured on, the samples, the plots; what was not measured now stays."""
    output.mkdir(parents=True, exist_ok=True)
    samples = output / "samples.json"
    kept = json.loads(samples.read_text()) if samples.exists() else {}
    measured = {name: [asdict(row) for row in rows] for name, rows in found.items()}
    every = {name: (kept | measured)[name] for name in NAMES if name in kept | measured}
    parts = [f"## {NAMES[name]}\n\n{markdown([Row(**row) for row in rows])}" for name, rows in every.items()]
    samples.write_text(json.dumps(every) + "\n")
    text = "# Results\n\nMade by `make bench`; docs/performance.md says how to read it.\n\n"
    (output / "results.md").write_text(text + host.describe(workshop) + "\n" + "\n".join(parts))
    if output == RESULTS:
        readme.put(ROOT / "README.md", every)
    for name, plot in workshop.plots.items():
        try:
            plots.draw(plot, output / f"{name}.svg")
        except ImportError:
            print("benchmarks: no plots without matplotlib: pip install pyinit-container[bench]", file=sys.stderr)
            break


if __name__ == "__main__":
    sys.exit(main())
