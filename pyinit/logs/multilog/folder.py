"""The files of one log directory, by name, relative to a descriptor of the directory.

All methods raise OSError. The lock of the directory is held from `open` to `close`.
"""

import posix
import sys

from pyinit.system import files
from pyinit.tai import TEXT_LENGTH

APPEND = files.WRITE_FLAGS | posix.O_APPEND | posix.O_CREAT
TRUNCATE = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT

ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class Folder:
    """The directory `path`. After `open`, `descriptor` is open on it and belongs to this object."""

    __slots__ = ("_lock", "descriptor", "path")

    def __init__(self, path: bytes) -> None:
        self.path = path
        self.descriptor = self._lock = -1

    def open(self) -> bool:
        """Make the directory if it is missing; returns whether it was. We must be allowed to read and search it."""
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
        """The names that begin with `@` and are long enough for a label."""
        names = "/".join(posix.listdir(self.descriptor)).encode(ENCODING, ERRORS).split(b"/")
        return [name for name in names if len(name) >= TEXT_LENGTH and name[:1] == b"@"]

    def stat(self, name: bytes) -> "posix.stat_result | None":
        """The status of the file; None if there is no such file."""
        try:
            return posix.stat(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None

    def append_to(self, name: bytes) -> int:
        """Open the file for append, made with mode 0600 if it is missing; the descriptor is the caller's."""
        return posix.open(name, APPEND, 0o600, dir_fd=self.descriptor)

    def make_empty(self, name: bytes) -> None:
        """Make the file empty; a missing one is made with mode 0644."""
        posix.close(posix.open(name, TRUNCATE, 0o644, dir_fd=self.descriptor))

    def set_mode(self, name: bytes, mode: int) -> None:
        """Change the mode of the file."""
        posix.chmod(name, mode, dir_fd=self.descriptor)

    def rename(self, old: bytes, new: bytes) -> None:
        """Give the file another name."""
        posix.rename(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def link(self, old: bytes, new: bytes) -> None:
        """Give the file a second name."""
        posix.link(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def remove(self, name: bytes) -> None:
        """Remove the file if it is there."""
        try:
            posix.unlink(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            pass

    def remove_surplus(self, count: int) -> None:
        """Remove the oldest old files, so that `count` less one stay. A directory with such a name is not ours."""
        for name in sorted(self.labelled())[: 1 - count]:
            try:
                self.remove(name)
            except IsADirectoryError:
                pass
