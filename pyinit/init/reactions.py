"""What a signal that reaches process 1 does: one table, a default for each number and a map that overrides it. Pure.

The map is text, `SIGNAL=ACTION` words with white space or commas between them:

    TERM=stop           go down in order
    HUP=rescan          look at the service directory again
    USR1=rotate         every log begins a new file
    WINCH=ignore
    USR2=forward        to the main command; forward:HUP sends it another signal
    TSTP=suspend        to the main command, and then stop oneself, as dumb-init does off process 1
    HUP=nginx:HUP       to a service

`system/signals.py` says how signals are named. It is loaded where there is a map.
"""

from _signal import (
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGHUP,
    SIGILL,
    SIGINT,
    SIGIO,
    SIGKILL,
    SIGPWR,
    SIGQUIT,
    SIGRTMAX,
    SIGRTMIN,
    SIGSEGV,
    SIGSTOP,
    SIGTERM,
    SIGTTIN,
    SIGTTOU,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

STOP, RESCAN, ROTATE, IGNORE, FORWARD, SUSPEND, DELIVER = (
    b"stop",
    b"rescan",
    b"rotate",
    b"ignore",
    b"forward",
    b"suspend",
    b"deliver",
)

OURS = frozenset((SIGCHLD, SIGIO, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE, SIGILL))
"""Not for the table. The loop lives by deaths and, with a service directory, by its changes (SIGIO). A terminal must
not stop process 1. A handler that returns from a real fault would meet it again, for ever."""

CATCHABLE = frozenset(range(1, SIGRTMAX + 1)) - {SIGKILL, SIGSTOP, 32, 33}
"""32 and 33 belong to the C library."""

STOPPING = frozenset((SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGRTMIN + 3))


class Reaction:
    """What to do: `verb` is one of the words above, `number` the signal to send, `service` its receiver."""

    __slots__ = ("number", "service", "verb")

    def __init__(self, verb: bytes, number: int = 0, service: bytes = b"") -> None:
        self.verb = verb
        self.number = number
        self.service = service

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reaction) and (self.verb, self.number, self.service) == (
            other.verb,
            other.number,
            other.service,
        )

    __hash__ = None  # type: ignore[assignment]  # compared in tests, never a key


def reactions(
    overrides: "Mapping[int, Reaction]", has_command: bool, has_services: bool, untouched: "frozenset[int]" = OURS
) -> "dict[int, Reaction]":
    """The whole table, for every catchable signal.

    With nothing but a main command every signal is its own, as with tini. With services the stopping signals stop,
    HUP rescans, and the rest is the command's, if there is one. `untouched`: the signals that are not for the table.
    """
    numbers = CATCHABLE - untouched
    table = {number: Reaction(FORWARD, number) if has_command else Reaction(IGNORE) for number in numbers}
    if has_services or not has_command:
        table.update((number, Reaction(STOP)) for number in STOPPING)
        table[SIGHUP] = Reaction(RESCAN)
    table.update((number, reaction) for number, reaction in overrides.items() if number in table)
    return table


def parse_map(text: bytes) -> "dict[int, Reaction]":
    """The overrides that a map asks for; raises ValueError."""
    from pyinit.system.signals import number_of

    table = {}
    for word in text.replace(b",", b" ").split():
        name, is_set, action = word.partition(b"=")
        if not is_set or not action:
            raise ValueError(f"{word.decode(errors='replace')} is not SIGNAL=ACTION")
        number = number_of(name)
        if number not in CATCHABLE - OURS:
            raise ValueError(f"{name.decode(errors='replace')} cannot be mapped")
        table[number] = _reaction(action, number)
    return table


def rewriting(text: bytes) -> "dict[int, Reaction]":
    """The override that dumb-init's `RECEIVED:SENT` asks for; 0 is sent for nothing. Raises ValueError."""
    from pyinit.system.signals import number_of

    received, is_set, sent = text.partition(b":")
    if not is_set:
        raise ValueError(f"not SIGNAL:SIGNAL: {text.decode(errors='replace')}")
    return {number_of(received): Reaction(IGNORE) if sent == b"0" else Reaction(FORWARD, number_of(sent))}


def _reaction(action: bytes, number: int) -> Reaction:
    from pyinit.system.signals import number_of

    if action in (STOP, RESCAN, ROTATE, IGNORE):
        return Reaction(action)
    receiver, is_set, other = action.rpartition(b":")
    if action in (FORWARD, SUSPEND):
        return Reaction(action, number)
    if not is_set:
        raise ValueError(f"{action.decode(errors='replace')} is not an action")
    if receiver == FORWARD:
        return Reaction(FORWARD, number_of(other))
    return Reaction(DELIVER, number_of(other), receiver)
