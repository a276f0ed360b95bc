"""The files of one directory, by name, relative to a descriptor of it; its lock is held from `open` to `close`.

All methods raise OSError.
"""

import posix
import sys

from pyinit.system import files

APPEND = files.WRITE_FLAGS | posix.O_APPEND | posix.O_CREAT
TRUNCATE = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT

ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class Folder:
    """The directory `path`; `descriptor` is open on it after `open`."""

    __slots__ = ("_lock", "descriptor", "path")

    def __init__(self, path: bytes) -> None:
        self.path = path
        self.descriptor = self._lock = -1

    def open(self) -> None:
        """Make the directory if it is missing; it must be one that may be read and searched."""
        try:
            posix.mkdir(self.path, 0o700)
        except OSError:
            pass
        self.descriptor = posix.open(self.path, files.READ_FLAGS | posix.O_DIRECTORY)
        posix.stat(b".", dir_fd=self.descriptor)

    def lock(self) -> None:
        """Lock it, without waiting."""
        self._lock = files.lock(b"lock", self.descriptor)

    def close(self) -> None:
        """Give up the lock."""
        files.close_all(self._lock, self.descriptor)
        self._lock = self.descriptor = -1

    def names_at(self) -> list[bytes]:
        """The names in it that begin with `@`."""
        return [name.encode(ENCODING, ERRORS) for name in posix.listdir(self.descriptor) if name[0] == "@"]

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
