"""An orphan storm: how many orphans a second process 1 reaps, when all end at once.

`storm` makes orphans that wait, lets them go at one moment, and notes when the last has been reaped. The rate has
their ends in it as well as their reaping. Bare: storm is the only child, the main command. As a service: of `svscan`,
ours and the C program, and of s6-svscan. All take turns, so that both are compared with the same storms of tini.
"""

from collections.abc import Callable

from benchmarks.machine import Machine, wait_until
from benchmarks.record import Record
from benchmarks.rows import Row, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import BrokenMeasurement, Workshop

BARE = {"pyinit": ["--"], "tini": ["--"], "dumb-init": ["--"], "catatonit": ["--"]}

SLOW = "daemontools"
"""Its svscan looks for orphans every five seconds: one storm a round is enough of that."""

NOTE = "tini's are those of the row above: it runs no services"


def measure(workshop: Workshop) -> list[Row]:
    """Two rows."""
    count, times = (200, 1) if workshop.quick else (3000, 3)
    bare = {name: _bare(workshop, name, count, times) for name in bare_inits(workshop)}
    supervising = supervisors(workshop, "pyinit", "s6", "daemontools")
    of_services = {
        f"{each.name}'s service": _service(each, count, 1 if each.name == SLOW else times) for each in supervising
    }
    few = {"catatonit": 5, "dumb-init": 5, "s6's service": 5, f"{SLOW}'s service": 2}
    taken = interleave({**bare, **of_services}, workshop.rounds(15), at_most=few)
    samples = {name: taken[name] for name in bare}
    among = {each.name: taken[f"{each.name}'s service"] for each in supervising}
    if "tini" in samples:
        among["tini"] = samples["tini"]
    unit = "orphans per s"
    return [
        Row("orphan storm", unit, samples, "orphan storm", more_is_better=True),
        Row("orphan storm made by a service", unit, among, "orphan storm", more_is_better=True, note=NOTE),
    ]


def bare_inits(workshop: Workshop) -> list[str]:
    return [name for name in BARE if name == "pyinit" or name in workshop.peers]


def init(workshop: Workshop, name: str) -> list[str]:
    """The command line of an init, up to its child's."""
    return [str(workshop.ours / "pyinit") if name == "pyinit" else name, *BARE[name]]


def _rate(record: Record, count: int) -> float:
    times = record.times()
    spans = [reaped - ended for ended, reaped in zip(times[::2], times[1::2], strict=True)]
    return count * len(spans) / (sum(spans) / 1e9)


def _bare(workshop: Workshop, name: str, count: int, times: int) -> Callable[[], float]:
    def run() -> float:
        record = Record(workshop.directory / "storm", 2 * times)
        command = [*init(workshop, name), workshop.program("storm"), record.path, count, times]
        code, _, _ = workshop.cost(*command, first=True)
        if code or record.count != 2 * times:
            raise BrokenMeasurement(f"{name} with storm: exit code {code}, {record.count} times noted")
        return _rate(record, count)

    return run


def _service(supervisor: Supervisor, count: int, times: int) -> Callable[[], float]:
    def run() -> float:
        storm = f"{supervisor.workshop.program('storm')} RECORD {count} {times}"
        with Machine(supervisor, 1, logged=False, run=storm, notes=2 * times) as machine:
            wait_until(lambda: machine.record.count == 2 * times, lambda: f"the storm under {supervisor.name}")
            return _rate(machine.record, count)

    return run
