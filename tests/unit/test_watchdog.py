"""Signs of life that a service owes."""

from pathlib import Path

import pytest
from kernel import World

from pyinit.services.life.health import WATCHDOG, Health
from pyinit.services.watchdog import Watchdog


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def watch(world: World, found: list[bool], failures: int = 2, is_sick: bool = False) -> Watchdog:
    health = Health(WATCHDOG)
    health.timeout, health.failures = 10.0, failures
    return Watchdog(world.loop, health, is_sick, found.append)


def test_so_many_periods_without_a_sign_are_sickness(world: World) -> None:
    found: list[bool] = []
    watch(world, found)
    world.run(19.9)
    assert found == []
    world.run(0.2)
    assert found == [False]
    world.run(100)
    assert found == [False], "it is told once"


def test_signs_keep_it_well(world: World) -> None:
    found: list[bool] = []
    dog = watch(world, found, failures=1)
    for _ in range(20):
        world.run(9)
        dog.alive()
    assert found == []
    world.run(10.1)
    assert found == [False]


def test_a_sign_makes_it_well_again(world: World) -> None:
    found: list[bool] = []
    dog = watch(world, found)
    world.run(25)
    dog.alive()
    dog.alive()
    assert found == [False, True]
    world.run(25)
    assert found == [False, True, False]


def test_it_goes_on_from_what_was_found(world: World) -> None:
    found: list[bool] = []
    dog = watch(world, found, is_sick=True)
    world.run(100)
    assert found == []
    dog.alive()
    assert found == [True]


def test_a_trigger_is_sickness_at_once(world: World) -> None:
    found: list[bool] = []
    dog = watch(world, found, failures=5)
    dog.trigger()
    dog.trigger()
    assert found == [False]


def test_many_signs_are_no_deadlines(world: World) -> None:
    dog = watch(world, [])
    for _ in range(1000):
        dog.alive()
    assert len(world.loop._deadlines.heap) == 1


def test_it_can_be_closed(world: World) -> None:
    found: list[bool] = []
    dog = watch(world, found)
    dog.close()
    dog.close()
    world.run(1000)
    assert found == []
