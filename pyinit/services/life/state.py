"""What follows from what happens to a service: `step(state, event, now) -> state, actions`. Pure.

Two rules. An event changes only what is wanted and known. Then the end of `step` alone says which phase follows from
that, however it was reached. `TABLE` says which events mean anything in a phase, and which phases can follow. The
diagram in docs/states.md is drawn from it.

A start is due after an exit while the service is wanted up, and after `u` or `o` on a service that is down. It comes at
once, but never within PAUSE of the last start; until then the service waits in BACKOFF. `d` cancels a due start, and
`x` does not. As with the C program, a service that just exited or was just asked for runs once more before supervise
leaves. Unlike the C program, which sleeps through the second after a start, a service obeys commands in that second.

A policy other than AS_DAEMONTOOLS says more: `rules.py` has what follows from an end then, `orders.py` from a letter.
"""

from pyinit.formats.control import DOWN, NEITHER, UP
from pyinit.services.life.events import (
    Allowed,
    Checked,
    Commanded,
    Due,
    Exited,
    Extended,
    Finished,
    NotStarted,
    Opened,
    Ready,
    Refused,
    Replaced,
    Said,
    Start,
    Started,
    Waited,
)
from pyinit.services.life.moment import (
    BACKOFF,
    BLOCKED,
    CLOSED,
    DONE,
    FAILED,
    FINISHED_FOR_GOOD,
    FINISHING,
    HELD,
    IDLE,
    LEFT,
    NEVER,
    OPEN,
    PAUSE,
    RUNNING,
    STARTING,
    STOPPING,
    WAITING,
    State,
)
from pyinit.services.life.orders import obey
from pyinit.services.life.policy import AS_DAEMONTOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from pyinit.services.life.events import Action, Event
    from pyinit.services.life.moment import Clocks

DUE = (STARTING, BACKOFF, WAITING, BLOCKED)
WITH_PROCESS = (STARTING, RUNNING, STOPPING)
AT_REST = (IDLE, DONE, FAILED)
AFTER_AN_END = (*DUE, FINISHING, *AT_REST, LEFT)

TABLE: "dict[bytes, dict[type[Event], tuple[bytes, ...]]]" = {
    IDLE: {
        Opened: (IDLE, *DUE),
        Refused: (FAILED,),
        Commanded: (IDLE, *DUE, LEFT),
        Allowed: (IDLE,),
        Due: (IDLE, STARTING, BACKOFF),
    },
    WAITING: {Commanded: (*DUE, IDLE, LEFT), Allowed: DUE, Refused: (FAILED,)},
    BACKOFF: {Commanded: (*DUE, IDLE, LEFT), Allowed: DUE, Waited: DUE, Refused: (FAILED,)},
    STARTING: {
        Started: (STARTING, RUNNING),
        NotStarted: (*DUE, *AT_REST, LEFT),
        Refused: (FAILED,),
        Ready: (RUNNING,),
        Replaced: (STARTING,),
        Extended: (STARTING,),
        Said: (STARTING,),
        Commanded: WITH_PROCESS,
        Allowed: (STARTING, STOPPING),
        Waited: WITH_PROCESS,
        Due: (STARTING,),
        Exited: AFTER_AN_END,
    },
    RUNNING: {
        Commanded: (RUNNING, STOPPING),
        Replaced: (RUNNING,),
        Said: (RUNNING,),
        Checked: (RUNNING, STOPPING),
        Allowed: (RUNNING, STOPPING),
        Waited: (RUNNING,),
        Due: (RUNNING,),
        Exited: AFTER_AN_END,
    },
    STOPPING: {
        Commanded: WITH_PROCESS,
        Replaced: (STOPPING,),
        Extended: (STOPPING,),
        Said: (STOPPING,),
        Allowed: (STOPPING,),
        Waited: (STOPPING,),
        Due: (STOPPING,),
        Exited: AFTER_AN_END,
    },
    FINISHING: {Commanded: (FINISHING,), Allowed: (FINISHING,), Due: (FINISHING,), Finished: (*DUE, *AT_REST, LEFT)},
    DONE: {Commanded: (DONE, IDLE, *DUE, LEFT), Allowed: (DONE,), Due: (DONE, STARTING, BACKOFF)},
    FAILED: {
        Opened: (IDLE, *DUE),
        Refused: (FAILED,),
        Commanded: (FAILED, IDLE, *DUE, LEFT),
        Allowed: (FAILED,),
        Due: (FAILED, STARTING, BACKOFF),
    },
    BLOCKED: {Commanded: (*DUE, IDLE, LEFT), Allowed: DUE, Refused: (FAILED,)},
    LEFT: {},
}
"""phase: {event: the phases that may follow}. An event that a phase does not list means nothing there."""


def step(state: State, event: "Event", now: "Clocks") -> "tuple[State, list[Action]]":  # noqa: C901, PLR0912 - on a screen
    """The state after the event, and what to do, in order. One piece: all that a plain service needs is on a screen."""
    if type(event) not in TABLE[state.phase]:
        return state, []
    actions: list[Action] = []
    new = State.__new__(State)
    for field in State.__slots__:
        setattr(new, field, getattr(state, field))
    match event:
        case Commanded():
            obey(new, event.letter, now[0], actions)
        case Started():
            new.pid, new.since, new.is_paused, new.ready_at = event.pid, now[1], False, now[0]
            if not (event.policy is state.policy is AS_DAEMONTOOLS):
                _rules().begin(new, event.policy, now[0])
        case Exited() | NotStarted():
            outcome = event.outcome if isinstance(event, Exited) else None
            if new.pid:
                new.pid, new.since, new.outcome, new.ended = 0, now[1], outcome, now[1]
            new.is_due = new.want == UP and not new.is_leaving
            new.is_unasked = new.is_due and not new.is_asked
            if new.policy is not AS_DAEMONTOOLS:
                _rules().end(new, outcome, now[0], actions)
            new.is_asked = False
        case _ if new.pid:
            _rules().hear(new, event, now[0], actions)
        case _:
            _learn(new, event)
    new.wake = NEVER
    if new.pid:
        is_stopping = new.want == DOWN or new.is_ending
        new.phase = STOPPING if is_stopping else STARTING if new.ready_at == NEVER else RUNNING
        new.wake = min(new.kill_at, new.up_by, new.ready_by)
    elif new.is_finishing:
        new.phase = FINISHING
    elif not new.is_due or (new.is_leaving and new.gate != OPEN):
        new.phase = LEFT if new.is_leaving else new.rest
    elif new.gate == CLOSED:
        new.phase = BLOCKED
    elif now[0] < new.start_at:
        new.phase, new.wake = BACKOFF, new.start_at
    elif new.gate == HELD:
        new.phase = WAITING
    else:
        new.phase, new.last_start, new.start_at = STARTING, now[0], now[0] + PAUSE
        new.restarts, new.is_due, new.reason = new.restarts + new.is_unasked, False, b""
        actions.append(Start())
    return new, actions


def _rules() -> "ModuleType":
    """The module for policies: a plain service never needs it."""
    from pyinit.services.life import rules

    return rules


def _learn(new: State, event: "Event") -> None:
    """Take an event that finds no process."""
    match event:
        case Opened():
            new.policy, new.is_due, new.rest, new.reason = event.policy, new.want == UP, IDLE, b""
            new.is_refused = False
            if event.policy.timer and new.want == UP:  # its clock tells when
                new.want, new.is_due = NEITHER, event.policy.timer.at_start
        case Refused():
            new.policy, new.rest, new.reason, new.is_due = event.policy, FAILED, event.reason, False
            new.is_refused = True
        case Allowed():
            new.gate = event.gate
        case Finished():
            new.is_finishing = False
            if event.is_for_good and new.want != DOWN and not new.is_leaving:
                new.is_due, new.rest, new.reason = False, FAILED, FINISHED_FOR_GOOD
        case Due() if new.want != DOWN:
            is_possible = new.gate == OPEN and not new.is_finishing
            new.is_due = is_possible
            new.skipped += not is_possible
