"""What a policy says of a process: when it is ready, how pyinit ends it, and what follows from its end. Pure.

Loaded with the first service whose directory says something of its life, or that waits for another.
"""

from _signal import SIGCONT, SIGKILL

from pyinit.formats.control import DOWN, NEITHER
from pyinit.services.life.events import Allowed, Checked, Due, Extended, Finish, Ready, Replaced, Signal, Waited
from pyinit.services.life.health import FAIL, IGNORE
from pyinit.services.life.moment import CLOSED, DONE, FAILED, HOPELESS, IDLE, NEVER, OVERDUE, SICK
from pyinit.services.life.policy import GROUP, PATIENCE, PROCESS
from pyinit.services.life.readiness import AFTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.events import Action, Event
    from pyinit.services.life.moment import State
    from pyinit.services.life.policy import Policy

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


def begin(new: "State", policy: "Policy", now: float) -> None:
    """A process has been started under a policy: when is it ready, and when has it to be?"""
    new.policy = policy
    readiness = policy.readiness
    if readiness:
        new.ready_at = NEVER
        new.ready_by = now + readiness.seconds if readiness.kind == AFTER else NEVER
        new.up_by = now + policy.timeout_up if policy.timeout_up else NEVER


def hear(new: "State", event: "Event", now: float, actions: "list[Action]") -> None:
    """Take an event while there is a process."""
    match event:
        case Ready():
            _be_ready(new, now)
        case Replaced():
            new.pid = event.pid
        case Extended():
            new.up_by, new.kill_at = _later(new.up_by, now, event), _later(new.kill_at, now, event)
        case Checked():
            _check(new, event.is_well, now, actions)
        case Waited():
            _be_late(new, now, actions)
        case Allowed():
            new.gate = event.gate
            if event.gate == CLOSED and not new.is_ending:
                stop(new, now, actions)
        case Due():
            new.skipped += 1


def _be_ready(new: "State", now: float) -> None:
    new.ready_at, new.up_by, new.ready_by = now, NEVER, NEVER


def _later(limit: float, now: float, event: Extended) -> float:
    """A limit, put off to the time that was asked for."""
    return limit if limit == NEVER else max(limit, now + event.seconds)


def _check(new: "State", is_well: bool, now: float, actions: "list[Action]") -> None:
    """It was found to be well, or sick: then it is told of, restarted, or given up, as `health` says."""
    new.is_sick = not is_well
    health = new.policy.health
    if new.is_sick and health and health.then != IGNORE and not new.is_paused:
        stop(new, now, actions, HOPELESS if health.then == FAIL else SICK)


def _be_late(new: "State", now: float, actions: "list[Action]") -> None:
    """A limit of the run has come."""
    if now >= new.kill_at:
        new.kill_at = NEVER
        new.kills += 1
        actions.append(Signal(SIGKILL, new.policy.kill_mode == GROUP))
    elif now >= new.ready_by:
        _be_ready(new, now)
    elif now >= new.up_by:
        stop(new, now, actions, OVERDUE)
