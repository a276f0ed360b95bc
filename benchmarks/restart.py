"""A service that dies is started again: from its death to its next exec, the median of its deaths.

There is one service. It lives a tenth of a second longer than the second within which daemontools starts nothing twice.
So no start has to wait for that second, and the figure is how soon a death is noticed and answered. s6 waits after each
death, whenever the start was.

All supervisors run at the same time, each with its service, and the deaths are spread over that second. A restart takes
a third longer in one minute than in the next, so one after the other would not be compared alike.
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
"""How many every supervisor answers in a round. A supervisor that does not wait answers twice as many."""


def measure(workshop: Workshop) -> list[Row]:
    """One row."""
    contestants = supervisors(workshop)
    rounds, deaths = workshop.rounds(7), 1 if workshop.quick else DEATHS
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
    return [Row("restart: death to exec, median", "ms", samples, "restart")]


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
