"""Directories watched for logs that grow, rotate, go and come: nothing polls.

Two kinds of directories are watched: log directories, for writes to their files, and the directories that logs are
found in. For a missing directory, the nearest existing ancestor is watched. Events only wake; a look finds what
changed, so no change can be missed. A file system without events (a network's) is looked at every second.

Every write to a log is an event. So a log directory is watched for one event, and again just before the next read: many
writes cost one signal. To block the signal meanwhile was rejected: the mask has one owner, the doorbell.
"""

import posix
from time import monotonic

from pyinit.system.changes import FILES_CHANGE_ONCE, NAMES_CHANGE, watch_again
from pyinit.system.files import open_directory
from pyinit.system.mounts import tells_changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

SETTLE = 0.01
"""Seconds from an event to the read: lines written meanwhile are merged in order."""

SEARCH = 0.25
"""Seconds from an event to a look for other directories, which costs more."""

BLIND = 1.0
"""Seconds between looks at a file system without events."""


class Watcher:
    """Calls `read` when logs may have grown, and `search` before that, when there may be new logs.

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
        """By path: the watch; the device and inode of the directory, and the changes watched."""
        self._blind: set[bytes] = set()
        """Paths on file systems without events."""

    def start(self) -> None:
        """Watch, then search and read for the first time."""
        self._look()

    def _changed(self) -> None:
        if not self._reading:
            self._reading = self._loop.call_at(monotonic() + SETTLE, self._grown)
        if not self._searching:
            self._searching = self._loop.call_at(monotonic() + SEARCH, self._look)

    def _grown(self) -> None:
        self._reading = None
        for watch_fd, (_, _, changes) in self._watches.values():
            if changes == FILES_CHANGE_ONCE:
                watch_again(watch_fd, changes)
        self._read()

    def _look(self) -> None:
        """Search until there is nothing new to watch: a change before its watch began caused no event."""
        self._searching = None
        while self._watch(*self._search()):
            pass
        if self._blind:
            self._searching = self._loop.call_at(monotonic() + BLIND, self._look)
        self._read()

    def _watch(self, logs: "Iterable[bytes]", others: "Iterable[bytes]") -> bool:
        """Watch just these; returns whether a watch is new."""
        wanted = dict.fromkeys(map(_existing, others), NAMES_CHANGE)
        for log in logs:
            wanted[_existing(_parent(log))] = NAMES_CHANGE
        for log in logs:
            if _existing(log) == log:
                wanted[log] = FILES_CHANGE_ONCE
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
