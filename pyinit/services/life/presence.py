"""Whether a service counts for its container: for `ready`, the main command, and how the container ends. Pure."""

from pyinit.formats.services import PROVEN
from pyinit.services.life.moment import (
    BLOCKED,
    DONE,
    FAILED,
    FINISHED_FOR_GOOD,
    HOPELESS,
    NEVER,
    OVERDUE,
    RUNNING,
    SICK,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.moment import State

BY_PYINIT = (OVERDUE, SICK, HOPELESS, FINISHED_FOR_GOOD)
"""Reasons of a failure that the exit code says nothing of."""

SAID = {FAILED: b"has failed", BLOCKED: b"is blocked: a service that it needs has failed"}


def counts_from(state: "State") -> float:
    """From when on the service counts, monotonic s; NEVER as it is now."""
    if state.phase == DONE:
        return float("-inf")
    if state.phase != RUNNING:
        return NEVER
    return state.ready_at if state.policy.readiness else state.ready_at + PROVEN


def is_given_up(state: "State") -> bool:
    """Whether only a person, or another service, brings it up."""
    return state.phase in (FAILED, BLOCKED)


def code_of_end(state: "State") -> int | None:
    """The code that the container ends with because of this service; None if it does not end.

    It ends for a critical one that has failed, is blocked, or has ended for good, unless a command asked for that.
    """
    policy = state.policy
    has_ended = is_given_up(state) or (state.phase == DONE and not policy.is_oneshot)
    if policy.critical is None or not has_ended or not state.is_wanted:
        return None
    if policy.critical >= 0:
        return policy.critical
    if state.outcome is None or state.phase == BLOCKED or state.is_refused:
        return 1
    code = state.outcome if state.outcome >= 0 else 128 - state.outcome
    return 1 if state.phase == FAILED and (code == 0 or state.reason in BY_PYINIT) else code


def verdict(name: bytes, state: "State") -> bytes:
    """How a service has ended, in words: it has failed, is blocked, or has ended for good."""
    what = {FAILED: b"has failed", BLOCKED: b"is blocked: a service that it needs has failed"}.get(
        state.phase, b"has ended"
    )
    restarts = b" (%d restarts)" % state.restarts if state.restarts else b""
    return name + b" " + what + (b": " + state.reason if state.reason else b"") + restarts
