"""The loop of a command and nothing else, on a fake kernel: signals are fetched, one at a time."""

from signal import SIGCHLD, SIGHUP, SIGTERM

import pytest
from kernel import World

from pyinit.system.loop import BATCH, BREATH
from pyinit.system.sigloop import SignalLoop


@pytest.fixture
def world() -> World:
    return World(make_loop=SignalLoop)


def test_each_pending_signal_calls_its_handler(world: World) -> None:
    came: list[int] = []
    for number in (SIGTERM, SIGHUP):
        world.loop.add_signal_handler(number, lambda number=number: came.append(number))  # type: ignore[misc]
    for number in (SIGTERM, SIGHUP, SIGTERM):
        world.kernel.ring(number)
    world.run()
    assert sorted(came) == [SIGHUP, SIGTERM]
    assert world.kernel.pollers == [], "it has no poller"


def test_a_signal_that_nobody_asked_for_stays_pending(world: World) -> None:
    world.kernel.ring(SIGHUP)
    assert world.run() is None
    assert world.kernel.bell
    assert world.kernel.bell._pending == {SIGHUP}


def test_deaths_are_told_with_their_outcome(world: World) -> None:
    outcomes: list[int] = []
    world.kernel.living.add(7)
    world.loop.add_child_handler(7, outcomes.append)
    world.kernel.die(7, -9)
    world.run()
    assert outcomes == [-9]


def test_a_deadline_ends_the_wait(world: World) -> None:
    came: list[float] = []
    world.loop.call_at(1002.0, lambda: came.append(world.kernel.now))
    world.run(5)
    assert came == [1002.0]
    assert world.kernel.waits == [2.0]


def test_the_code_of_a_stop_is_returned(world: World) -> None:
    world.loop.add_signal_handler(SIGTERM, lambda: world.loop.stop(7))
    world.kernel.ring(SIGTERM)
    assert world.run() == 7


def test_while_it_takes_a_breath_deaths_wait_and_signals_do_not(world: World) -> None:
    came: list[str] = []
    world.kernel.living.add(1)
    world.loop.add_signal_handler(SIGHUP, lambda: came.append(f"HUP {world.loop.orphans}"))
    for pid in range(100, 100 + BATCH):
        world.kernel.die(pid)
    world.run()
    world.kernel.die(200)
    world.kernel.ring(SIGHUP)
    world.run(BREATH / 2)
    assert came == [f"HUP {BATCH}"]
    assert world.kernel.bell
    assert world.kernel.bell._pending == {SIGCHLD}
    world.run(BREATH)
    assert world.loop.orphans == BATCH + 1


def test_an_error_is_told_and_the_loop_goes_on(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    world.loop.add_signal_handler(SIGHUP, fail)
    world.loop.add_signal_handler(SIGTERM, lambda: world.loop.stop(0))
    world.kernel.ring(SIGHUP)
    world.run()
    world.kernel.ring(SIGTERM)
    assert world.run() == 0
    assert "test: warning: internal error: RuntimeError: broken" in capfd.readouterr().err


def test_it_watches_no_descriptor(world: World) -> None:
    with pytest.raises(PermissionError):
        world.loop.add_reader(0, lambda: None)
