"""`envdir ./env setuidgid nobody softlimit -o 64 PROG`: processor time until PROG runs, whose own is next to none.

Held against a bare interpreter, `python3 -I -S -c pass`. Without root, envuidgid stands for setuidgid.
"""

import os
from collections.abc import Callable

from benchmarks.bounds import BARE
from benchmarks.rows import OURS, Row, interleave
from benchmarks.workshop import DEBIAN, BrokenMeasurement, Workshop


def measure(workshop: Workshop) -> list[Row]:
    """One row."""
    place = workshop.directory / "chain-of-commands"
    (place / "env").mkdir(parents=True)
    (place / "env/A").write_text("value\n")
    user = "envuidgid" if os.geteuid() else "setuidgid"
    words = ["envdir", "./env", user, "nobody", "softlimit", "-o", "64", str(workshop.program("nothing"))]

    def run(command: list[str], path: str = DEBIAN) -> Callable[[], float]:
        def once() -> float:
            given, os.environ["PATH"] = os.environ["PATH"], path
            try:
                code, _, cpu = workshop.cost(*command, directory=place)
            finally:
                os.environ["PATH"] = given
            if code:
                raise BrokenMeasurement(f"{command}: exit code {code}")
            return cpu

        return once

    contestants = {
        OURS: run(words, f"{workshop.ours}:{DEBIAN}"),
        BARE: run([workshop.python, "-I", "-S", "-c", "pass"]),
    }
    if "daemontools" in workshop.peers:
        contestants["daemontools"] = run(words)
    samples = interleave(contestants, workshop.rounds(41))
    return [Row(f"envdir, {user}, softlimit before a program, processor time", "ms", samples, "chain")]
