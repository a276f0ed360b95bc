"""Waits until every service that is wanted counts, for the first time: the container is ready then."""

from pyinit import report
from pyinit.services.life.presence import counts_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.init.parts import Services
    from pyinit.services.pair import Pair
    from pyinit.system.loop import Loop

LOOK_PAUSE = 1.0
"""Seconds between two looks whether a service that could not be taken up has been."""

TELL_PAUSE = 10.0
"""Seconds between two lines that tell what the main command waits for."""


class Arrival:
    """`arrived` is called once, when all count. `given_up` is called with the reason when that cannot come any more.

    `name`: whose messages these are. `is_awaited`: somebody waits for it, is told for what, and is given up.
    """

    def __init__(
        self, loop: "Loop", services: "Services", arrived: "Callable[[], None]", given_up: "Callable[[bytes], None]"
    ) -> None:
        self.name = loop.prog
        self.is_over = self.is_awaited = False
        self._loop = loop
        self._services = services
        self._arrived = arrived
        self._given_up = given_up
        self._unready: set[Pair] = set()
        """The pairs that are not as wanted yet."""
        self._is_to_look = False

    def begin(self, began: float, is_awaited: bool, patience: float | None = None) -> None:
        """Look from `began` (monotonic s) on. `patience`: seconds to wait at most, and also for unknown services."""
        self.is_over, self.is_awaited = False, is_awaited
        self._waits_for_anything = patience is not None
        self._unready = {pair for pair in self._services.everything() if not pair.is_as_wanted}
        self._loop.call_at(began, self.look)
        if patience is not None:
            self._loop.call_at(began + patience, self._lose_patience)
        if is_awaited:
            self._loop.call_at(began + TELL_PAUSE, self._tell)

    def changed(self, pair: "Pair") -> None:
        """Something of a pair has changed."""
        if self.is_over:
            return
        if pair.is_as_wanted or not pair.listed:
            self._unready.discard(pair)
        else:
            self._unready.add(pair)
        self.look()

    def look(self) -> None:
        """Are all there, and can they still come?"""
        if self.is_over:
            return
        if self._unready:
            stuck = self._services.stuck(self._unready, self._waits_for_anything) if self.is_awaited else ()
            if stuck:
                self._given_up(min(stuck))
            return
        if self._services.untaken:  # a scan by deadline tries again, and may have nothing to tell
            self._look_at(self._loop.kernel.monotonic() + LOOK_PAUSE)
            return
        services = [pair.service for pair in self._services.everything() if pair.service and pair.service.is_wanted_up]
        when = max((counts_from(service.state) for service in services), default=0.0)
        if when > self._loop.kernel.monotonic():
            self._look_at(when)
            return
        self.is_over = True
        self._arrived()

    def _look_at(self, when: float) -> None:
        if not self._is_to_look:
            self._is_to_look = True
            self._loop.call_at(when, self._look_again)

    def _look_again(self) -> None:
        self._is_to_look = False
        self.look()

    def _lacking(self) -> bytes:
        """The services that are waited for, in words."""
        names = sorted({pair.name for pair in self._unready} | set(self._services.untaken))
        return b", ".join(names[:10]) + (b" and %d more" % (len(names) - 10) if len(names) > 10 else b"")

    def _lose_patience(self) -> None:
        if self.is_awaited and not self.is_over:
            self._given_up(b"not in time: " + self._lacking())

    def _tell(self) -> None:
        if self.is_awaited and not self.is_over:
            report.say(self.name, b"waiting for " + self._lacking())
            self._loop.call_at(self._loop.kernel.monotonic() + TELL_PAUSE, self._tell)
