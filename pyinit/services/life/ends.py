"""What follows from the end of a service's process, and how pyinit itself ends one, by the policy. Pure."""

from _signal import SIGCONT

from pyinit.formats.control import DOWN, NEITHER
from pyinit.services.life.events import Finish, Signal
from pyinit.services.life.moment import DONE, FAILED, HOPELESS, IDLE, NEVER, SICK
from pyinit.services.life.policy import GROUP, PATIENCE, PROCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.events import Action
    from pyinit.services.life.moment import State

NOT_EXECUTED = 127
"""The exit code that stands for a start that failed, as in s6 and in shells."""

STEADY = 2.0
"""Seconds up, at least, after which a service counts as steady again."""


def stop(new: "State", now: float, actions: "list[Action]", fault: bytes = b"") -> None:
    """Tell the process to end: pyinit decided so. After `timeout-kill`, or PATIENCE, it is killed."""
    policy = new.policy
    new.is_ending, new.fault = True, new.fault or fault
    new.up_by = new.ready_by = NEVER
    patience = PATIENCE if policy.timeout_kill is None else policy.timeout_kill
    new.kill_at = min(new.kill_at, now + patience if patience else NEVER)
    to_group = policy.kill_mode == GROUP
    actions += [Signal(policy.down_signal, to_group), Signal(SIGCONT, to_group)]


def end(new: "State", outcome: int | None, now: float, actions: "list[Action]") -> None:
    """What follows from an end with this outcome, or from a start that failed (None)."""
    policy = new.policy
    if policy.backoff:
        new.start_at = now
    is_steady = now - new.ready_at >= (policy.backoff.reset if policy.backoff else STEADY)
    if is_steady:
        new.streak = 0
    if is_steady and policy.max_restarts and policy.max_restarts[1] is None:
        new.recent = ()
    new.is_due = new.is_unasked = False
    new.rest = IDLE
    if new.want != DOWN and not new.is_leaving:
        _go_on(new, NOT_EXECUTED if outcome is None else outcome, now)
    new.is_ending = new.is_sick = False
    new.fault = b""
    new.up_by = new.ready_by = new.kill_at = new.ready_at = NEVER
    if outcome is not None and (policy.has_finish or policy.kill_mode != PROCESS):
        new.is_finishing = True
        actions.append(Finish(outcome))


def _go_on(new: "State", outcome: int, now: float) -> None:
    """The service is not wanted down: is it to start again, is it done, or has it failed?"""
    policy = new.policy
    is_failure = bool(new.fault) or policy.is_failure(outcome)
    is_longrun, is_once = not policy.is_oneshot, new.want == NEITHER
    if (new.is_ending and not new.fault) or (is_longrun and new.is_asked and not is_once):
        new.is_due = True  # it was blocked, or told to run anew
    elif is_once and is_longrun:
        pass
    elif not is_once and new.fault != HOPELESS and (new.fault == SICK or policy.starts_again(outcome, is_failure)):
        _start_again(new, now)
    else:
        new.rest = FAILED if is_failure else DONE
        new.reason = (new.fault or said(outcome)) if is_failure else b""


def _start_again(new: "State", now: float) -> None:
    """A start is due that nobody asked for, unless there were too many."""
    policy = new.policy
    new.streak += 1
    if policy.max_restarts:
        most, within = policy.max_restarts
        new.recent = tuple(moment for moment in new.recent if within is None or now - moment < within)
        if len(new.recent) >= most:
            new.rest, new.reason = FAILED, b"more than %d restarts" % most
            return
        new.recent += (now,)
    new.is_due = new.is_unasked = True
    if policy.backoff:
        new.start_at = now + policy.backoff.delay(new.streak)


def said(outcome: int) -> bytes:
    """An outcome in words."""
    return b"killed by signal %d" % -outcome if outcome < 0 else b"exited %d" % outcome
