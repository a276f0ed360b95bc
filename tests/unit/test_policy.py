"""When a service is started again: lists of ends, delays, what the files of a directory say."""

from signal import SIGKILL, SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.life.health import HTTP, LOCALHOST, RESTART, Health, Timer
from pyinit.services.life.policy import ALWAYS, AS_DAEMONTOOLS, NEVER, ON_FAILURE, Backoff, Outcomes, Policy
from pyinit.services.life.readiness import PORT, Readiness


def test_a_list_of_ends_knows_codes_from_signals() -> None:
    ends = Outcomes(frozenset((1, 15)), frozenset((int(SIGKILL),)))
    assert [outcome for outcome in (1, 15, -SIGKILL, -SIGTERM, 9, 0) if outcome in ends] == [1, 15, -SIGKILL]


@pytest.mark.parametrize(
    ("restart", "after_success", "after_failure"),
    [(ALWAYS, True, True), (ON_FAILURE, False, True), (NEVER, False, False)],
)
@pytest.mark.parametrize("is_excepted", [False, True])
def test_when_it_starts_again(restart: bytes, after_success: bool, after_failure: bool, is_excepted: bool) -> None:
    policy = Policy()
    policy.restart = restart
    if is_excepted:
        policy.exceptions = Outcomes(frozenset((0, 3)))
    assert policy.starts_again(0, policy.is_failure(0)) is (after_success != is_excepted)
    assert policy.starts_again(3, policy.is_failure(3)) is (after_failure != is_excepted)
    assert policy.starts_again(-SIGTERM, True) is after_failure


def test_as_daemontools_is_always_again() -> None:
    assert all(AS_DAEMONTOOLS.starts_again(outcome, outcome != 0) for outcome in (0, 1, 255, -9))


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.integers(1, 5000))
def test_delays_never_shrink_and_end_at_the_cap(base: float, cap: float, streak: int) -> None:
    backoff = Backoff(base, cap)
    assert backoff.delay(streak) <= backoff.delay(streak + 1) <= cap
    assert backoff.delay(5000) == min(cap, base * 2.0**64)


def test_the_cap_is_the_base_and_the_reset_the_cap_where_nothing_is_said() -> None:
    assert [Backoff(4.0).delay(streak) for streak in (1, 2)] == [4.0, 4.0]
    assert (Backoff(1.0, 30.0).reset, Backoff(1.0, 30.0, 60.0).reset) == (30.0, 60.0)
    assert [Backoff(1.0, 30.0).delay(streak) for streak in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_what_is_not_said_has_defaults() -> None:
    readiness, health, timer = Readiness(PORT, LOCALHOST, 80), Health(HTTP, number=80, path=b"/"), Timer(60.0)
    assert (readiness.kind, readiness.text, readiness.number, readiness.every) == (PORT, b"127.0.0.1", 80, 1.0)
    assert (health.host, health.every, health.timeout, health.failures, health.then) == (LOCALHOST, 30, 30, 3, RESTART)
    assert (timer.every, timer.fields, timer.restricts_days, timer.at_start, timer.zone) == (
        60.0,
        (),
        False,
        False,
        b"",
    )
