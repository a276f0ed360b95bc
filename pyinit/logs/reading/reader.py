"""A log directory read back, while a multilog may be writing and rotating it: each byte once, in order.

The files of a directory are read from the oldest on: `@LABEL...`, `previous` while a rotation is under way, `current`.
These two are opened when they are found, and kept open until the old files that they become are seen. An old file was
read already if its inode says so; or its place and its beginning, if a processor made another file of it. A list of
names is believed when it was the same twice, with the same `current` before and after.
"""

import posix
from errno import ENOENT

from pyinit.logs.reading.logfile import LogFile
from pyinit.logs.reading.merging import Cutter
from pyinit.logs.reading.window import begin_at, end_at
from pyinit.system.files import READ_FLAGS
from pyinit.system.process import encoded
from pyinit.tai import TEXT_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyinit.logs.reading.logfile import Reporter
    from pyinit.logs.reading.merging import Batch

TRIES = 100
"""To find the directory at rest between two rotations."""


class LogReader:
    """The log of the service `name`, in directory `path`. `reporter` is told of files that cannot be read.

    `refresh` finds new bytes; then `batches` reads them. The first `refresh` leaves out what has a key before `since`.
    """

    __slots__ = (
        "_cutter",
        "_denied",
        "_floor",
        "_goes_on",
        "_is_bounded",
        "_newest",
        "_queue",
        "_raw",
        "_reporter",
        "_since",
        "is_told",
        "name",
        "path",
    )

    def __init__(self, name: bytes, path: bytes, since: bytes, reporter: "Reporter") -> None:
        self.name = name
        self.path = path
        self.is_told = False
        """Whether the user was told that the directory cannot be read."""
        self._since = since
        self._reporter = reporter
        self._cutter = Cutter()
        self._floor = b""
        """No line that is read has a key before this."""
        self._is_bounded = False
        """Whether the files end before the lines after the window."""
        self._goes_on = True
        """Whether the line that the last file ended in may go on in the next."""
        self._queue: list[LogFile] = []
        """Files to read. The last one stays, because it may grow."""
        self._raw: list[LogFile] = []
        """Files that were found as `previous` or `current` and have not been seen under an old file's name."""
        self._denied: set[bytes] = set()
        """Names of files that could not be opened."""
        self._newest = b""
        """The greatest old file's name that has been seen."""

    @property
    def left(self) -> int:
        """About how many bytes on disk are to be read."""
        return sum(file.left for file in self._queue)

    def refresh(self) -> None:
        """Find the bytes added since the last time. Raises OSError if the directory cannot be read.

        Nobody writes to a file that is not `current` any more, so its size is final.
        """
        if self._raw and self._raw[-1].has_name(self.path + b"/current"):
            return self._raw[-1].measure()
        for file in self._raw:
            file.measure()
        seen = self._look()
        if not seen:
            return None
        names, previous, current = seen
        self._take_all_old(names)
        for found in previous, current:
            if found and any(found.is_same(file) for file in self._raw):
                found.close()
            elif found:
                self._raw.append(found)
                self._queue.append(found)
        if not self._queue:
            raise OSError(ENOENT, "")
        if self._since:
            self._begin_at(self._since)
            self._since = b""
        return None

    def _begin_at(self, since: bytes) -> None:
        """Leave out the lines before the first one with this key."""
        index, self._floor = begin_at(self._queue, since)
        for file in self._queue[:index]:
            if file in self._raw:
                file.start = file.end
            else:
                file.close()
        del self._queue[:index]
        self._cutter.reach(self._floor)

    def end_at(self, until: bytes) -> None:
        """Leave out the lines from the first one with a later key on, as far as that is found without reading all."""
        self._is_bounded = end_at(self._queue, until)

    def _look(self) -> tuple[list[bytes], LogFile | None, LogFile | None] | None:
        """Names of old files in order, the file of a rotation under way, and `current`, at one moment.

        `processed` without `previous` is about to become an old file, and would be missed: then look again. If that
        does not help there was a crash; or, after the first look, return None: the next change brings another look.
        """
        for tries_left in range(TRIES, 0, -1):
            current = self._open(b"current")
            names = self._names()
            previous = self._open_rotated(names)
            is_same = current.has_name(current.path) if current else b"current" not in names or self._denied
            is_between = b"processed" in names and b"previous" not in names
            is_last = tries_left == 1 and not self._raw
            if is_last or (is_same and not is_between and names == self._names()):
                names = [name for name in names if name[:1] == b"@" and len(name) >= TEXT_LENGTH]
                return names, previous, current
            for file in previous, current:
                if file:
                    file.close()
        return None

    def _names(self) -> list[bytes]:
        directory = posix.open(self.path, READ_FLAGS | posix.O_DIRECTORY)
        try:
            return sorted(map(encoded, posix.listdir(directory)))
        finally:
            posix.close(directory)

    def _open(self, name: bytes) -> LogFile | None:
        file = LogFile(b"%b/%b" % (self.path, name))
        try:
            file.hold()
        except FileNotFoundError:
            return None
        except OSError as error:
            if name not in self._denied:
                self._denied.add(name)
                self._reporter.error(b"unable to open " + file.path, error)
            return None
        return file

    def _open_rotated(self, names: list[bytes]) -> LogFile | None:
        """Open `previous`, or a complete `processed` that a crash left; None for a file that is an old file too."""
        file = self._open(b"previous") if b"previous" in names else None
        if not file and b"processed" in names and not self._raw:
            file = self._open(b"processed")
            if file and not file.is_complete:
                file.close()
                return None
        if file and file.links > 1:
            file.close()
            return None
        return file

    def _take_all_old(self, names: list[bytes]) -> None:
        """Take the new ones among all names of old files.

        If an older file is still there, none between was removed, and the first new one was `current`. Otherwise the
        first new one should be known. If it is not, files before it may have been removed unread.
        """
        survives = bool(names) and names[0] <= self._newest
        new = [name for name in names if name > self._newest]
        may_miss = bool(self._raw) and not survives
        for name in new:
            is_known = self._take_old(name, survives)
            if may_miss and not is_known:
                self._reporter.error(b"unable to keep up with %b: lines may have been removed unread" % self.path, None)
            may_miss = False
            self._newest = name

    def _take_old(self, name: bytes, survives: bool) -> bool:
        """Take an old file; returns whether it was read as `current` already. If not, it will be read."""
        old = LogFile(b"%b/%b" % (self.path, name))
        for index, raw in enumerate(self._raw):
            if raw.has_name(old.path):
                self._forget(self._raw[: index + 1])
                return True
        for index, raw in enumerate(self._raw):
            if not raw.links and ((survives and not index) or raw.begins_like(old)):
                self._forget(self._raw[: index + 1])
                return True
        self._queue.append(old)
        return False

    def _forget(self, files: list[LogFile]) -> None:
        """Forget files that have their last name now."""
        for file in files:
            self._raw.remove(file)
            if file not in self._queue:
                file.close()

    def batches(self, size: int) -> "Iterator[Batch]":
        """The unread lines, read in blocks of about `size` bytes."""
        while self._queue:
            file = self._queue[0]
            yield from self._cut(file, self._cutter, self._goes_on, size)
            if file.start < file.end:
                file.is_begun = True
                file.start = file.end
            if len(self._queue) == 1:
                break
            self._goes_on = not file.is_cut_off
            del self._queue[0]
            if file not in self._raw:
                file.close()

    def finish(self) -> "list[Batch]":
        """End the log: its last line has ended, newline or not."""
        return self._cutter.finish()

    def _cut(self, file: LogFile, cutter: Cutter, goes_on: bool, size: int) -> "Iterator[Batch]":
        is_begun = file.is_begun
        for block in file.blocks(size, self._reporter):
            if not is_begun:
                is_begun = True
                yield from cutter.begin(block, file.key, goes_on)
            elif file.is_begun:
                cutter.place(block, file.key)
            yield from cutter.feed(block)

    def preview(self, size: int, is_whole: bool) -> "Iterator[Batch]":
        """The same as `batches`, and `finish` if `is_whole`; the lines stay unread."""
        cutter, goes_on = Cutter(), True
        cutter.reach(self._floor)
        for file in self._queue:
            yield from self._cut(file, cutter, goes_on, size)
            goes_on = not file.is_cut_off
        if is_whole:
            yield from cutter.finish()

    def mark(self) -> "list[tuple[LogFile, int]]":
        """What is to be read now, for `go_back`."""
        return [(file, file.start) for file in self._queue]

    def go_back(self, mark: "list[tuple[LogFile, int]]") -> None:
        """Have the same to read as when it was marked; nothing was read meanwhile, only left out."""
        self._queue = [file for file, _ in mark]
        for file, start in mark:
            file.start = start

    def keep_tail(self, lines: int, until: bytes) -> None:
        """Leave out lines before the last `lines` lines with keys up to `until`, if that is not empty.

        More lines than that may be left. Files are read from their ends, unless they are compressed or may have lines
        after `until`. The rest begins with a stamped line or a file, so that keys stay the same.
        """
        for index in range(len(self._queue) - 1, -1, -1):
            file = self._queue[index]
            if until and not self._is_bounded and (not file.is_old or file.key > until):
                continue
            lines -= file.keep_tail(lines, self._reporter)
            if lines <= 0 and file.has_known_keys(self._reporter):
                del self._queue[:index]
                return
            lines = max(lines, 1)
