"""How everything goes down: who is asked to end, who is killed, and when it is over. Pure.

One function says what the present calls for, however it was reached. Services were asked when the stop began. What
their ends call for is done beside this, and waited for. Once none is left, orphans (what services left behind, and we
adopted) are asked, each once. At the deadline services and orphans are killed. Loggers are never asked: they end by the
end of their input. So they get a last moment after the deadline, to read the last words of the killed. It is over when
nothing is left, and nothing is left unread.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Set as AbstractSet

LAST_MOMENT = 1.0
"""Seconds after the deadline for loggers to read to their end. With the default deadline of 8 s, below Docker's 10."""


class Alive:
    """The pids that still run. An orphan is a child that is neither a service nor a logger.

    `undrained`: how many pipes still hold what no logger has read, whether a logger runs just now or not.
    `finishing`: how many services have ended, but are not finished.
    """

    __slots__ = ("finishing", "loggers", "orphans", "services", "undrained")

    def __init__(
        self,
        services: "Collection[int]",
        loggers: "Collection[int]",
        orphans: "AbstractSet[int]",
        undrained: int = 0,
        finishing: int = 0,
    ) -> None:
        self.services = services
        self.loggers = loggers
        self.orphans = orphans
        self.undrained = undrained
        self.finishing = finishing


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


NOBODY: "frozenset[int]" = frozenset()


def decide(alive: Alive, asked: "AbstractSet[int]", deadline: float, now: float) -> Orders:
    """The orders of this moment. `asked`: the orphans that were asked already; `deadline`, `now`: monotonic s."""
    is_empty = not (alive.services or alive.orphans or alive.loggers or alive.finishing)
    last_moment = deadline + LAST_MOMENT
    if is_empty and (not alive.undrained or now >= last_moment):
        return Orders(NOBODY, NOBODY, is_over=True)
    if now < deadline:
        return Orders(NOBODY if alive.services or alive.finishing else alive.orphans - asked, NOBODY, deadline)
    if now < last_moment:
        return Orders(NOBODY, frozenset((*alive.orphans, *alive.services)), last_moment)
    end = last_moment + LAST_MOMENT  # what even KILL does not end is left to the kernel
    return Orders(NOBODY, frozenset((*alive.orphans, *alive.services, *alive.loggers)), end, is_over=now >= end)
