"""The first service: from the exec of process 1 to that of its only, logged, service.

Held against a bare interpreter, `python3 -I -S -c pass`, from its exec to its end: what Python costs at least.
"""

from collections.abc import Callable

from benchmarks.machine import Machine
from benchmarks.rows import Row, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

BARE = "python3 -I -S -c pass"


def measure(workshop: Workshop) -> list[Row]:
    contestants = {each.name: _run(each) for each in supervisors(workshop)}
    contestants[BARE] = lambda: workshop.cost(workshop.python, "-I", "-S", "-c", "pass")[1]
    contestants.pop("runit", None)  # sleeps a second first: shown by `up`
    samples = interleave(contestants, workshop.rounds(41))
    return [Row("first service executed", "ms", samples, BARE, 1.4)]


def _run(supervisor: Supervisor) -> Callable[[], float]:
    def run() -> float:
        with Machine(supervisor, 1, logged=True) as machine:
            return machine.wait_up()

    return run
