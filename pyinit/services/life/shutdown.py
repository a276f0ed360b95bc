"""How everything goes down: who is asked to end, who is killed, and when it is over. Pure.

One function says what the present calls for, however it was reached: services were asked when the stop began; once
none is left, strangers (adopted orphans: what services left behind) are asked, each once; at the deadline services and
strangers are killed. Loggers are not asked: they end by the end of their input, and so get a last moment after the
deadline to read what the killed ones had written. It is over when nothing is left, and nothing left unread.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

LAST_MOMENT = 1.0
"""Seconds after the deadline for loggers to read to their end. With the default deadline of 8 s, below Docker's 10."""


class Alive:
    """What still runs, as sets of pids. A stranger is a child that is neither service nor logger.

    `undrained`: how many pipes still hold what no logger has taken, whether one runs just now or not.
    """

    __slots__ = ("loggers", "services", "strangers", "undrained")

    def __init__(
        self,
        services: "AbstractSet[int]",
        loggers: "AbstractSet[int]",
        strangers: "AbstractSet[int]",
        undrained: int = 0,
    ) -> None:
        self.services = services
        self.loggers = loggers
        self.strangers = strangers
        self.undrained = undrained


class Orders:
    """What to do: ask these to end (TERM, CONT), kill those, look again at `wake` (monotonic s) or when one ends."""

    __slots__ = ("ask", "is_over", "kill", "wake")

    def __init__(
        self, ask: "AbstractSet[int]", kill: "AbstractSet[int]", wake: float | None = None, is_over: bool = False
    ) -> None:
        self.ask = ask
        self.kill = kill
        self.wake = wake
        self.is_over = is_over


def decide(alive: Alive, asked: "AbstractSet[int]", deadline: float, now: float) -> Orders:
    """The orders of this moment. `asked`: the strangers that were asked already; `deadline`, `now`: monotonic s."""
    nobody: frozenset[int] = frozenset()
    everyone = alive.services | alive.strangers | alive.loggers
    last_moment = deadline + LAST_MOMENT
    if not everyone and (not alive.undrained or now >= last_moment):
        return Orders(nobody, nobody, is_over=True)
    if now < deadline:
        return Orders(nobody if alive.services else alive.strangers - asked, nobody, deadline)
    if now < last_moment:
        return Orders(nobody, alive.services | alive.strangers, last_moment)
    end = last_moment + LAST_MOMENT  # what even KILL does not end is left to the kernel
    return Orders(nobody, everyone, end, is_over=now >= end)
