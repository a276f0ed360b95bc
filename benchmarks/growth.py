"""How cost grows with the number of services: time until all are logged, and memory, for 1 to 2,000 of them.

One start each, supervisors in turn; a peer that takes fewer services, or longer than half a minute, ends earlier.
"""

from benchmarks import plots
from benchmarks.machine import Machine
from benchmarks.rows import Row
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

SIZES = (1, 10, 50, 100, 200, 500, 1000, 2000)
LONGEST = 30_000.0
"""Milliseconds."""


def measure(workshop: Workshop) -> list[Row]:
    """A row a size, and two plots."""
    times: dict[str, dict[int, float]] = {}
    sizes: dict[str, dict[int, float]] = {}
    for count in (1, 5) if workshop.quick else SIZES:
        for supervisor in supervisors(workshop):
            taken = times.setdefault(supervisor.name, {})
            if count <= supervisor.most and all(value < LONGEST for value in taken.values()):
                found = _run(supervisor, count)
                taken[count], sizes.setdefault(supervisor.name, {})[count] = found
    workshop.plots["start"] = plots.Plot(
        "Until the first line of every service is in its log", "services", "seconds",
        {name: {count: ms / 1000 for count, ms in taken.items()} for name, taken in times.items()},
    )  # fmt: skip
    workshop.plots["memory"] = plots.Plot("Memory of all supervision processes (PSS)", "services", "MB", sizes)
    rows = []
    for count in times["pyinit"]:
        samples = {name: [taken[count]] for name, taken in times.items() if count in taken}
        rows.append(Row(f"{count:,} services, one start", "ms", samples))
    return rows


def _run(supervisor: Supervisor, count: int) -> tuple[float, float]:
    with Machine(supervisor, count, logged=True) as machine:
        machine.wait_up()
        return machine.wait_logged(), machine.memory()[0]
