"""The price of supervision while nothing happens: memory, processes, wake-ups.

Memory is the proportional set size (PSS), summed over all processes of the namespace but the services. A page that
several of them share counts once. Ours and supervisord run on copies of their interpreter that nothing else runs on, so
that all of it counts. Libraries of the system count in part, for all contestants alike.

Wake-ups are context switches of the same processes per second, from three seconds after the last line was logged.
"""

import time
from collections.abc import Callable

from benchmarks.machine import Machine
from benchmarks.rows import Row, column, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

SETTLED = 3.0
"""Seconds."""


def measure(workshop: Workshop) -> list[Row]:
    """A row of memory for each size, and the wake-ups of the largest."""
    rows = []
    sizes = (1, 10) if workshop.quick else (1, 100, 1000)
    for count in sizes:
        work = f"memory with {count:,} logged service{'s' * (count > 1)}"
        is_last = count == sizes[-1]
        idle = f"idle wake-ups with {count:,} logged services"
        if not workshop.wants(work, *([idle] if is_last else [])):
            continue
        contestants = {each.name: _run(workshop, each, count, is_last) for each in supervisors(workshop, alone=True)}
        samples = interleave(contestants, workshop.rounds(1 if is_last else 3), warm_up=False)
        processes = ", ".join(f"{name} {runs[0]['processes']:.0f}" for name, runs in samples.items())
        bound = "" if workshop.quick and is_last else f"memory of {count:,}"
        note = f"processes: {processes}; {_sharing(workshop)}"
        rows.append(Row(work, "MB", column(samples, "memory"), bound, "daemontools", note=note))
        if is_last:
            rows.append(Row(idle, "per s", column(samples, "wake-ups"), "wake-ups"))
    return rows


def _sharing(workshop: Workshop) -> str:
    """Whose the pages of the interpreter's file are."""
    is_alone = workshop.alone(workshop.python) != workshop.python
    return "the interpreter's pages are " + ("all pyinit's" if is_alone else "shared with whatever runs on it")


def _run(workshop: Workshop, supervisor: Supervisor, count: int, is_last: bool) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        with Machine(supervisor, count, logged=True) as machine:
            machine.wait_up()
            machine.wait_logged()
            time.sleep(0.2 if workshop.quick else SETTLED)
            memory, processes = machine.memory()
            found = {"memory": memory, "processes": processes}
            if is_last:
                found["wake-ups"] = machine.wake_ups(1 if workshop.quick else 10)
            return found

    return run
