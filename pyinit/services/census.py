"""The processes that this one has adopted, and what descends from them, at one moment. One look at /proc for all.

A process whose parent died becomes our child. So what a dead process left descends from children of ours that nobody
here has started. Only those are looked through: what descends from others is never reached.
"""

from _signal import SIGKILL

from pyinit.system.impersonation import answers, ask_as_owners, owner
from pyinit.system.processes import children, offspring, read_environment, read_processes, value_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterator, Mapping

    from pyinit.system.loop import Loop
    from pyinit.system.processes import Process

READS = 8
"""Times, at most, that /proc is read for one census while new children come. They may all be those of strangers."""

TRIES, BREATH = 3, 0.01
"""Looks at a process that has no environment, and seconds between them: it may be being executed."""

LONGEST = 1.0
"""Seconds for the child that reads other users' environments."""

VARIABLE = b"SERVICE_NAME"

NOBODY: "Mapping[int, int]" = {}
NOTHING: "Mapping[tuple[int, int], bytes]" = {}


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

    `names`: the SERVICE_NAME of each by its pid. `remembered`: those of the last census, which are not read again, by
    the pid and when it began. `unread`: the owners of those whose environment we may not read. `unsure`: those that had
    none, as one has while it is being executed.
    """

    __slots__ = ("_adopted", "_below", "_processes", "names", "unread", "unsure")

    def __init__(self, owned: "Collection[int]", remembered: "Mapping[tuple[int, int], bytes]" = NOTHING) -> None:
        self._adopted = adopted(owned)
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
        self.names: dict[int, bytes] = {}
        self.unread: dict[int, tuple[int, int]] = {}
        self.unsure: set[int] = set()
        for pid, process in self._everybody():
            name = remembered.get((pid, process.began))
            if name is None:
                self._read_name(pid)
            else:
                self.names[pid] = name

    def _everybody(self) -> "Iterator[tuple[int, Process]]":
        """All that live among those adopted and their descendants."""
        queue = list(self._adopted)
        while queue:
            pid = queue.pop()
            process = self._processes.get(pid)
            if process and not process.is_dead:
                yield pid, process
                queue += self._below.get(pid, ())

    def _read_name(self, pid: int) -> None:
        try:
            environment = read_environment(pid)
            if environment:
                self.names[pid] = value_in(environment, VARIABLE)
            else:
                self.unsure.add(pid)
        except PermissionError:
            try:
                self.unread[pid] = owner(pid)
            except OSError:
                pass
        except OSError:
            pass

    def learn(self, names: "Mapping[int, bytes]") -> None:
        """The names of those that were not known; empty for those that are not given."""
        for pid in (*self.unread, *self.unsure):
            self.names[pid] = names.get(pid, b"")

    @property
    def memory(self) -> "dict[tuple[int, int], bytes]":
        """The names by pid and beginning, for the next census."""
        return {(pid, self._processes[pid].began): name for pid, name in self.names.items()}

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
            or (bool(traits.service) and self.names.get(pid) == traits.service)
        )


class Searches:
    """Lets all that ask share one census, which is made after the deaths of this turn of the loop.

    It takes longer than the turn where a process is just being executed, or is another user's.
    """

    __slots__ = ("_asking", "_is_searching", "_loop", "_memory", "_served", "_tries", "name")

    def __init__(self, loop: "Loop") -> None:
        self.name = b"leftovers"
        self._loop = loop
        self._asking: list[Callable[[Census], None]] = []
        self._served: list[Callable[[Census], None]] = []
        """They asked before the census was made that is being completed."""
        self._is_searching = False
        self._tries = 0
        self._memory: dict[tuple[int, int], bytes] = {}

    def soon(self, callback: "Callable[[Census], None]") -> None:
        """Give the callback a census."""
        self._asking.append(callback)
        self._begin()

    def _begin(self) -> None:
        if self._asking and not self._is_searching:
            self._is_searching = True
            self._loop.call_at(0.0, self._search)

    def _search(self) -> None:
        census = Census(self._loop.children, self._memory)
        self._served, self._asking = [*self._served, *self._asking], []
        if census.unsure and self._tries < TRIES:
            self._tries += 1
            self._loop.call_at(self._loop.kernel.monotonic() + BREATH, self._search)
        elif not (census.unread and self._ask(census)):
            self._complete(census, {})

    def _ask(self, census: Census) -> bool:
        """Have those read that are other users'. Whether that has begun."""
        try:
            pid, read_fd = ask_as_owners(VARIABLE, census.unread)
        except (OSError, MemoryError):
            census.unread.clear()  # the next census tries again
            return False
        kernel = self._loop.kernel
        limit = self._loop.call_at(kernel.monotonic() + LONGEST, lambda: kernel.kill(pid, SIGKILL))

        def ended(outcome: int) -> None:
            limit.cancel()
            self._complete(census, answers(read_fd))

        self._loop.add_child_handler(pid, ended)
        return True

    def _complete(self, census: Census, names: "Mapping[int, bytes]") -> None:
        census.learn(names)
        self._memory = census.memory
        served, self._served = self._served, []
        self._is_searching, self._tries = False, 0
        for callback in served:
            self._loop.guard(callback, census)
        self._begin()
