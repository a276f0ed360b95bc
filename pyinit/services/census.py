"""The processes that this one has adopted, and what descends from them, at one moment. One look at /proc for all.

A process whose parent died becomes our child. So what a dead process left descends from children of ours that nobody
here has started. Only those are looked through: what descends from others is never reached.
"""

from pyinit.system.processes import children, offspring, read_processes, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping

    from pyinit.system.loop import Loop
    from pyinit.system.processes import Process

READS = 8
"""Times, at most, that /proc is read for one census while new children come. They may all be those of strangers."""

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


def adopted(owned: "Collection[int]") -> set[int]:
    """Our children but for those owned. None where /proc does not tell."""
    try:
        return children().difference(owned)
    except OSError:
        return set()


class Census:
    """Of the moment at which it is made. `owned`: children of ours to leave alone, with all that descends from them.

    One may fork and end while we read. What it leaves is not missed: it becomes a child of ours, and we read anew.
    """

    __slots__ = ("_adopted", "_below", "_names", "_processes")

    def __init__(self, owned: "Collection[int]") -> None:
        self._adopted = adopted(owned)
        self._names: dict[int, bytes] = {}
        self._processes: Mapping[int, Process] = {}
        try:
            for _ in range(READS if self._adopted else 0):
                self._processes = read_processes()
                before, self._adopted = self._adopted, adopted(owned)
                if self._adopted <= before:
                    break
        except OSError:
            self._adopted = set()
        self._below = offspring(self._processes)

    def find(self, traits: Traits) -> Found:
        """Those that have the traits, or descend from one that has."""
        found = Found()
        queue = [(root, root, False) for root in self._adopted]
        while queue:
            pid, root, is_below = queue.pop()
            process = self._processes.get(pid)
            if process is None:
                continue
            belongs = is_below or self._has(traits, pid, process)
            if belongs and not process.is_dead and pid != traits.spared:
                found.pids.add(pid)
                found.roots.add(root)
            if pid in self._below:
                queue += [(child, root, belongs) for child in self._below[pid]]
        return found

    def _has(self, traits: Traits, pid: int, process: "Process") -> bool:
        return (
            process.group in traits.groups
            or process.session in traits.groups
            or traits.known.get(pid) == process.began
            or (bool(traits.service) and self._service(pid) == traits.service)
        )

    def _service(self, pid: int) -> bytes:
        """The SERVICE_NAME of a process, read once."""
        name = self._names.get(pid)
        if name is None:
            name = self._names[pid] = variable(pid, b"SERVICE_NAME")
        return name


class Searches:
    """Lets all that ask in one turn of the loop share one census, which is made after the deaths of that turn."""

    __slots__ = ("_asking", "_loop", "name")

    def __init__(self, loop: "Loop") -> None:
        self.name = b"leftovers"
        self._loop = loop
        self._asking: list[Callable[[Census], None]] = []

    def soon(self, callback: "Callable[[Census], None]") -> None:
        """Give the callback a census, in this turn."""
        if not self._asking:
            self._loop.call_at(0.0, self._search)
        self._asking.append(callback)

    def _search(self) -> None:
        census = Census(self._loop.children)
        asking, self._asking = self._asking, []
        for callback in asking:
            self._loop.guard(callback, census)
