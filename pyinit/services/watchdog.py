"""Signs of life that a service owes: `health watchdog`. Told by its WATCHDOG=1, asked by nobody."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.life.health import Health
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop


class Watchdog:
    """Counts, from its making on, the periods without a sign. `found` is told when the service is sick, or well again.

    `is_sick`: so it was found when it was watched last.
    """

    __slots__ = ("_alive_at", "_found", "_health", "_loop", "_missed", "_timer")

    def __init__(self, loop: "Loop", health: "Health", is_sick: bool, found: "Callable[[bool], None]") -> None:
        self._loop = loop
        self._health = health
        self._found = found
        self._missed = health.failures if is_sick else 0
        self._alive_at = loop.kernel.monotonic()
        self._timer: Deadline | None = loop.call_at(self._alive_at + health.timeout, self._look)

    def alive(self) -> None:
        """A sign of life came. The deadline stays where it is: signs may be many."""
        was_sick = self._missed >= self._health.failures
        self._alive_at, self._missed = self._loop.kernel.monotonic(), 0
        if was_sick:
            self._found(True)

    def trigger(self) -> None:
        """The service says itself that it is sick."""
        if self._missed < self._health.failures:
            self._missed = self._health.failures
            self._found(False)

    def _look(self) -> None:
        """A period may be over without a sign."""
        now, health = self._loop.kernel.monotonic(), self._health
        due = self._alive_at + health.timeout
        if due > now:
            self._timer = self._loop.call_at(due, self._look)
            return
        self._alive_at = now
        self._timer = self._loop.call_at(now + health.timeout, self._look)
        if self._missed < health.failures:
            self._missed += 1
            if self._missed == health.failures:
                self._found(False)

    def close(self) -> None:
        """Count no more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
