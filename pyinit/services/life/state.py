"""What a service is, and what follows from an event: `step(state, event, now) -> state, actions`. Pure.

Two rules. An event changes only what is wanted and known. Then the end of `step` alone says which phase follows from
that, however it was reached. `TABLE` says which events mean anything in a phase, and which phases can follow. The
diagram in docs/states.md is drawn from it.

A start is due after an exit while the service is wanted up, and after `u` or `o` on a service that is down. It comes at
once, but never within PAUSE of the last start; until then the service waits in BACKOFF. `d` cancels a due start, and
`x` does not. As with the C program, a service that just exited or was just asked for runs once more before supervise
leaves.

Unlike the C program, which sleeps through the second after a start, a service obeys commands in that second too.
"""

from pyinit.formats.control import ALPHABET, DOWN, UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    Clocks = tuple[float, int]
    """A reading of both clocks: monotonic seconds for waits, unix nanoseconds for people."""

PAUSE = 1.0
"""Seconds between two starts of one service, at least."""

IDLE, BACKOFF, STARTING, RUNNING, STOPPING, LEFT = b"down", b"backoff", b"starting", b"up", b"stopping", b"left"
"""The phases.

down      no process, and none is due
backoff   a start is due and has to wait
starting  run is being executed
up        there is a process
stopping  there is a process, and it has been told to go down
left      supervise has given the directory up
"""


class State:
    """One moment of a service; `step` never changes it, but makes the next one.

    `since`: unix ns when the pid last changed. `last_start`: monotonic s of the last start, also a failed one.
    `is_leaving`: `x` came.
    """

    __slots__ = ("is_leaving", "is_paused", "last_start", "phase", "pid", "since", "want")

    def __init__(self, want: int, since: int) -> None:
        self.phase = IDLE
        self.want = want
        self.since = since
        self.pid = 0
        self.is_paused = False
        self.is_leaving = False
        self.last_start = float("-inf")

    @property
    def start_at(self) -> float:
        """When the next start is allowed, monotonic s."""
        return self.last_start + PAUSE


class Opened:
    """The directory was taken up."""

    __slots__ = ()


class Commanded:
    """A control byte arrived."""

    __slots__ = ("letter",)

    def __init__(self, letter: int) -> None:
        self.letter = letter


class Started:
    """The start that was called for succeeded."""

    __slots__ = ("pid",)

    def __init__(self, pid: int) -> None:
        self.pid = pid


class NotStarted:
    """The start that was called for failed."""

    __slots__ = ()


class Exited:
    """The process ended. `outcome`: its exit code, or minus the number of the signal that killed it."""

    __slots__ = ("outcome",)

    def __init__(self, outcome: int) -> None:
        self.outcome = outcome


class Waited:
    """The time of `start_at` has come."""

    __slots__ = ()


class Start:
    """Start run, then tell Started or NotStarted."""

    __slots__ = ()


class Signal:
    """Send a signal to the process."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


if TYPE_CHECKING:
    Event = Opened | Commanded | Started | NotStarted | Exited | Waited
    Action = Start | Signal

WITHOUT_PROCESS = (IDLE, BACKOFF, STARTING, LEFT)
WITH_PROCESS = (RUNNING, STOPPING)

TABLE: "dict[bytes, dict[type[Event], tuple[bytes, ...]]]" = {
    IDLE: {Opened: (IDLE, STARTING), Commanded: (IDLE, BACKOFF, STARTING, LEFT)},
    BACKOFF: {Commanded: (BACKOFF, STARTING, IDLE, LEFT), Waited: (STARTING, BACKOFF)},
    STARTING: {Started: (RUNNING,), NotStarted: (BACKOFF, IDLE, LEFT)},
    RUNNING: {Commanded: WITH_PROCESS, Exited: WITHOUT_PROCESS},
    STOPPING: {Commanded: WITH_PROCESS, Exited: (IDLE, LEFT)},
    LEFT: {},
}
"""phase: {event: the phases that may follow}. An event that a phase does not list means nothing there."""


def step(state: State, event: "Event", now: "Clocks") -> "tuple[State, list[Action]]":
    """The state after the event, and what to do, in order."""
    actions: list[Action] = []
    if type(event) not in TABLE[state.phase]:
        return state, actions
    new = State.__new__(State)
    for field in State.__slots__:
        setattr(new, field, getattr(state, field))
    start_is_due = state.phase == BACKOFF
    match event:
        case Opened():
            start_is_due = new.want == UP
        case Commanded():
            start_is_due = _obey(new, event.letter, start_is_due, actions)
        case Started():
            new.pid, new.since, new.is_paused = event.pid, now[1], False
        case NotStarted() | Exited():
            if new.pid:
                new.pid, new.since = 0, now[1]
            start_is_due = new.want == UP and not new.is_leaving
    if new.pid:
        new.phase = STOPPING if new.want == DOWN else RUNNING
    elif start_is_due and now[0] < new.last_start + PAUSE:
        new.phase = BACKOFF
    elif start_is_due:
        new.phase, new.last_start = STARTING, now[0]
        actions.append(Start())
    else:
        new.phase = LEFT if new.is_leaving else IDLE
    return new, actions


def _obey(new: State, letter: int, start_is_due: bool, actions: "list[Action]") -> bool:
    """Change what is wanted, and add the signals of the request; returns whether a start is due."""
    request = ALPHABET.get(letter)
    if request is None:
        return start_is_due
    if request.want is not None:
        new.want = request.want
        start_is_due = request.starts
    if request.is_paused is not None:
        new.is_paused = request.is_paused
    new.is_leaving = new.is_leaving or request.leaves
    if new.pid:
        actions += [Signal(number) for number in request.signals]
    return start_is_due
