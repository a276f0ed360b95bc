"""What a service is and what follows from an event: `step(state, event, now) -> state, actions`. Pure.

Two rules. Events change only what is wanted and known. Then `_settle` alone says what the resulting state calls for,
however it was reached: to leave, to start now, or to wait until a start is allowed.

A start is *owed* from when it is called for until it is tried: after a death while wanted up, and after `u` and `o` on
a service that is down. It is paid at once, but never within PAUSE of the last try; `d` cancels it. `x` does not: as
with the C program, a service that just died or was just asked for runs once more before supervise leaves.

Unlike the C program, which sleeps through the second after a start, commands are obeyed in that second too.
"""

from pyinit.formats.control import AFTER, ALPHABET, BEFORE, UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import assert_never

PAUSE = 1.0
"""Seconds between two starts of one service, at least."""


class State:
    """One moment of a service; never changed, only replaced.

    `since`: unix ns when the pid last changed. `tried`: monotonic s of the last start or try. `quitting`: `x` came.
    `gone`: supervise has left, and no event means anything any more.
    """

    __slots__ = ("gone", "owed", "paused", "pid", "quitting", "since", "tried", "want")

    def __init__(self, want: int, since: int) -> None:
        self.want = want
        self.since = since
        self.pid = 0
        self.paused = False
        self.owed = False
        self.quitting = False
        self.gone = False
        self.tried = float("-inf")

    def copy(self) -> "State":
        """The same moment, for `step` to change."""
        new = State(self.want, self.since)
        new.pid = self.pid
        new.paused = self.paused
        new.owed = self.owed
        new.quitting = self.quitting
        new.gone = self.gone
        new.tried = self.tried
        return new


class Now:
    """A reading of both clocks: `monotonic` seconds for waits, `unix` nanoseconds for people."""

    __slots__ = ("monotonic", "unix")

    def __init__(self, monotonic: float, unix: int) -> None:
        self.monotonic = monotonic
        self.unix = unix


class Opened:
    """The directory was taken up."""

    __slots__ = ()


class Commanded:
    """A control byte arrived."""

    __slots__ = ("letter",)
    __match_args__ = ("letter",)

    def __init__(self, letter: int) -> None:
        self.letter = letter


class Started:
    """The start that was called for succeeded."""

    __slots__ = ("pid",)
    __match_args__ = ("pid",)

    def __init__(self, pid: int) -> None:
        self.pid = pid


class NotStarted:
    """The start that was called for failed."""

    __slots__ = ()


class Died:
    """The process ended."""

    __slots__ = ()


class Waited:
    """The time that a Wait named has come."""

    __slots__ = ()


class Start:
    """Try to start run, and say Started or NotStarted. Always the only action of a step."""

    __slots__ = ()


class Signal:
    """Send a signal to the process."""

    __slots__ = ("number",)
    __match_args__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class Announce:
    """Replace the status file."""

    __slots__ = ()


class Wait:
    """Say Waited at `until`, monotonic seconds, unless an event comes before it."""

    __slots__ = ("until",)
    __match_args__ = ("until",)

    def __init__(self, until: float) -> None:
        self.until = until


class Leave:
    """Give the directory up: supervise ends."""

    __slots__ = ()


if TYPE_CHECKING:
    Event = Opened | Commanded | Started | NotStarted | Died | Waited
    Action = Start | Signal | Announce | Wait | Leave


def step(old: State, event: "Event", now: Now) -> "tuple[State, list[Action]]":
    """The state after the event, and what to do, in order."""
    if old.gone:
        return old, []
    state = old.copy()
    actions: list[Action] = []
    match event:
        case Opened():
            state.owed = state.want == UP
            if not state.owed:
                actions.append(Announce())
        case Commanded(letter):
            actions += _obey(state, letter)
        case Started(pid):
            state.pid, state.since, state.paused = pid, now.unix, False
            actions.append(Announce())
        case NotStarted():
            state.owed = state.want == UP and not state.quitting
            actions.append(Announce())
        case Died():
            state.pid, state.since = 0, now.unix
            state.owed = state.want == UP and not state.quitting
            actions.append(Announce())
        case Waited():
            pass
        case _ if TYPE_CHECKING:
            assert_never(event)
    follows = _settle(state, now)
    if follows and isinstance(follows[0], Start):  # of one that is down: all else is to announce what is over by then
        return state, follows
    return state, actions + follows


def _obey(state: State, letter: int) -> "list[Action]":
    """Change what is wanted; the actions of the request itself."""
    request = ALPHABET.get(letter)
    if request is None:
        return []
    if request.want is not None:
        state.want = request.want
        state.owed = request.start and state.pid == 0
    if request.paused is not None:
        state.paused = request.paused
    state.quitting = state.quitting or request.leave
    signals: list[Action] = [Signal(number) for number in request.signals] if state.pid else []
    before, after = request.told == BEFORE, request.told == AFTER
    return [Announce()] * before + signals + [Announce()] * after


def _settle(state: State, now: Now) -> "list[Action]":
    """What the state calls for."""
    if state.pid:
        return []
    if state.owed:
        allowed = state.tried + PAUSE
        if now.monotonic < allowed:
            return [Wait(allowed)]
        state.owed = False
        state.tried = now.monotonic
        return [Start()]
    if state.quitting:
        state.gone = True
        return [Leave()]
    return []
