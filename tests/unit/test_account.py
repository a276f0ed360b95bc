"""What is told of a service: who ended, how, after how long, and what happens next."""

import pytest

from pyinit.formats.control import DOWN, UP
from pyinit.services.life.account import LIKE, MINUTE, Accounts, seconds
from pyinit.services.life.moment import (
    BACKOFF,
    BLOCKED,
    DONE,
    FAILED,
    FINISHING,
    LEFT,
    OVERDUE,
    RUNNING,
    WAITING,
    State,
)
from pyinit.services.life.policy import Policy

NOW = 100.0


def at(phase: bytes, pid: int = 0, **more: object) -> State:
    state = State(UP, 0, Policy())
    state.phase, state.pid = phase, pid
    for name, value in more.items():
        setattr(state, name, value)
    return state


def told(before: State, after: State, accounts: Accounts | None = None, now: float = NOW) -> str:
    return (accounts or Accounts()).line(b"web", before, after, now).decode()


def ended(phase: bytes, outcome: int = 1, **more: object) -> State:
    state = at(phase, outcome=outcome, ended=200_000_000)
    for name, value in more.items():
        setattr(state, name, value)
    return state


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (ended(RUNNING, pid=8), "web exited 1 after 0.2s, started again"),
        (ended(RUNNING, -9, pid=8), "web was killed by signal 9 after 0.2s, started again"),
        (ended(BACKOFF, wake=NOW + 4), "web exited 1 after 0.2s, next in 4s"),
        (ended(FAILED, reason=b"more than 5 restarts"), "web exited 1 after 0.2s, given up: more than 5 restarts"),
        (ended(DONE, 0), "web exited 0 after 0.2s, done"),
        (ended(FINISHING), "web exited 1 after 0.2s, finishing"),
        (ended(WAITING), "web exited 1 after 0.2s, waits for other services"),
        (ended(b"down"), "web exited 1 after 0.2s, down"),
    ],
)
def test_an_end_is_told_with_what_happens_next(after: State, line: str) -> None:
    assert told(at(RUNNING, 7), after) == line


def test_a_limit_of_restarts_is_told_with_it() -> None:
    after = ended(BACKOFF, wake=NOW + 4, recent=(1.0, 2.0, 3.0))
    after.policy.max_restarts = (5, 60.0)
    assert told(at(RUNNING, 7), after) == "web exited 1 after 0.2s, 3rd of 5 restarts within 60s, next in 4s"
    after.policy.max_restarts = (20, None)
    for count, word in ((1, "1st"), (2, "2nd"), (4, "4th"), (11, "11th"), (12, "12th")):
        after.recent = (1.0,) * count
        assert f", {word} of 20 restarts, next in 4s" in told(at(RUNNING, 7), after)


def test_an_end_that_was_asked_for_is_not_told() -> None:
    assert told(at(RUNNING, 7, is_asked=True), ended(RUNNING, pid=8)) == ""
    assert told(at(RUNNING, 7), ended(b"down", want=DOWN)) == ""
    assert told(at(RUNNING, 7), ended(LEFT, is_leaving=True)) == ""
    assert told(at(RUNNING, 7, is_asked=True), ended(DONE, 0)) == "web exited 0 after 0.2s, done"


def test_who_was_ended_by_pyinit_is_told_with_the_cause() -> None:
    line = told(at(b"stopping", 7, fault=OVERDUE), ended(BACKOFF, -15, wake=NOW + 1))
    assert line == "web was killed by signal 15 (not ready in time) after 0.2s, next in 1s"
    assert told(at(b"stopping", 7), at(b"stopping", 7, kills=1)) == "web did not end in time: killed"


def test_a_service_without_a_process_may_fail_or_be_blocked() -> None:
    assert told(at(WAITING), at(BLOCKED)) == "web is blocked: a service that it needs has failed"
    assert told(at(b"starting"), at(FAILED, reason=b"exited 127")) == "web has failed: exited 127"
    assert told(at(b"down"), at(FAILED, is_refused=True)) == "", "bad content is told by who reads it"
    assert told(at(FAILED), at(FAILED)) == ""
    assert told(at(WAITING), at(RUNNING, 7)) == ""
    assert told(at(RUNNING, 7), at(RUNNING, 9)) == "", "another process took its place"


def test_a_loop_is_told_thrice_and_then_once_a_minute() -> None:
    accounts = Accounts()
    lines = [told(at(RUNNING, 7), ended(RUNNING, pid=8), accounts, NOW + second) for second in range(int(MINUTE) + 1)]
    assert [bool(line) for line in lines] == [True] * LIKE + [False] * (int(MINUTE) - LIKE) + [True]
    assert lines[-1].endswith(f"started again ({int(MINUTE) - LIKE} more like that were not told)")
    assert told(at(RUNNING, 7), ended(RUNNING, 2, pid=8), accounts, NOW + 61), "another outcome is another thing"


def test_who_is_given_up_is_told_whatever_came_before() -> None:
    accounts = Accounts()
    lines = [told(at(RUNNING, 7), ended(RUNNING, pid=8), accounts, NOW + second) for second in range(5)]
    assert lines[-1] == ""
    assert (
        told(at(RUNNING, 7), ended(FAILED, reason=b"exited 1"), accounts, NOW + 6)
        == "web exited 1 after 0.2s, given up: exited 1"
    )


def test_times_are_short() -> None:
    assert [seconds(time) for time in (0.04, 4.0, 9.5, 61.2)] == [b"0.0s", b"4s", b"9.5s", b"61s"]
