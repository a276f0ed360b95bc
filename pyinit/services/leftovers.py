"""Ends what a process of a service left behind: TERM and CONT, then KILL.

Deaths of children that this process adopted end the wait. /proc is read again when none of those that keep us is left,
or at a time limit.
"""

from _signal import SIGCONT, SIGKILL, SIGTERM

from pyinit import report
from pyinit.services.census import Searches, Traits, adopted
from pyinit.services.context import PROG
from pyinit.services.life.moment import NEVER
from pyinit.system.processes import command_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.services.census import Census
    from pyinit.services.context import Context
    from pyinit.system.deadlines import Deadline

PAUSE = 1.0
"""Seconds between two looks where no death of a child of ours will tell."""

LAST_MOMENT = 5.0
"""Seconds after the first KILL. What even that does not end is left to the kernel."""

SOON, BREATH = 8, 0.01
"""After so many looks the next one comes so many seconds later. A leftover that forks and ends, again and again, must
not keep the loop from others."""


class Leftovers:
    """Ends them for one service, which messages call `name`; one set of them at a time."""

    __slots__ = (
        "_asked",
        "_awaited",
        "_began",
        "_context",
        "_is_killing",
        "_kill_at",
        "_looks",
        "_over",
        "_owner",
        "_searches",
        "_timer",
        "_traits",
        "name",
    )

    def __init__(self, context: "Context", name: bytes) -> None:
        self.name = self._owner = name
        self._context = context
        context.searches = self._searches = context.searches or Searches(context.loop)
        self._traits = Traits(())
        self._over: Callable[[], None] | None = None
        self._began = self._kill_at = 0.0
        self._asked: set[int] = set()
        self._awaited: set[int] = set()
        self._is_killing = False
        self._looks = 0
        self._timer: Deadline | None = None

    def end(self, owner: bytes, traits: Traits, kill_at: float, over: "Callable[[], None]") -> bool:
        """Ask all of them to end; at `kill_at` (monotonic s, or NEVER) they are killed. `over` is called after that.

        False: there can be none, and `over` is not called. `owner`: who left them, in messages.
        """
        loop = self._context.loop
        if not adopted(loop.children):
            return False
        self._owner, self._traits, self._over = owner, traits, over
        self._began, self._kill_at = loop.kernel.monotonic(), kill_at
        self._asked, self._is_killing, self._looks = set(), False, 0
        loop.on_orphan.append(self._orphan_reaped)
        self._look_soon()
        return True

    def _orphan_reaped(self, pid: int, outcome: int) -> None:
        if pid in self._awaited:
            self._awaited.discard(pid)
            if not self._awaited and self._looks < SOON:
                self._look_soon()
            elif not self._awaited:
                self._look_at(self._context.loop.kernel.monotonic() + BREATH)

    def _look_at(self, when: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._context.loop.call_at(when, self._look_soon) if when != NEVER else None

    def _look_soon(self) -> None:
        self._look_at(NEVER)
        self._awaited = set()
        self._searches.soon(self._look)

    def _look(self, census: "Census") -> None:
        """See who is left and do what that calls for."""
        now = self._context.loop.kernel.monotonic()
        self._looks += 1
        found = census.find(self._traits)
        if found.pids and self._is_killing and now >= self._kill_at + LAST_MOMENT:
            pids = b", ".join(b"%d" % pid for pid in sorted(found.pids))
            report.warn(PROG, b"unable to kill what %b left: pid %b" % (self._owner, pids))
            found.pids.clear()
        if not found.pids:
            self._context.loop.on_orphan.remove(self._orphan_reaped)
            if self._over:
                self._over()
            return
        if now < self._kill_at:
            self._send(found.pids - self._asked, SIGTERM, SIGCONT)
            self._asked |= found.pids
            wake = min(self._kill_at, now + PAUSE) if found.is_hidden else self._kill_at
        else:
            self._kill(found.pids, now)
            wake = now + PAUSE
        self._awaited = found.roots
        self._look_at(wake)

    def _kill(self, pids: "Iterable[int]", now: float) -> None:
        """Kill each. It is told who did not end when asked."""
        if not self._is_killing:
            self._is_killing, self._kill_at = True, now
        for pid in sorted(self._asked.intersection(pids)):
            who = command_name(pid), pid, self._owner, now - self._began
            report.warn(PROG, b"killed process %b (pid %d) that %b left: it did not end within %.1f seconds" % who)
            self._context.strays_killed += 1
        self._asked = set()
        self._send(pids, SIGKILL)

    def _send(self, pids: "Iterable[int]", *numbers: int) -> None:
        for pid in pids:
            for number in numbers:
                try:
                    self._context.loop.kernel.kill(pid, number)
                except OSError:  # it has ended
                    break
