"""A service that dies is started again: from its death to its next exec, the median of its deaths.

One service, which dies a tenth of a second after the second within which daemontools starts nothing twice: so no start
has to wait for that, and what is measured is how soon a death is noticed and answered. (s6 waits after each death,
whenever the start was.)
"""

from statistics import median

from benchmarks.machine import Machine, wait_until
from benchmarks.rows import Row, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop


def measure(workshop: Workshop) -> list[Row]:
    deaths = 1 if workshop.quick else 3
    contestants = {each.name: _run(each, deaths) for each in supervisors(workshop)}
    samples = interleave(contestants, workshop.rounds(7), warm_up=False)
    return [Row("restart: death to exec, median", "ms", samples, "daemontools", 1.0)]


def _run(supervisor: Supervisor, deaths: int):
    def run() -> float:
        mortal = f"{supervisor.workshop.program('mortal')} RECORD"
        with Machine(supervisor, 1, logged=False, run=mortal, notes=100) as machine:
            wait_until(lambda: machine.record.count > 2 * deaths, lambda: f"{deaths} deaths under {supervisor.name}")
            times = machine.record.times()
        return median(born - died for died, born in zip(times[1::2], times[2::2], strict=False)) / 1e6

    return run
