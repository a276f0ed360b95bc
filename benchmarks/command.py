"""`INIT -- true`: the cost of an init for a container that runs one short command. Processor time of both.

Held against a bare interpreter.
"""

from collections.abc import Callable

from benchmarks.bounds import BARE
from benchmarks.orphans import bare_inits, init
from benchmarks.rows import Row, column, interleave
from benchmarks.workshop import BrokenMeasurement, Workshop


def measure(workshop: Workshop) -> list[Row]:
    """Two rows."""
    contestants = {name: _run(workshop, name, [*init(workshop, name), "true"]) for name in bare_inits(workshop)}
    contestants[BARE] = _run(workshop, BARE, [workshop.python, "-I", "-S", "-c", "pass"])
    samples = interleave(contestants, workshop.rounds(41))
    return [
        Row("INIT -- true, processor time", "ms", column(samples, "cpu"), "INIT -- true"),
        Row("INIT -- true, wall time", "ms", column(samples, "wall"), reference=BARE),
    ]


def _run(workshop: Workshop, name: str, command: list[str]) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        code, wall, cpu = workshop.cost(*command, first=True)
        if code:
            raise BrokenMeasurement(f"{name}: exit code {code}")
        return {"wall": wall, "cpu": cpu}

    return run
