"""The set of services, kept in step with a directory. Source: svscan.c of daemontools 0.76.

A service is known by (device, inode), not by name: a renamed directory, or a second link to one, is the same service.
One that is no longer listed is left alone while anything of it runs, and forgotten after that.

Changes of the directory are events (dnotify). A scan by deadline is there only for what no event tells: a supervise
that left and is to be taken up again, a directory that could not be used, a file system that tells nothing.
"""

import posix
import sys
from _stat import S_ISDIR
from time import monotonic

from pyinit import report
from pyinit.services.context import PROG as SUPERVISE
from pyinit.services.context import Host
from pyinit.services.pair import Pair, Wiring
from pyinit.services.trouble import CannotOpen
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyinit.system.loop import Deadline

PROG = b"svscan"
RESCAN = 5.0
"""Seconds between scans where no event can tell: daemontools' own interval."""

SETTLE = 0.01
"""Seconds from a change to its scan: `mkdir`, then `run`, is one change, and a burst of them one scan."""

MANY = 128
"""From so many services on what is seldom used of them is put away."""

DESCRIPTORS_EACH = 6
"""Of a service: its directory, lock and control, `ok` where that is not control too, and the two ends of its pipe."""


class Scanner:
    """Supervises every directory in `path`; nothing before `open`. `name` is whose warnings are printed."""

    def __init__(self, host: Host, wiring: Wiring, path: bytes) -> None:
        self.name = PROG
        self.pairs: dict[tuple[int, int], Pair] = {}
        self._host = host
        self._wiring = wiring
        self.path = path
        self._directory = -1
        self._watch = -1
        self._events: bool | None = False
        self._timer: Deadline | None = None
        self._due = float("inf")
        self._said: dict[bytes, bytes] = {}
        self._retired: list[Pair] = []
        self._stopping = False

    def open(self) -> None:
        """Open the directory and take up what is in it. Raises OSError when it can't be opened."""
        self._open_directory()
        self.scan()

    def _open_directory(self) -> None:
        loop = self._host.loop
        directory = posix.open(self.path, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        files.close_all(self._directory)
        self._directory = directory
        if self._watch >= 0:
            loop.unwatch(self._watch)
            self._watch = -1
        try:
            self._watch = loop.watch(directory, self._changed)
            self._events = None
        except OSError:
            self._events = False

    def _changed(self) -> None:
        self._scan_by(monotonic() + SETTLE)

    def _scan_by(self, when: float) -> None:
        """Have a scan at `when`, or earlier if one is due already."""
        if self._stopping or self._due <= when:
            return
        if self._timer:
            self._timer.cancel()
        self._due = when
        self._timer = self._host.loop.at(when, self.scan)

    @property
    def is_behind(self) -> bool:
        """Whether what the last scan started is still to be told of in statuses."""
        return self._host.is_behind

    def scan(self) -> None:
        """Bring the set in step with the directory now."""
        if self._stopping:
            return
        if self._timer:
            self._timer.cancel()
        self._due = float("inf")
        said, self._said = self._said, {}
        is_followed = self._follow(said)
        if self._directory >= 0 and self._scan_names(said):
            self._forget_unlisted()
        if self._events is None:  # looked at when the services have been started: it takes a while
            self._events = _tells_changes(self._directory)
        if not (is_followed and self._events) or self._said:
            self._scan_by(monotonic() + RESCAN)

    def _follow(self, said: dict[bytes, bytes]) -> bool:
        """Whether the open directory is the one at the path; if another is there, or none is open, go to that one."""
        try:
            there = posix.stat(self.path)
            here = posix.fstat(self._directory) if self._directory >= 0 else None
            if here is None or (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
                self._open_directory()
        except OSError as error:
            self._complain(said, b"", PROG, b"warning: unable to read directory", error)
            return False
        return True

    def _scan_names(self, said: dict[bytes, bytes]) -> bool:
        """Take up every directory listed. False when the list can't be read: then nothing is to be forgotten."""
        try:
            names = posix.listdir(self._directory)
        except OSError as error:
            self._complain(said, b"", PROG, b"warning: unable to read directory", error)
            return False
        self._host.spawner.allow_descriptors(len(names) * DESCRIPTORS_EACH)
        if len(names) >= MANY:
            self._host.storage.begin()
        for pair in self.pairs.values():
            pair.listed = False
        encoding = sys.getfilesystemencoding()
        self._host.start_crowd()
        for name in names:
            if not name.startswith("."):
                service = name.encode(encoding, "surrogateescape")
                self._host.loop.guard(self._take_up, service, said, owner=service)
        self._host.crowd_started()
        return True

    def _take_up(self, name: bytes, said: dict[bytes, bytes]) -> None:
        try:
            found = posix.stat(name, dir_fd=self._directory)
        except OSError as error:
            return self._complain(said, name, PROG, b"warning: unable to stat " + name, error)
        if not S_ISDIR(found.st_mode):
            return None
        key = (found.st_dev, found.st_ino)
        pair = self.pairs.get(key) or self._new_pair(name, said)
        if pair is None:
            return None
        self.pairs[key] = pair
        pair.listed = True
        try:
            pair.start(self._directory, name)
        except CannotOpen as trouble:
            self._complain(said, name, SUPERVISE, b"fatal: " + trouble.message, trouble.error)
        return None

    def _new_pair(self, name: bytes, said: dict[bytes, bytes]) -> Pair | None:
        pair = Pair(self._host, self._wiring, name, self._pair_changed)
        try:
            pair.make_pipe(self._directory)
        except OSError as error:
            from errno import EMFILE, ENFILE

            what = b"create pipe for " + name if error.errno in (EMFILE, ENFILE) else b"stat %b/log" % name
            self._complain(said, name, PROG, b"warning: unable to " + what, error)
            return None
        return pair

    def _complain(self, said: dict[bytes, bytes], about: bytes, prog: bytes, text: bytes, error: OSError) -> None:
        """Say a trouble that lasts from scan to scan once, until it changes; always where the host repeats."""
        message = text + b": " + report.reason(error)
        if self._host.repeats or said.get(about) != message:
            report.say(prog, message)
        self._said[about] = message

    def _pair_changed(self, pair: Pair) -> None:
        """Something of a pair left: it may be forgotten now, or is to be taken up again."""
        if pair in self._retired and pair.gone:
            self._retired.remove(pair)
        self._scan_by(monotonic() + (RESCAN if pair.listed else SETTLE))

    def _forget_unlisted(self) -> None:
        for key, pair in list(self.pairs.items()):
            if pair.listed:
                continue
            if pair.service and pair.service.pid == 0 and pair.service.is_deleted:
                pair.retire()
            if pair.log or pair.service:
                continue
            del self.pairs[key]
            pair.forget()
            if not pair.gone:
                self._retired.append(pair)

    def stop(self) -> None:
        """No new starts: retire every pair."""
        self._stopping = True
        try:  # in the order that they were put away in, which is quicker than as they end
            for pair in self.everything():
                pair.take_out()
        except OSError:  # no room for more
            pass
        for pair in self.everything():
            self._host.loop.guard(pair.retire)

    def signal(self, name: bytes, number: int) -> None:
        """Send a signal to the service of that name, if it is up."""
        for pair in self.pairs.values():
            if pair.name == name and pair.service and pair.service.pid:
                pair.service.signal(number)

    def everything(self) -> "Iterator[Pair]":
        """All pairs that something may be left of."""
        yield from list(self.pairs.values())
        yield from list(self._retired)


def _tells_changes(directory: int) -> bool:
    from pyinit.system.mounts import tells_changes

    return tells_changes(directory)
