"""Logs followed as they grow, rotate, go and come: directories are watched, nothing polls.

Watched are the log directories, for what is written in them, and whatever directories say where logs are: of one that
does not exist its nearest ancestor that does, so that its coming is seen. Events only wake; what is new is found by
looking, so none can be missed. Where no event tells (a network's file system) it is looked every second.
"""

import posix
from time import monotonic

from pyinit.system.changes import FILES_CHANGE, NAMES_CHANGE
from pyinit.system.files import open_directory
from pyinit.system.mounts import tells_changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

SETTLE = 0.01
"""Seconds from an event to reading: what is written meanwhile is merged in order."""

SEARCH = 0.25
"""Seconds from an event to a look for other directories, which costs more."""

BLIND = 1.0
"""Seconds between looks where no event tells."""


class Follower:
    """Calls `read` when logs may have grown, and `search` before, when there may be others.

    `search` returns the log directories, and the directories that it looked in; they need not exist.
    """

    def __init__(
        self, loop: "Loop", search: "Callable[[], tuple[Iterable[bytes], Iterable[bytes]]]", read: "Callable[[], None]"
    ) -> None:
        self.name = b""
        self._loop = loop
        self._search = search
        self._read = read
        self._reading: Deadline | None = None
        self._searching: Deadline | None = None
        self._watches: dict[bytes, tuple[int, tuple[int, int, int]]] = {}
        """By path: what to unwatch; the directory's device and inode, and the changes watched."""
        self._blind: set[bytes] = set()
        """Paths of which no event tells."""

    def start(self) -> None:
        """Watch, then search and read for the first time. Call before the loop runs, with signals blocked."""
        self._look()

    def _changed(self) -> None:
        if not self._reading:
            self._reading = self._loop.call_at(monotonic() + SETTLE, self._grown)
        if not self._searching:
            self._searching = self._loop.call_at(monotonic() + SEARCH, self._look)

    def _grown(self) -> None:
        self._reading = None
        self._read()

    def _look(self) -> None:
        """Search until nothing new is to be watched: what came before a watch began was not told."""
        self._searching = None
        while self._watch(*self._search()):
            pass
        if self._blind:
            self._searching = self._loop.call_at(monotonic() + BLIND, self._look)
        self._read()

    def _watch(self, logs: "Iterable[bytes]", others: "Iterable[bytes]") -> bool:
        """Watch just these; whether a watch is new."""
        wanted = dict.fromkeys(map(_existing, others), NAMES_CHANGE)
        for log in logs:
            wanted[_existing(_parent(log))] = NAMES_CHANGE
        for log in logs:
            if _existing(log) == log:
                wanted[log] = FILES_CHANGE
        is_new = False
        for path, changes in wanted.items():
            is_new |= self._watch_one(path, changes)
        for path in self._watches.keys() - wanted.keys():
            self._loop.unwatch_directory(self._watches.pop(path)[0])
        self._blind &= wanted.keys()
        return is_new

    def _watch_one(self, path: bytes, changes: int) -> bool:
        try:
            directory = open_directory(path)
        except OSError:
            self._blind.add(path)
            return False
        try:
            found = posix.fstat(directory)
            identity = (found.st_dev, found.st_ino, changes)
            if path in self._watches:
                if self._watches[path][1] == identity:
                    return False
                self._loop.unwatch_directory(self._watches.pop(path)[0])
            self._watches[path] = self._loop.watch_directory(directory, self._changed, changes), identity
            if tells_changes(directory):
                self._blind.discard(path)
            else:
                self._blind.add(path)
        except OSError:
            self._blind.add(path)
            return False
        finally:
            posix.close(directory)
        return True


def _parent(path: bytes) -> bytes:
    return path[: path.rfind(b"/")] or b"/" if b"/" in path else b"."


def _existing(path: bytes) -> bytes:
    """The directory, or the nearest above it that exists."""
    while path not in (b"/", b"."):
        try:
            posix.stat(path + b"/.")
        except OSError:
            path = _parent(path)
        else:
            break
    return path
