"""Going down: what each moment calls for."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.life.shutdown import LAST_MOMENT, Alive, Orders, decide

DEADLINE = 8.0


def orders(  # what is left, and when
    services: Iterable[int] = (),
    loggers: Iterable[int] = (),
    orphans: Iterable[int] = (),
    undrained: int = 0,
    asked: Iterable[int] = (),
    now: float = 0.0,
    finishing: int = 0,
) -> Orders:
    return decide(Alive(set(services), set(loggers), set(orphans), undrained, finishing), set(asked), DEADLINE, now)


def test_it_is_over_when_nothing_is_left() -> None:
    assert orders().is_over


def test_services_are_waited_for() -> None:
    now = orders(services={1}, orphans={9})
    assert (now.ask, now.kill, now.wake, now.is_over) == (set(), set(), DEADLINE, False)


def test_orphans_are_asked_once_the_services_are_gone_and_only_once() -> None:
    assert orders(orphans={8, 9}, loggers={5}).ask == {8, 9}
    assert orders(orphans={8, 9}, asked={8}).ask == {9}


def test_a_service_that_is_not_finished_is_waited_for_and_so_are_its_processes() -> None:
    now = orders(finishing=1, orphans={9})
    assert (now.ask, now.kill, now.wake, now.is_over) == (set(), set(), DEADLINE, False)
    assert not orders(finishing=1).is_over
    assert orders(finishing=1, orphans={9}, now=DEADLINE).kill == {9}
    assert orders(finishing=1, now=DEADLINE + 2 * LAST_MOMENT).is_over


def test_loggers_are_only_waited_for() -> None:
    now = orders(loggers={5})
    assert (now.ask, now.kill, now.is_over) == (set(), set(), False)


def test_a_pipe_that_is_not_drained_is_waited_for() -> None:
    assert not orders(undrained=1).is_over
    assert orders(undrained=1, now=DEADLINE + LAST_MOMENT).is_over


def test_at_the_deadline_all_but_the_loggers_are_killed() -> None:
    now = orders(services={1}, orphans={9}, loggers={5}, now=DEADLINE)
    assert now.kill == {1, 9}
    assert now.wake == DEADLINE + LAST_MOMENT


def test_after_the_last_moment_the_loggers_are_killed_too() -> None:
    assert orders(loggers={5}, now=DEADLINE + LAST_MOMENT).kill == {5}


def test_a_process_that_even_kill_does_not_end_is_left_to_the_kernel() -> None:
    assert orders(services={1}, now=DEADLINE + 2 * LAST_MOMENT).is_over


pids = st.frozensets(st.integers(1, 9), max_size=3)


@given(pids, pids, pids, st.integers(0, 2), pids, st.floats(0, 20))
def test_always(
    services: frozenset[int],
    loggers: frozenset[int],
    orphans: frozenset[int],
    undrained: int,
    asked: frozenset[int],
    now: float,
) -> None:
    alive = Alive(services, loggers - services, orphans - services - loggers, undrained)
    result = decide(alive, asked, DEADLINE, now)
    everyone = {*alive.services, *alive.loggers, *alive.orphans}
    assert result.kill <= everyone
    assert not result.ask & {*asked, *alive.loggers, *alive.services}
    assert not result.kill or now >= DEADLINE
    assert result.is_over or (result.wake is not None and result.wake > now)
    assert not result.is_over or not everyone or now >= DEADLINE + 2 * LAST_MOMENT
