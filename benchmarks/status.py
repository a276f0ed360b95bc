"""The status of 1,000 running services: the wall time of one command that prints them all.

They are named `service/NAME` from the directory above, about as long as the `/service/NAME` of a container. Ours and
the C svstat are asked about the same services, which ours runs. s6-svstat takes one directory: a loop in a shell.
"""

from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.rows import Row, interleave
from benchmarks.supervisors import Supervisor, supervisors
from benchmarks.workshop import Workshop

LOOP = 'for service in "$@"; do s6-svstat "$service"; done'


def measure(workshop: Workshop) -> list[Row]:
    """One row."""
    count = 20 if workshop.quick else 1000
    samples: dict[str, list[float]] = {}
    for supervisor in supervisors(workshop, "pyinit", "s6", "supervisord"):
        with Machine(supervisor, count, logged=False) as machine:
            machine.wait_up()
            names = [f"service/{name}" for name in supervisor.names(count)]
            contestants = {
                name: _run(workshop, command, machine.top)
                for name, command in _commands(workshop, supervisor, machine, names).items()
            }
            samples |= interleave(contestants, workshop.rounds(11 if supervisor.name == "pyinit" else 3))
    bound = "" if workshop.quick else "svstat"
    return [Row(f"status of {count:,} services in one call", "ms", samples, bound, "daemontools")]


def _commands(workshop: Workshop, supervisor: Supervisor, machine: Machine, names: list[str]) -> dict[str, list[str]]:
    match supervisor.name:
        case "s6":
            return {"s6": ["sh", "-c", LOOP, "loop", *names]}
        case "supervisord":
            return {"supervisord": ["supervisorctl", "-c", str(machine.top / "conf"), "status"]}
    ours = {"pyinit": [str(workshop.ours / "svstat"), *names]}
    return ours | ({"daemontools": ["svstat", *names]} if "daemontools" in workshop.peers else {})


def _run(workshop: Workshop, command: list[str], directory: Path) -> Callable[[], float]:
    return lambda: workshop.cost(*command, directory=directory)[1]
