"""What supervision costs while nothing happens: memory, processes, wake-ups.

Memory is the proportional set size (PSS) summed over all processes of the namespace that are not services: pages that
several of them share count once. What other programs of the machine use as well counts in part, for all contestants
alike: a library, and the interpreter of ours and of supervisord if the benchmark itself runs on that one. Wake-ups are
context switches of the same processes per second, from three seconds after the last line was logged: in those runit
and daemontools have done their second and fifth scan.
"""

import os
import sys
import time
from collections.abc import Callable

from benchmarks.machine import Machine
from benchmarks.rows import Row, column, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

SETTLED = 3.0
"""Seconds."""


def measure(workshop: Workshop) -> list[Row]:
    rows = []
    sizes = (1, 10) if workshop.quick else (1, 100, 1000)
    for count in sizes:
        is_last = count == sizes[-1]
        contestants = {each.name: _run(each, count, workshop.quick, is_last) for each in supervisors(workshop)}
        samples = interleave(contestants, workshop.rounds(3), warm_up=False)
        what = f"memory with {count:,} logged service{'s' * (count > 1)}"
        processes = ", ".join(f"{name} {runs[0]['processes']:.0f}" for name, runs in samples.items())
        bound = {100: 0.35, 1000: 0.06}.get(count)
        limit = 9.0 if count == 1 else None
        note = f"processes: {processes}; {_sharing(workshop)}"
        rows.append(Row(what, "MB", column(samples, "memory"), "daemontools", bound, limit, note=note))
    what = f"idle wake-ups with {count:,} logged services"
    rows.append(Row(what, "per s", column(samples, "wake-ups"), limit=0.0))
    return rows


def _sharing(workshop: Workshop) -> str:
    """Who has the pages of the interpreter's file."""
    is_shared = os.path.samefile(sys.executable, workshop.python)
    return "the interpreter's pages are " + ("shared with the benchmark" if is_shared else "all pyinit's")


def _run(supervisor: Supervisor, count: int, quick: bool, is_last: bool) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        with Machine(supervisor, count, logged=True) as machine:
            machine.wait_up()
            machine.wait_logged()
            time.sleep(0.2 if quick else SETTLED)
            memory, processes = machine.memory()
            found = {"memory": memory, "processes": processes}
            if is_last:
                found["wake-ups"] = machine.wake_ups(1 if quick else 10)
            return found

    return run
