"""python -m benchmarks [--quick] [--python PATH] [--output DIR] [NAME ...]: measure all, or the named benchmarks.

Each benchmark is a module of this package with `measure(workshop) -> list[Row]`; its docstring says what it measures.
"""

import argparse
import importlib
import signal
import sys
import time

from benchmarks.rows import markdown
from benchmarks.workshop import Workshop, install_peers

NAMES = ["up", "first", "footprint", "orphans", "latency", "command", "restart", "status", "down"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="show in two minutes that everything can be measured")
    parser.add_argument("--python", default="/usr/bin/python3", help="the interpreter of pyinit: %(default)s")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], help=", ".join(NAMES))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(111))  # so that what was started is stopped
    install_peers()
    workshop = Workshop(options.quick, options.python)
    rows = []
    try:
        for name in options.names or NAMES:
            began = time.monotonic()
            found = importlib.import_module(f"benchmarks.{name}").measure(workshop)
            print(f"## {name}: {time.monotonic() - began:.0f} s\n\n{markdown(found)}", flush=True)
            rows += found
    finally:
        workshop.remove()


if __name__ == "__main__":
    main()
