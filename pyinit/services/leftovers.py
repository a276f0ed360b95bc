"""Ends what a process of a service left behind: TERM and CONT, then KILL.

Its parent is dead, so what it left descends from children that this process adopted. Those are looked through; what
descends from other services, from the main command or from a worker of ours is never reached. Deaths of
adopted children end the wait: /proc is read again when none of those that keep us is left, or at a time limit.
"""

from _signal import SIGCONT, SIGKILL, SIGTERM

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.life.moment import NEVER
from pyinit.system.processes import children, command_name, offspring, read_processes, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Mapping

    from pyinit.services.context import Context
    from pyinit.system.deadlines import Deadline

PAUSE = 1.0
"""Seconds between two looks where no death of a child of ours will tell."""

LAST_MOMENT = 5.0
"""Seconds after the first KILL. What even that does not end is left to the kernel."""

SOON, BREATH = 8, 0.01
"""After so many looks the next one comes so many seconds later. A leftover that forks and ends, again and again, must
not keep the loop from others."""

SEARCHES = 8
"""Searches in a row, at most, while new children come. They may all be those of others."""

NOBODY: "Mapping[int, int]" = {}


class Traits:
    """What tells the processes that belong to somebody. `groups`: ids of process groups and of sessions.

    `service`: the SERVICE_NAME in their environment, empty where that is no sign. `known`: pids that were seen to
    descend from it, and when each of them began. `spared`: a process with these traits that is no leftover.
    """

    __slots__ = ("groups", "known", "service", "spared")

    def __init__(
        self,
        groups: "Container[int]",
        service: bytes = b"",
        known: "Mapping[int, int]" = NOBODY,
        spared: int = 0,
    ) -> None:
        self.groups = groups
        self.service = service
        self.known = known
        self.spared = spared


class Found:
    """Who is left: their `pids`, and those of our children from which they descend, or which they are (`roots`)."""

    __slots__ = ("pids", "roots")

    def __init__(self) -> None:
        self.pids: set[int] = set()
        self.roots: set[int] = set()

    @property
    def is_hidden(self) -> bool:
        """Whether a root is none of them, so that deaths of our children do not tell of all."""
        return not self.roots <= self.pids


def find_leftovers(traits: Traits, owned: "Collection[int]") -> Found:
    """Who of our descendants has these traits, or descends from one that has. `owned`: children of ours to leave alone.

    Nobody where /proc does not tell. One may fork and end while we read. What it leaves is not missed: it becomes a
    child of ours, and then the search begins again.
    """
    found = Found()
    try:
        adopted = children().difference(owned)
        for _ in range(SEARCHES if adopted else 0):
            _search(traits, adopted, found)
            before, adopted = adopted, children().difference(owned)
            if found.pids or adopted <= before:
                break
    except OSError:
        pass
    return found


def _search(traits: Traits, adopted: "Iterable[int]", found: Found) -> None:
    """Add those that /proc names now, among these children and their descendants."""
    processes = read_processes()
    below = offspring(processes)
    queue = [(root, root, False) for root in adopted]
    while queue:
        pid, root, is_below = queue.pop()
        process = processes.get(pid)
        if process is None:
            continue
        belongs = (
            is_below
            or process.group in traits.groups
            or process.session in traits.groups
            or traits.known.get(pid) == process.began
            or (bool(traits.service) and variable(pid, b"SERVICE_NAME") == traits.service)
        )
        if belongs and not process.is_dead and pid != traits.spared:
            found.pids.add(pid)
            found.roots.add(root)
        queue += [(child, root, belongs) for child in below.get(pid, ())]


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
        "_timer",
        "_traits",
        "name",
    )

    def __init__(self, context: "Context", name: bytes) -> None:
        self.name = self._owner = name
        self._context = context
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

        False: nobody is left, and `over` is not called. `owner`: who left them, in messages.
        """
        loop = self._context.loop
        self._owner, self._traits, self._over = owner, traits, over
        self._began, self._kill_at = loop.kernel.monotonic(), kill_at
        self._asked, self._is_killing, self._looks = set(), False, 0
        if not self._look():
            return False
        loop.on_orphan.append(self._orphan_reaped)
        return True

    def _orphan_reaped(self, pid: int, outcome: int) -> None:
        if pid in self._awaited:
            self._awaited.discard(pid)
            if not self._awaited:
                self._look_at(0.0 if self._looks < SOON else self._context.loop.kernel.monotonic() + BREATH)

    def _look_at(self, when: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._context.loop.call_at(when, self._look_again) if when != NEVER else None

    def _look_again(self) -> None:
        if not self._look():
            self._look_at(NEVER)
            self._context.loop.on_orphan.remove(self._orphan_reaped)
            if self._over:
                self._over()

    def _look(self) -> bool:
        """Look who is left and do what that calls for. Whether anybody is to be waited for."""
        loop = self._context.loop
        now = loop.kernel.monotonic()
        self._looks += 1
        found = find_leftovers(self._traits, loop.children)
        if not found.pids:
            return False
        if now < self._kill_at:
            self._send(found.pids - self._asked, SIGTERM, SIGCONT)
            self._asked |= found.pids
            wake = min(self._kill_at, now + PAUSE) if found.is_hidden else self._kill_at
        elif self._is_killing and now >= self._kill_at + LAST_MOMENT:
            pids = b", ".join(b"%d" % pid for pid in sorted(found.pids))
            report.warn(PROG, b"unable to kill what %b left: pid %b" % (self._owner, pids))
            return False
        else:
            self._kill(found.pids, now)
            wake = now + PAUSE
        self._awaited = found.roots
        self._look_at(wake)
        return True

    def _kill(self, pids: "Iterable[int]", now: float) -> None:
        """Kill each. It is told who did not end when asked."""
        if not self._is_killing:
            self._is_killing, self._kill_at = True, now
        for pid in sorted(self._asked.intersection(pids)):
            who = command_name(pid), pid, self._owner, now - self._began
            report.warn(PROG, b"killed process %b (pid %d) that %b left: it did not end within %.1f seconds" % who)
        self._asked = set()
        self._send(pids, SIGKILL)

    def _send(self, pids: "Iterable[int]", *numbers: int) -> None:
        for pid in pids:
            for number in numbers:
                try:
                    self._context.loop.kernel.kill(pid, number)
                except OSError:  # it has ended
                    break
