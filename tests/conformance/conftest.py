"""Runs every scenario of the session beforehand, several at a time: most of their time is waiting."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conformance.scenario import Outcome, Scenario, run
from daemontools import Commands

AT_ONCE = 6

Outcomes = Callable[[Scenario, str], Outcome]


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.remove()


@pytest.fixture(scope="session")
def outcomes(commands: Commands, request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    """Gives what came of a scenario run `how`: "ours", "debian", "mixed" or "crossed"."""
    numbers = itertools.count()
    futures: dict[tuple[Scenario, str], Future[Outcome]] = {}

    def submit(scenario: Scenario, how: str) -> Future[Outcome]:
        if (scenario, how) not in futures:
            place = commands.root / f"run-{next(numbers)}"
            futures[scenario, how] = pool.submit(execute, commands, scenario, how, place)
        return futures[scenario, how]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for item in request.session.items:
            callspec = getattr(item, "callspec", None)
            parameters: dict[str, Any] = callspec.params if callspec else {}
            if "scenario" in parameters:
                submit(parameters["scenario"], "debian")
                submit(parameters["scenario"], parameters["how"])
        yield lambda scenario, how: submit(scenario, how).result()
        pool.shutdown(cancel_futures=True)


def execute(commands: Commands, scenario: Scenario, how: str, place: Path) -> Outcome:
    """In a mix every second command is ours, in the order the scenario names them; crossed, the other ones."""
    ours, debian = commands.ours, commands.debian
    names = scenario.commands()
    first, second, directory = {
        "ours": lambda: (ours, ours, ours),
        "debian": lambda: (debian, debian, debian),
        "mixed": lambda: (debian, ours, commands.mix(frozenset(names[1::2]))),
        "crossed": lambda: (ours, debian, commands.mix(frozenset(names[0::2]))),
    }[how]()
    return run(scenario, first, second, f"{directory}:{commands.tools}", place)
