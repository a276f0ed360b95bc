"""The file of counters in the runtime directory, replaced at most once a second, and not while nothing is logged."""

from time import monotonic

from pyinit.formats import counters
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.formats.counters import Counters
    from pyinit.system.loop import Loop

PAUSE = 1.0
"""Seconds between two replacements of the file, at least."""

LINES_FIRST = 0.05
"""Seconds before the first file: waiting lines are logged before they are counted."""


class CountersFile:
    """The counters of all services, and the file in `directory`; None for no file.

    A successor (`is_first` is False) goes on from the counts in the file. Whoever counts something arms it.
    `is_armed`: a deadline will write the file, or there is no file to write.
    """

    __slots__ = ("_directory", "_loop", "_next", "_services", "_written", "is_armed")

    def __init__(self, loop: "Loop", directory: bytes | None, is_first: bool) -> None:
        self._loop = loop
        self._directory = directory
        self._services = {} if is_first else _earlier(directory)
        self._written = b""
        self._next = monotonic() + LINES_FIRST
        self.is_armed = directory is None
        self.arm()

    def of(self, name: bytes) -> "Counters":
        """The counters of this service."""
        return self._services.setdefault(name, counters.Counters())

    def arm(self) -> None:
        """Have the file written as soon as it may be."""
        if not self.is_armed:
            self.is_armed = True
            self._loop.call_at(self._next, self._write_due)

    def _write_due(self) -> None:
        self.is_armed = False
        self.write()

    def write(self) -> None:
        """Replace the file now, if a count has changed. A failure is tried again PAUSE seconds later."""
        if not self._directory:
            return
        self._next = monotonic() + PAUSE
        content = counters.pack(self._services)
        if content == self._written:
            return
        try:
            files.replace(self._directory + counters.FILE, content)
            self._written = content
        except OSError:
            self.arm()


def _earlier(directory: bytes | None) -> "dict[bytes, Counters]":
    """The counts of the collector before this one."""
    try:
        return (
            counters.unpack(files.read_bounded(directory + counters.FILE, None, counters.LONGEST)) if directory else {}
        )
    except (OSError, ValueError):
        return {}
