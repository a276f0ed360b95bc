"""Services up: from the exec of process 1 to the exec of the last service's run, and to the last first line in its log.

Every supervisor starts as process 1 of its own PID namespace on directories in which nothing has run yet. A run is a
static program that writes one line, notes the time and sleeps. For logged services the second figure counts: it has
the loggers in it. 1,000 services without loggers are `svscan` for ours.
"""

from collections.abc import Callable

from benchmarks.machine import Machine
from benchmarks.rows import Row, column, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

BOUNDS = {(10, True): 0.8, (500, True): 0.3, (1000, False): 0.6}

MANY = 500
"""From so many on a round warms itself up."""


def measure(workshop: Workshop) -> list[Row]:
    sizes = [(10, True)] if workshop.quick else [(10, True), (100, True), (500, True), (1000, True), (1000, False)]
    rows = []
    for count, logged in sizes:
        contestants = {each.name: _run(each, count, logged) for each in supervisors(workshop) if count <= each.most}
        rounds = workshop.rounds({10: 41, 100: 5}.get(count, 3))
        samples = interleave(contestants, rounds, warm_up=count < MANY)
        what = f"{count:,} services up" + (", each with a logger" if logged else ", no loggers")
        bound = BOUNDS.get((count, logged))
        if logged:
            rows.append(Row(what + ": executed", "ms", column(samples, "up"), "daemontools", bound))
            rows.append(Row(what + ": first lines in the logs", "ms", column(samples, "logged"), "daemontools", bound))
        else:
            rows.append(Row(what, "ms", column(samples, "up"), "daemontools", bound))
    return rows


def _run(supervisor: Supervisor, count: int, logged: bool) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        with Machine(supervisor, count, logged) as machine:
            found = {"up": machine.wait_up()}
            if logged:
                found["logged"] = machine.wait_logged()
            return found

    return run
