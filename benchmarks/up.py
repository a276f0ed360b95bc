"""Services up: from the exec of process 1 to the exec of the last service's run, and to the last first line in its log.

Every supervisor starts as process 1 of its own PID namespace on directories in which nothing has run yet. A run is a
static program that writes one line, notes the time and sleeps. Services without loggers are `svscan` for ours. Beside
ten services a bare interpreter takes its turn, because the start of one is most of their time.
"""

from collections.abc import Callable

from benchmarks.bounds import BARE
from benchmarks.machine import Machine
from benchmarks.rows import Row, column, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

Run = Callable[[], dict[str, float]]

SLOW = {"supervisord": 3}
"""It takes a second to start, which more rounds would not make any clearer."""

MANY = 500
"""From so many services on, a round warms itself up."""


def measure(workshop: Workshop) -> list[Row]:
    """Rows of two sizes; of one with --quick."""
    rows = []
    for count in (10,) if workshop.quick else (10, 100, 500, 1000):
        what = f"{count:,} services up, each with a logger"
        executed, logged = f"{what}: executed", f"{what}: first lines in the logs"
        if workshop.wants(executed, logged):
            more = {BARE: _bare(workshop)} if count == 10 else {}
            samples = _samples(workshop, count, True, more)
            bounds = {10: ("10 executed", "10 logged"), 500: ("", "500 logged")}.get(count, ("", ""))
            rows.append(Row(executed, "ms", column(samples, "up"), bounds[0], "daemontools"))
            rows.append(Row(logged, "ms", column(samples, "logged"), bounds[1], "daemontools"))
    alone = "1,000 services up, no loggers"
    if not workshop.quick and workshop.wants(alone):
        samples = _samples(workshop, 1000, False, {})
        rows.append(Row(alone, "ms", column(samples, "up"), "1,000 up", "daemontools"))
    return rows


def _samples(workshop: Workshop, count: int, logged: bool, more: dict[str, Run]) -> dict[str, list[dict[str, float]]]:
    contestants = {each.name: _run(each, count, logged) for each in supervisors(workshop) if count <= each.most}
    rounds = workshop.rounds({10: 41, 100: 5}.get(count, 3))
    return interleave({**contestants, **more}, rounds, warm_up=count < MANY, at_most=SLOW if count < MANY else None)


def _run(supervisor: Supervisor, count: int, logged: bool) -> Run:
    def run() -> dict[str, float]:
        with Machine(supervisor, count, logged) as machine:
            found = {"up": machine.wait_up()}
            if logged:
                found["logged"] = machine.wait_logged()
            return found

    return run


def _bare(workshop: Workshop) -> Run:
    def run() -> dict[str, float]:
        took = workshop.cost(workshop.python, "-I", "-S", "-c", "pass")[1]
        return {"up": took, "logged": took}

    return run
