"""The way down: from TERM for process 1 to its end, with 100 logged services, each of which ends on TERM at once.

Every log has to hold its service's line afterwards. svscan and runsvdir as process 1 do not act on TERM at all: they
abandon their services until the container is killed. supervisord stops one service after the other, which takes
half a minute, so it has one turn.
"""

from collections.abc import Callable

from benchmarks.machine import Machine
from benchmarks.rows import Row, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop


def measure(workshop: Workshop) -> list[Row]:
    """One row."""
    count = 5 if workshop.quick else 100
    contestants = {each.name: _run(each, count) for each in supervisors(workshop) if each.stops}
    samples = interleave(contestants, workshop.rounds(5), warm_up=False, at_most={"supervisord": 1})
    note = "daemontools and runit abandon their services"
    bound = "" if workshop.quick else "down"
    return [Row(f"{count} logged services down after TERM", "ms", samples, bound, "s6", note=note)]


def _run(supervisor: Supervisor, count: int) -> Callable[[], float]:
    def run() -> float:
        with Machine(supervisor, count, logged=True) as machine:
            machine.wait_up()
            machine.wait_logged()
            elapsed = machine.stop()
            machine.verify_logs()
            return elapsed

    return run
