"""What is told of a service: one line for each end that nobody asked for, with what happens next. Pure.

A loop of like ends is told thrice, and then at most once a minute.
"""

from pyinit.formats.control import DOWN
from pyinit.services.life.moment import BACKOFF, BLOCKED, DONE, FAILED, FINISHING, LEFT, RUNNING, STARTING, WAITING
from pyinit.services.life.rules import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.moment import State

LIKE, MINUTE = 3, 60.0
"""So many like ends are told at once; after them, one in so many seconds."""

NEXT = {
    STARTING: b"started again",
    RUNNING: b"started again",
    FINISHING: b"finishing",
    DONE: b"done",
    WAITING: b"waits for other services",
    BLOCKED: b"blocked: a service that it needs has failed",
    LEFT: b"not supervised any more",
}


class Accounts:
    """Remembers what was told of each service."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: dict[bytes, tuple[int | None, float, int, int]] = {}
        """name: outcome, when the minute began (monotonic s), how many were told in it, how many were not."""

    def line(self, name: bytes, before: "State", after: "State", now: float) -> bytes:
        """The line for a step from one state to another; empty where there is nothing to tell. `now`: monotonic s."""
        if after.kills > before.kills:
            return b"%b did not end in time: killed" % name
        if after.is_refused or before.phase == after.phase == FAILED:
            return b""
        if before.pid and after.pid != before.pid and (after.outcome, after.ended) != (before.outcome, before.ended):
            return self._end(name, before, after, now)
        if before.phase != after.phase and after.phase == BLOCKED and not before.pid:
            return b"%b is %b" % (name, NEXT[BLOCKED])
        if before.phase != after.phase and after.phase == FAILED and not before.pid:
            return b"%b has failed: %b" % (name, after.reason)
        return b""

    def _end(self, name: bytes, before: "State", after: "State", now: float) -> bytes:
        if before.is_asked and not before.fault and after.phase not in (FAILED, DONE):
            return b""
        if after.want == DOWN or after.is_leaving:
            return b""
        unsaid = self._count(name, after.outcome, now)
        if unsaid is None and after.phase != FAILED:
            return b""
        lived = max(0.0, (after.ended - before.since) / 1e9)
        outcome, fault = after.outcome or 0, b" (%b)" % before.fault if before.fault else b""
        how = (b"was " if outcome < 0 else b"") + said(outcome) + fault
        text = b"%b %b after %b, %b" % (name, how, seconds(lived), self._next(after, now))
        return text + (b" (%d more like that were not told)" % unsaid if unsaid else b"")

    def _next(self, after: "State", now: float) -> bytes:
        text = _ordinal(after)
        if after.phase == BACKOFF:
            return text + b"next in " + seconds(max(0.0, after.wake - now))
        if after.phase == FAILED:
            return b"given up: " + after.reason
        return text + NEXT.get(after.phase, after.phase)

    def _count(self, name: bytes, outcome: int | None, now: float) -> int | None:
        """How many like ends were not told before this one, which is; None where it is not, either."""
        last, began, told, unsaid = self._told.get(name, (None, now, 0, 0))
        if last != outcome or not told or now - began >= MINUTE:
            self._told[name] = outcome, now, 1, 0
            return unsaid if last == outcome else 0
        if told < LIKE:
            self._told[name] = outcome, began, told + 1, unsaid
            return 0
        self._told[name] = outcome, began, told, unsaid + 1
        return None


def _ordinal(after: "State") -> bytes:
    """Which restart of how many it is, where that is limited."""
    limit = after.policy.max_restarts
    if not limit or not after.recent:
        return b""
    count, (most, within) = len(after.recent), limit
    teens = count % 100 in (11, 12, 13)
    ending = b"th" if teens else {1: b"st", 2: b"nd", 3: b"rd"}.get(count % 10, b"th")
    return b"%d%b of %d restarts%b, " % (count, ending, most, b" within " + seconds(within) if within else b"")


def seconds(time: float) -> bytes:
    """A time as people say it, with one digit after the point below ten seconds."""
    return (b"%.1fs" if time < 9.95 and time != int(time) else b"%.0fs") % time
