"""Fixtures of the process level."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import Machine


@pytest.fixture
def make_machine() -> Iterator[Callable[..., Machine]]:
    """Makes machines: `make_machine(program="pyinit", **environment)`; they are destroyed at the end."""
    machines = []

    def make(program: str = "pyinit", **environment: str) -> Machine:
        machine = Machine(Path(tempfile.mkdtemp(prefix="pyinit-")), program, **environment)
        machines.append(machine)
        return machine

    yield make
    for machine in machines:
        machine.destroy()


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine()
