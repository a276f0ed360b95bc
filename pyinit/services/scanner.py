"""The set of services, kept in step with a directory. Source: svscan.c of daemontools 0.76.

A service is known by (device, inode), not by name: a renamed directory, or a second link to one, is the same service.
A service that is no longer listed is left alone while anything of it runs, and forgotten after that.

Changes of the directory are events (dnotify). Where no event tells, a scan comes by deadline: a supervisor left, a
directory could not be used, or the file system is silent.
"""

import posix
from _stat import S_ISDIR
from errno import EMFILE, ENFILE
from sys import getfilesystemencoding

from pyinit import report
from pyinit.services.context import PROG as SUPERVISE
from pyinit.services.gates import Gates, is_unhurried
from pyinit.services.pair import DESCRIPTORS_EACH, Pair
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.changes import NAMES_CHANGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.services.context import Context
    from pyinit.services.pair import LoggingPolicy
    from pyinit.system.deadlines import Deadline

    Key = tuple[int, int]

PROG = b"svscan"
RESCAN = 5.0
"""Seconds between scans where no event can tell: daemontools' own interval."""

SETTLE = 0.01
"""Seconds from a change to its scan: `mkdir`, then `run`, is one change, and a burst of them one scan."""

ROOM = b"/"
"""What stands for the room for services among the names of troubles. No service has this name."""


class Scanner:
    """Supervises every directory in `path`; nothing before `open`. The guard's warnings name it `svscan`."""

    def __init__(self, context: "Context", policy: "LoggingPolicy", path: bytes) -> None:
        self.name = PROG
        self.path = path
        self.pairs: dict[Key, Pair] = {}
        self._context, self._policy = context, policy
        self._subscribers: list[Callable[[Pair], None]] = []
        self.on_scan: Callable[[], None] = lambda: None
        self._directory_fd = self._watch_fd = -1
        self._tells_changes: bool | None = False
        self._timer: Deadline | None = None
        self._due = float("inf")
        self._said: dict[bytes, bytes] = {}
        self._retired: dict[Pair, None] = {}
        self._vanished: set[Pair] = set()
        """The pairs that run without a directory, which has been told."""
        self.untaken: set[bytes] = set()
        """The names that the last scan could not take up; an empty one for a directory that could not be read."""
        self._lacks_descriptors = False
        self._new: list[Pair] = []
        """The pairs that this scan has found or taken up again, to be told of at its end."""
        self._stopping = False
        self._gates = Gates(context)

    def subscribe(self, callback: "Callable[[Pair], None]") -> None:
        """Call when something of a pair has changed: a phase, or who is there."""
        self._subscribers.append(callback)

    def open(self) -> None:
        """Open the directory and take up what is in it. Raises OSError when it cannot be opened."""
        self._open_directory()
        self.scan()

    def _open_directory(self) -> None:
        loop = self._context.loop
        directory_fd = posix.open(self.path, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        files.close_all(self._directory_fd)
        self._directory_fd = directory_fd
        if self._watch_fd >= 0:
            loop.unwatch_directory(self._watch_fd)
            self._watch_fd = -1
        try:
            self._watch_fd = loop.watch_directory(directory_fd, self._changed, NAMES_CHANGE)
            self._tells_changes = None
        except OSError:
            self._tells_changes = False

    def _changed(self) -> None:
        self._scan_in(SETTLE)

    def _scan_in(self, seconds: float) -> None:
        """Have a scan so many seconds from now, or earlier if one is due already."""
        when = self._context.loop.kernel.monotonic() + seconds
        if self._stopping or self._due <= when:
            return
        if self._timer:
            self._timer.cancel()
        self._due = when
        self._timer = self._context.loop.call_at(when, self.scan)

    def scan(self) -> None:
        """Bring the set in step with the directory now."""
        if self._stopping:
            return
        if self._timer:
            self._timer.cancel()
        self._due = float("inf")
        said, self._said = self._said, {}
        self.untaken, self._lacks_descriptors = set(), False
        is_followed = self._follow(said)
        if self._directory_fd >= 0 and self._scan_names(said):
            if self._lacks_descriptors:
                self._tell_room(said)
            self._tell_new()
            self._forget_unlisted()
            self._gates.settle(self.pairs.values())
        if self._tells_changes is None:  # asked once the services have been started: it takes a while
            from pyinit.system.mounts import tells_changes

            self._tells_changes = tells_changes(self._directory_fd)
        if not (is_followed and self._tells_changes) or self._said:
            self._scan_in(RESCAN)
        self.on_scan()

    def _follow(self, said: dict[bytes, bytes]) -> bool:
        """Go to the directory that is at the path now, if it is another one. False if that cannot be done."""
        try:
            there = posix.stat(self.path)
            here = posix.fstat(self._directory_fd) if self._directory_fd >= 0 else None
            if here is None or (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
                self._open_directory()
        except OSError as error:
            self._complain(said, b"", PROG, b"warning: unable to read directory", error)
            return False
        return True

    def _scan_names(self, said: dict[bytes, bytes]) -> bool:
        """Take up every directory listed. False when the list cannot be read: then nothing is to be forgotten."""
        try:
            names = self._names()
        except OSError as error:
            self._complain(said, b"", PROG, b"warning: unable to read directory", error)
            return False
        self._context.spawner.allow_descriptors(len(names) * DESCRIPTORS_EACH)
        for pair in self.pairs.values():
            pair.listed = False
        encoding = getfilesystemencoding()
        if self._context.has_settings and not self._context.is_classical:  # they go before others: read them first
            names.sort(key=lambda name: is_unhurried(name, self._home_of(name)[0]))
        for name in names:
            if not name.startswith("."):
                service = name.encode(encoding, "surrogateescape")
                if not self._context.loop.guard(self._take_up, service, said, *self._home_of(name), owner=service):
                    self._said[service] = b"internal error"
                    self.untaken.add(service)
        return True

    def _names(self) -> list[str]:
        """What is listed. Raises OSError."""
        return posix.listdir(self._directory_fd)

    def _home_of(self, name: str) -> "tuple[int, LoggingPolicy]":
        """The directory that the name is in, and who logs what is in there."""
        return self._directory_fd, self._policy

    def _tell_room(self, said: dict[bytes, bytes]) -> None:
        """Say how many services the limit of descriptors leaves room for."""
        taken = sum(pair.service is not None for pair in self.pairs.values())
        room = taken, taken + len(self.untaken), posix.sysconf("SC_OPEN_MAX")
        message = b"warning: %d of %d services fit: the limit is %d open files (ulimit -n)" % room
        if not self._context.is_classical and said.get(ROOM) != message:
            report.say(PROG, message)
        self._said[ROOM] = message

    def _take_up(self, name: bytes, said: dict[bytes, bytes], home_fd: int, policy: "LoggingPolicy") -> None:
        try:
            found = posix.stat(name, dir_fd=home_fd)
        except OSError as error:
            return self._complain(said, name, PROG, b"warning: unable to stat " + name, error)
        if not S_ISDIR(found.st_mode):
            return None
        key = found.st_dev, found.st_ino
        try:
            pair = self.pairs.get(key) or self._new_pair(key, name, home_fd, policy)
            pair.listed = True
            if not pair.is_complete:
                self._new.append(pair)
                pair.start(home_fd, name, self._gates.expect)
        except CannotOpen as trouble:
            self._complain(said, name, SUPERVISE, b"fatal: " + trouble.message, trouble.error)
        except OSError as error:
            what = b"create pipe for " + name if error.errno in (EMFILE, ENFILE) else b"stat %b/log" % name
            self._complain(said, name, PROG, b"warning: unable to " + what, error)
        return None

    def rescan(self) -> None:
        """Look at everything again, on request: at what each directory says, and at the list."""
        for pair in list(self.pairs.values()):
            self._context.loop.guard(self._gates.reread, pair, owner=pair.name)
        self.scan()

    def _new_pair(self, key: "Key", name: bytes, home_fd: int, policy: "LoggingPolicy") -> Pair:
        """Raises OSError or CannotOpen: then it will be a new one at the next scan, too."""
        pair = Pair(self._context, policy, name, self._pair_changed)
        pair.open(home_fd)
        self.pairs[key] = pair
        return pair

    def _tell_new(self) -> None:
        found, self._new = self._new, []
        for callback in self._subscribers:
            for pair in found:
                callback(pair)

    def _complain(self, said: dict[bytes, bytes], about: bytes, prog: bytes, text: bytes, error: OSError) -> None:
        """Say a trouble that lasts from scan to scan once, until it changes; always where the C programs do."""
        message = text + b": " + report.reason(error)
        if self._context.is_classical or said.get(about) != message:
            report.say(prog, message)
        self._said[about] = message
        self._lacks_descriptors |= error.errno in (EMFILE, ENFILE)
        if not isinstance(error, FileNotFoundError):  # a link that leads nowhere is no service
            self.untaken.add(about)

    def _pair_changed(self, pair: Pair) -> None:
        """A pair that is not listed may be forgotten now; one that is not complete is to be taken up again."""
        if pair.is_gone:
            self._retired.pop(pair, None)
        if not pair.listed:
            self._scan_in(SETTLE)
        elif not pair.is_complete:
            self._scan_in(RESCAN)
        self._gates.changed(pair, self.pairs.values())
        for callback in self._subscribers:
            callback(pair)

    def _forget_unlisted(self) -> None:
        for key, pair in list(self.pairs.items()):
            if pair.listed:
                continue
            if pair.service and pair.service.is_deleted:
                self._give_up(pair, pair.service.pid)
            if pair.log or pair.service:
                continue
            del self.pairs[key]
            pair.hang_up()
            if not pair.is_gone:
                self._retired[pair] = None

    def _give_up(self, pair: Pair, pid: int) -> None:
        """The directory was removed. What runs is left alone, and that is told once; after it the pair is retired."""
        if not pid:
            self._vanished.discard(pair)
            pair.retire()
        elif pair not in self._vanished and not self._context.is_classical:
            self._vanished.add(pair)
            what = b"the directory of %b is gone while it runs: nobody can control it, kill pid %d" % (pair.name, pid)
            report.warn(PROG, what)

    def stop(self, deadline: float, in_order_until: float) -> None:
        """No new starts: retire every pair. Where there is an order, in reverse, until `in_order_until`.

        The deadline is when everything has to be down. Both in monotonic s.
        """
        self._stopping = True
        self._context.end_by = deadline
        if self._context.checker:
            self._context.checker.close()
        if self._gates.ordering and self._gates.stop(self.pairs.values(), in_order_until):
            return
        for pair in (*self.pairs.values(), *self._retired):
            self._context.loop.guard(pair.retire)

    def finish_by(self, deadline: float) -> None:
        """The deadline is another one (monotonic s)."""
        self._context.end_by = deadline

    def stuck(self, pairs: "Iterable[Pair]", waits_for_anything: bool) -> list[bytes]:
        """Why only a person brings up some of these services: see Gates."""
        return self._gates.stuck(pairs, waits_for_anything)

    @property
    def worker(self) -> int:
        """The pid of the process that asks about services; 0 when none runs."""
        return self._context.checker.pid if self._context.checker else 0

    def signal(self, name: bytes, number: int) -> None:
        """Send a signal to the service of that name, if it is up."""
        for pair in self.pairs.values():
            if pair.name == name and pair.service and pair.service.pid:
                pair.service.signal(number)

    def everything(self) -> "list[Pair]":
        """All pairs of which something may be left."""
        return [*self.pairs.values(), *self._retired]
