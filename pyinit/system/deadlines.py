"""Callbacks to come: a heap of deadlines, on a clock that is not set back (monotonic s)."""

from _heapq import heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_WAIT = 86400.0
"""Seconds of one wait; a later deadline takes several. epoll_wait(2) counts milliseconds, and takes 24 days at most."""


class Deadline:
    """A callback to come; `cancel` makes it never come."""

    __slots__ = ("callback",)

    def __init__(self, callback: "Callable[[], None] | None") -> None:
        self.callback = callback

    def cancel(self) -> None:
        """Forget the callback. A second call, or one that comes too late, does nothing."""
        self.callback = None


class Deadlines:
    """The deadlines of one loop."""

    __slots__ = ("_count", "heap")

    def __init__(self) -> None:
        self._count = 0
        self.heap: list[tuple[float, int, Deadline]] = []
        """(when, which of them, the callback), the first one in front. Empty: no deadline is set."""

    def add(self, when: float, callback: "Callable[[], None]") -> Deadline:
        """A callback that is due at `when`. Those of one moment are due in the order in which they were added."""
        deadline = Deadline(callback)
        self._count += 1
        heappush(self.heap, (when, self._count, deadline))
        return deadline

    @property
    def next(self) -> float | None:
        """When the next one is due; None where there is none."""
        while self.heap and self.heap[0][2].callback is None:
            heappop(self.heap)
        return self.heap[0][0] if self.heap else None

    def pop_due(self, now: float) -> "Callable[[], None] | None":
        """Take out the first that is due; None if none is."""
        while self.heap and self.heap[0][0] <= now:
            if callback := heappop(self.heap)[2].callback:
                return callback
        return None
