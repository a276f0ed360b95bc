"""A service that dies is started again: from its death to its next exec, the median of its deaths.

One service, which dies a tenth of a second after the second within which daemontools starts nothing twice: so no start
has to wait for that, and what is measured is how soon a death is noticed and answered. (s6 waits after each death,
whenever the start was.)

All supervisors run at the same time, each with its service, the deaths of which are spread over that second: a restart
takes a third longer in one minute than in the next, on a machine where it is a thousandth of the time between two.
"""

import time
from contextlib import ExitStack
from statistics import median

from benchmarks.machine import Machine, wait_until
from benchmarks.rows import Row
from benchmarks.supervisors import supervisors
from benchmarks.workshop import Workshop

LIFE = 1.1
"""Seconds that a service lives (programs/mortal.c)."""

DEATHS = 5
"""That every supervisor answers in a round; those that don't wait before they do answer twice as many."""


def measure(workshop: Workshop) -> list[Row]:
    contestants = supervisors(workshop)
    rounds, deaths = workshop.rounds(9), 1 if workshop.quick else DEATHS
    mortal = f"{workshop.program('mortal')} RECORD"
    samples: dict[str, list[float]] = {}
    with ExitStack() as stack:
        machines: dict[str, Machine] = {}
        for each in contestants:
            machine = Machine(each, 1, logged=False, run=mortal, notes=100 * rounds * deaths)
            machines[each.name] = stack.enter_context(machine)
            time.sleep(LIFE / len(contestants))
        for _ in range(rounds):
            for name, took in _round(machines, deaths).items():
                samples.setdefault(name, []).append(took)
    return [Row("restart: death to exec, median", "ms", samples, "daemontools", 1.0)]


def _round(machines: dict[str, Machine], deaths: int) -> dict[str, float]:
    """Until each has answered so many deaths: the median of all that it answered meanwhile, ms."""
    before = {name: len(_answers(machine)) for name, machine in machines.items()}

    def behind() -> list[str]:
        return [name for name, machine in machines.items() if len(_answers(machine)) < before[name] + deaths]

    wait_until(lambda: not behind(), lambda: f"{deaths} deaths under {' and '.join(behind())}", pause=0.1)
    return {name: median(_answers(machine)[before[name] :]) for name, machine in machines.items()}


def _answers(machine: Machine) -> list[float]:
    """How long each took, ms: births and deaths alternate."""
    times = machine.record.times()
    return [(born - died) / 1e6 for died, born in zip(times[1::2], times[2::2], strict=False)]
