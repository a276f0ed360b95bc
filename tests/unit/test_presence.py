"""When a service counts for its container, and when its end is the container's."""

import pytest

from pyinit.formats.control import DOWN, NEITHER, UP
from pyinit.formats.services import PROVEN
from pyinit.services.life.moment import (
    BACKOFF,
    BLOCKED,
    DONE,
    FAILED,
    NEVER,
    OVERDUE,
    RUNNING,
    SICK,
    STARTING,
    State,
)
from pyinit.services.life.policy import WITHOUT_CODE, Policy
from pyinit.services.life.presence import code_of_end, counts_from, is_given_up, verdict
from pyinit.services.life.readiness import FD, Readiness


def at(phase: bytes, **more: object) -> State:
    state = State(UP, 0, Policy())
    state.phase = phase
    for name, value in more.items():
        setattr(state, name, value)
    return state


def test_a_process_counts_when_it_is_a_tenth_of_a_second_old() -> None:
    assert counts_from(at(RUNNING, ready_at=5.0)) == 5.0 + PROVEN
    assert counts_from(at(DONE)) < 0
    assert {counts_from(at(phase)) for phase in (STARTING, BACKOFF, FAILED, BLOCKED)} == {NEVER}


def test_one_that_says_when_it_is_ready_counts_at_once() -> None:
    state = at(RUNNING, ready_at=5.0)
    state.policy.readiness = Readiness(FD, number=3)
    assert counts_from(state) == 5.0


def test_who_is_wanted() -> None:
    assert [at(RUNNING, want=want).is_wanted for want in (UP, DOWN, NEITHER)] == [True, False, False]
    assert not at(RUNNING, is_leaving=True).is_wanted
    assert [is_given_up(at(phase)) for phase in (FAILED, BLOCKED, BACKOFF, DONE)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("phase", "more", "code"),
    [
        (FAILED, {"outcome": 3, "reason": b"exited 3"}, 3),
        (FAILED, {"outcome": -9, "reason": b"killed by signal 9"}, 137),
        (FAILED, {"outcome": 3, "reason": b"more than 2 restarts"}, 3),
        (FAILED, {"outcome": 0, "reason": b"more than 2 restarts"}, 1),
        (FAILED, {"outcome": 3, "reason": OVERDUE}, 1),
        (FAILED, {"outcome": 3, "reason": SICK}, 1),
        (FAILED, {"outcome": 3, "reason": b"finish exited 125"}, 1),
        (FAILED, {"outcome": None, "reason": b"exited 127"}, 1),
        (FAILED, {"outcome": 3, "reason": b"ready: bad", "is_refused": True}, 1),
        (BLOCKED, {"outcome": 3}, 1),
        (DONE, {"outcome": 0}, 0),
        (DONE, {"outcome": 143}, 143),
        (BACKOFF, {"outcome": 3}, None),
        (RUNNING, {}, None),
    ],
)
def test_the_code_of_a_container_whose_critical_service_ends(
    phase: bytes, more: dict[str, object], code: int | None
) -> None:
    state = at(phase, **more)
    assert code_of_end(state) is None, "not critical"
    state.policy.critical = WITHOUT_CODE
    assert code_of_end(state) == code
    state.policy.critical = 42
    assert code_of_end(state) == (None if code is None else 42)
    state.want = DOWN
    assert code_of_end(state) is None, "a person asked for it"


def test_a_critical_oneshot_that_is_done_ends_nothing() -> None:
    state = at(DONE, outcome=0)
    state.policy.critical, state.policy.is_oneshot = WITHOUT_CODE, True
    assert code_of_end(state) is None


def test_how_it_has_ended_in_words() -> None:
    assert verdict(b"web", at(FAILED, reason=b"exited 3", restarts=2)) == b"web has failed: exited 3 (2 restarts)"
    assert verdict(b"web", at(BLOCKED)) == b"web is blocked: a service that it needs has failed"
    assert verdict(b"web", at(DONE)) == b"web has ended"
