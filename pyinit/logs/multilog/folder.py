"""The files of one directory, by name, relative to a descriptor of it; and how one becomes an old file.

All methods raise OSError. The directory's lock is held from `open` to `close`.
"""

import posix
import sys

from pyinit.system import files
from pyinit.tai import TEXT_LENGTH, label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.multilog.retry import Steps

APPEND = files.WRITE_FLAGS | posix.O_APPEND | posix.O_CREAT
TRUNCATE = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT

ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class Folder:
    """The directory `path`; `descriptor` is open on it after `open`."""

    __slots__ = ("_lock", "descriptor", "path")

    def __init__(self, path: bytes) -> None:
        self.path = path
        self.descriptor = self._lock = -1

    def open(self) -> bool:
        """Make the directory, and say so, if it is missing; it must be one that may be read and searched."""
        try:
            posix.mkdir(self.path, 0o700)
            is_new = True
        except OSError:
            is_new = False
        self.descriptor = posix.open(self.path + b"/.", files.READ_FLAGS | posix.O_DIRECTORY)
        return is_new

    def lock(self) -> None:
        """Lock it, without waiting."""
        self._lock = files.lock(b"lock", self.descriptor)

    def close(self) -> None:
        """Give up the lock."""
        files.close_all(self._lock, self.descriptor)
        self._lock = self.descriptor = -1

    def labelled(self) -> list[bytes]:
        """The names in it that begin with `@` and are long enough for a label."""
        names = "/".join(posix.listdir(self.descriptor)).encode(ENCODING, ERRORS).split(b"/")  # quicker than one by one
        return [name for name in names if len(name) >= TEXT_LENGTH and name[:1] == b"@"]

    def stat(self, name: bytes) -> "posix.stat_result | None":
        """The file's status, None if there is no such file."""
        try:
            return posix.stat(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None

    def append_to(self, name: bytes) -> int:
        """A descriptor for the file, made with mode 0600 if it is missing."""
        return posix.open(name, APPEND, 0o600, dir_fd=self.descriptor)

    def make_empty(self, name: bytes) -> None:
        """See that the file is there, with mode 0644 if it was not, and empty."""
        posix.close(posix.open(name, TRUNCATE, 0o644, dir_fd=self.descriptor))

    def set_mode(self, name: bytes, mode: int) -> None:
        """Change the file's mode."""
        posix.chmod(name, mode, dir_fd=self.descriptor)

    def rename(self, old: bytes, new: bytes) -> None:
        """Give the file another name."""
        posix.rename(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def link(self, old: bytes, new: bytes) -> None:
        """Give the file a second name."""
        posix.link(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def remove(self, name: bytes) -> None:
        """See that there is no such file."""
        try:
            posix.unlink(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            pass


class Keeper:
    """Makes files old files, of which `count` less one stay: `begin`, then the steps of KEEP."""

    __slots__ = ("_clock", "_code", "_count", "_folder", "_is_old", "_name", "_old")

    def __init__(self, folder: Folder, clock: "Callable[[], int]", count: int) -> None:
        self._folder = folder
        self._clock = clock
        self._count = count
        self.begin(b"", b"")

    def begin(self, name: bytes, code: bytes) -> None:
        """Say which file is next, and what it becomes."""
        self._name, self._code = name, code
        self._old = b""
        self._is_old = False

    def look(self) -> bool:
        """Whether there is no such file. With a second link it is an old file already."""
        status = self._folder.stat(self._name)
        self._is_old = status is not None and status.st_nlink != 1
        return status is None

    def link(self) -> None:
        """Give it the name of an old file that is finished now."""
        if not self._is_old:
            self._old = b"%b.%b" % (label(self._clock()), self._code)
            self._folder.link(self._name, self._old)

    def remove(self) -> None:
        """Take its former name away."""
        self._folder.remove(self._name)

    def prune(self) -> None:
        """Remove the oldest if there are too many. A directory of such a name is none of ours."""
        for name in sorted(self._folder.labelled())[: 1 - self._count]:
            try:
                self._folder.remove(name)
            except IsADirectoryError:
                pass

    def trouble_names(self) -> dict[bytes, bytes]:
        """What the messages of KEEP speak of."""
        return {b"path": self._folder.path, b"name": self._name, b"old": self._old}


KEEP: "Steps[Keeper]" = (
    (b"unable to stat %(path)b/%(name)b", Keeper.look),
    (b"unable to link to %(path)b/%(old)b", Keeper.link),
    (b"unable to remove %(path)b/%(name)b", Keeper.remove),
    (b"unable to read %(path)b", Keeper.prune),
)
"""A crash after any of them leaves what recovery sorts out: the file under one of its names or both."""
