"""The first service: from the exec of process 1 to that of its only, logged, service.

Held against a bare interpreter, from its exec to its end.
"""

from collections.abc import Callable

from benchmarks.bounds import BARE
from benchmarks.machine import Machine
from benchmarks.rows import Row, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.up import SLOW
from benchmarks.workshop import Workshop


def measure(workshop: Workshop) -> list[Row]:
    """One row."""
    contestants = {each.name: _run(each) for each in supervisors(workshop)}
    contestants[BARE] = lambda: workshop.cost(workshop.python, "-I", "-S", "-c", "pass")[1]
    samples = interleave(contestants, workshop.rounds(41), at_most=SLOW)
    return [Row("first service executed", "ms", samples, "first service")]


def _run(supervisor: Supervisor) -> Callable[[], float]:
    def run() -> float:
        with Machine(supervisor, 1, logged=True) as machine:
            return machine.wait_up()

    return run
