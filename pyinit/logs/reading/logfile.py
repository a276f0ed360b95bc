"""One file of a log directory, read in blocks from its beginning or from near its end, compressed or not."""

import posix

from pyinit.logs.reading.packed import LONGEST_MAGIC, CannotUnpack, format_of, unpacked
from pyinit.logs.reading.seeking import FEW_PROBES, MOST_PROBES, first_from, open_line, unstamped_end
from pyinit.logs.reading.stamps import BEGINNING, LONGEST_STAMP, has_stamp, key_of
from pyinit.logs.reading.times import key
from pyinit.system.files import READ_FLAGS
from pyinit.tai import TEXT_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TAIL_BLOCK = 1 << 12
GREATEST_TAIL_BLOCK = 1 << 18
COMPARED = 1 << 12
FAR = 1 << 20
"""Bytes read backwards without a stamp, after which a file is taken for one without stamps."""


class Reporter:
    """Callbacks of a read: `error` gets a message and the OSError behind it, if any; `advance` the bytes read."""

    __slots__ = ("advance", "error")

    def __init__(
        self, error: "Callable[[bytes, OSError | None], None]", advance: "Callable[[int], None] | None" = None
    ) -> None:
        self.error = error
        self.advance = advance


SILENT = Reporter(lambda message, error: None)


class LogFile:
    """The file at `path`. A held file has a descriptor of its own and outlives its name; others are opened for a read.

    `start` and `end` bound the bytes to read of a plain file. A compressed one is read as a whole, from 0 to 1. `key`
    is the key of the time at which it was finished. `is_old`: it has an old file's name; `is_cut_off`: a crash ended
    it.
    """

    __slots__ = ("_held", "_is_bad", "_packing", "end", "is_begun", "is_cut_off", "is_old", "key", "path", "start")

    def __init__(self, path: bytes) -> None:
        self.path = path
        name = path[path.rfind(b"/") + 1 :]
        self.key = key_of(name[:TEXT_LENGTH] + b" ")
        self.is_old = bool(self.key)
        self.is_cut_off = name[TEXT_LENGTH:] == b".u"
        self.is_begun = False
        """Whether any of it has been read."""
        self.start = 0
        self.end = -1
        self._packing = b""
        self._held = -1
        self._is_bad = False

    def hold(self) -> None:
        """Open it, until `close`. Raises OSError."""
        self._held = posix.open(self.path, READ_FLAGS)
        self.key = key(posix.fstat(self._held).st_mtime_ns)
        self._look_at(self._held)

    def close(self) -> None:
        """Give up the descriptor."""
        if self._held >= 0:
            posix.close(self._held)
            self._held = -1

    def measure(self) -> None:
        """Let a held file end where it does now, and at the time of that."""
        if not self._packing:
            status = posix.fstat(self._held)
            self.end, self.key = status.st_size, key(status.st_mtime_ns)

    def _look_at(self, descriptor: int) -> None:
        """Find the end. `current` and `previous` are never compressed, whatever their first bytes."""
        self.end = posix.fstat(descriptor).st_size
        if self.is_old or self.path.endswith(b"/processed"):
            self._packing = format_of(posix.pread(descriptor, LONGEST_MAGIC, 0))
            if self._packing:
                self.end = 1

    @property
    def left(self) -> int:
        """About how many bytes on disk are left to read."""
        if self.end >= 0 and not self._packing:
            return self.end - self.start
        try:
            return posix.stat(self.path).st_size
        except OSError:
            return 0

    @property
    def is_complete(self) -> bool:
        """Whether the mode of a held file says that it was finished."""
        return bool(posix.fstat(self._held).st_mode & 0o100)

    @property
    def links(self) -> int:
        """How many names a held file has."""
        return posix.fstat(self._held).st_nlink

    def has_name(self, path: bytes) -> bool:
        """Whether `path` is a name of this held file."""
        try:
            there, here = posix.stat(path), posix.fstat(self._held)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def is_same(self, other: "LogFile") -> bool:
        """Whether two held files are one."""
        mine, its = posix.fstat(self._held), posix.fstat(other._held)
        return (mine.st_dev, mine.st_ino) == (its.st_dev, its.st_ino)

    def begins_like(self, other: "LogFile") -> bool:
        """Whether this held file is not empty, and the other one begins with the same bytes."""
        mine = posix.pread(self._held, COMPARED, 0)
        its = next(LogFile(other.path).blocks(COMPARED, SILENT), b"")
        return bool(mine) and mine == its[: len(mine)]

    def blocks(self, size: int, reporter: Reporter) -> "Iterator[bytes]":
        """The content between start and end, in blocks of at most `size` bytes. Trouble ends it, and is told once."""
        if self._is_bad or self.start >= self.end >= 0:
            return
        what = b"unable to open " + self.path
        descriptor = -1
        try:
            descriptor = posix.dup(self._held) if self._held >= 0 else posix.open(self.path, READ_FLAGS)
            what = b"unable to read " + self.path
            if self.end < 0:
                self._look_at(descriptor)
            if self._packing:
                posix.lseek(descriptor, 0, 0)
                yield from self._unpacked(descriptor, size, reporter)
            else:
                yield from self._plain(descriptor, size, reporter)
        except OSError as error:
            self._is_bad = True
            reporter.error(what, error)
        except CannotUnpack as trouble:
            self._is_bad = True
            reporter.error(b"%b: %b" % (what, trouble.message), None)
        finally:
            if descriptor >= 0:
                posix.close(descriptor)

    def _plain(self, descriptor: int, size: int, reporter: Reporter) -> "Iterator[bytes]":
        at = self.start
        while block := posix.pread(descriptor, min(size, self.end - at), at):
            at += len(block)
            yield block
            if reporter.advance:
                reporter.advance(len(block))

    def _unpacked(self, descriptor: int, size: int, reporter: Reporter) -> "Iterator[bytes]":
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            stream = unpacked(file, self._packing)
            before = 0
            try:
                while block := stream.read(size):
                    yield block
                    if reporter.advance:
                        reporter.advance(file.tell() - before)
                        before = file.tell()
            finally:
                stream.close()

    def _opened(self) -> int:
        """A descriptor of its own for a plain file, which belongs to the caller; -1 for a compressed or bad one."""
        if self._is_bad or self._packing:
            return -1
        descriptor = posix.dup(self._held) if self._held >= 0 else posix.open(self.path, READ_FLAGS)
        try:
            if self.end < 0:
                self._look_at(descriptor)
        except OSError:
            posix.close(descriptor)
            raise
        if self._packing:
            posix.close(descriptor)
            return -1
        return descriptor

    def find(self, bound: bytes, is_expected: bool) -> int | None:
        """Where the first line with a key of `bound` or more begins; the end if there is none, as `is_expected` or not.

        None for a file that has to be read for that: it is compressed, or there is trouble.
        """

        def search(descriptor: int) -> int:
            beginning = posix.pread(descriptor, min(BEGINNING, self.end), 0)
            if beginning and self.key >= bound and not has_stamp(beginning):
                return 0
            return first_from(descriptor, self.end, bound, MOST_PROBES if is_expected else FEW_PROBES)

        return self._with_plain(search)

    def find_bare_end(self, bound: bytes) -> int:
        """Where the last lines begin, if they have no stamps and were finished at `bound` or later; else the end."""
        if self.key < bound:
            return self.end
        at = self._with_plain(lambda descriptor: unstamped_end(descriptor, self.end))
        return self.end if at is None else at

    def _with_plain(self, search: "Callable[[int], int]") -> int | None:
        """The result of a search in the file; None for a compressed one, and where there is trouble."""
        try:
            descriptor = self._opened()
            if descriptor < 0:
                return None
            try:
                return search(descriptor)
            finally:
                posix.close(descriptor)
        except OSError:
            return None

    def skip(self) -> None:
        """Leave out all but a last line that may go on."""
        at = self._with_plain(lambda descriptor: open_line(descriptor, self.end))
        self.start = self.start if at is None else at

    def keep_tail(self, lines: int, reporter: Reporter) -> int:
        """Move the start forward to a stamped line, so that at least `lines` lines follow; returns how many do.

        Of a compressed file the lines are only counted.
        """
        what = b"unable to open " + self.path
        try:
            descriptor = self._opened()
            if descriptor < 0:
                return sum(block.count(b"\n") for block in self.blocks(GREATEST_TAIL_BLOCK, reporter))
            what = b"unable to read " + self.path
            try:
                return self._keep_tail(descriptor, lines)
            finally:
                posix.close(descriptor)
        except OSError as error:
            self._is_bad = True
            reporter.error(what, error)
            return 0

    def _keep_tail(self, descriptor: int, lines: int) -> int:
        at, found, block = self.end, 0, TAIL_BLOCK
        while at > self.start:
            size = min(block, at - self.start)
            at -= size
            block = min(block * 2, GREATEST_TAIL_BLOCK)
            text = posix.pread(descriptor, min(size + LONGEST_STAMP, self.end - at), at)
            found += text.count(b"\n", 0, size)
            newline = text.find(b"\n", 0, size)
            behind = found
            is_far = self.end - at > FAR
            while newline >= 0 and behind > lines:
                behind -= 1
                if is_far or key_of(text[newline + 1 : newline + 1 + LONGEST_STAMP]):
                    self.start = at + newline + 1
                    return behind
                newline = text.find(b"\n", newline + 1, size)
        return found

    def has_known_keys(self, reporter: Reporter) -> bool:
        """Whether the keys of its lines do not depend on the file before it."""
        if self.start:
            return True
        beginning = next(self.blocks(BEGINNING, reporter), b"")
        return bool(key_of(beginning)) or not has_stamp(beginning)
