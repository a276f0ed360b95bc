"""The files of a log directory that another account may own, or write to: none of them leads to another place.

The collector may be root, and the owner of the directory may put a link in the place of any file. So no link is
followed, and a file that the collector did not make is refused. multilog, the command, follows links as the C program
does: it has the rights of the account that wrote the directory.
"""

import posix
from _stat import S_ISLNK, S_ISREG
from errno import ELOOP, ENOTDIR

from pyinit.logs.multilog.folder import Folder
from pyinit.system import files

DIRECTORY = files.READ_FLAGS | posix.O_DIRECTORY
FILE = files.WRITE_FLAGS | posix.O_NOFOLLOW
MOST_LINKS = 8


class OwnFolder(Folder):
    """A Folder that follows no link. Its errors without an errno say in `strerror` what was refused."""

    __slots__ = ()

    def open(self) -> bool:
        """Make the directory if it is missing; returns whether it was."""
        failure: OSError | None = None
        try:
            posix.mkdir(self.path, 0o700)
        except FileExistsError:
            pass
        except OSError as error:
            failure = error
        else:
            self.descriptor = open_trusted(self.path)
            return True
        try:
            self.descriptor = open_trusted(self.path)
        except FileNotFoundError:
            if failure:
                raise failure from None  # the reason why it is missing
            raise
        return False

    def lock(self) -> None:
        """Lock it, without waiting."""
        super().lock()
        _check(self._lock)

    def stat(self, name: bytes) -> "posix.stat_result | None":
        """The status of the file itself; None if there is no such file."""
        try:
            return posix.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def append_to(self, name: bytes) -> int:
        """Open our file for append; the descriptor is the caller's."""
        return self._open(name, posix.O_APPEND | posix.O_CREAT, 0o600)

    def make_empty(self, name: bytes) -> None:
        """Make our file empty."""
        file_fd = self._open(name, posix.O_CREAT, 0o644)
        try:
            posix.ftruncate(file_fd, 0)
        finally:
            posix.close(file_fd)

    def set_mode(self, name: bytes, mode: int) -> None:
        """Change the mode of our file."""
        file_fd = self._open(name, 0, 0)
        try:
            posix.fchmod(file_fd, mode)
        finally:
            posix.close(file_fd)

    def link(self, old: bytes, new: bytes) -> None:
        """Give the file itself a second name."""
        directory_fd = self.descriptor
        posix.link(old, new, src_dir_fd=directory_fd, dst_dir_fd=directory_fd, follow_symlinks=False)

    def _open(self, name: bytes, flags: int, mode: int) -> int:
        return open_own(name, flags, mode, self.descriptor)


def open_own(name: bytes, flags: int, mode: int, directory_fd: int | None = None) -> int:
    """Open a file of ours for writing, and no link; the descriptor is the caller's. Raises OSError."""
    try:
        file_fd = posix.open(name, FILE | flags, mode, dir_fd=directory_fd)
    except OSError as error:
        if error.errno == ELOOP:
            raise OSError(None, "a symbolic link") from None
        raise
    try:
        _check(file_fd)
    except OSError:
        posix.close(file_fd)
        raise
    return file_fd


def open_trusted(path: bytes) -> int:
    """A descriptor of the directory, to list it. A link is followed only if root or this account made it."""
    for _ in range(MOST_LINKS):
        try:
            return posix.open(path, DIRECTORY | posix.O_NOFOLLOW)
        except OSError as error:
            if error.errno not in (ELOOP, ENOTDIR):
                raise
        target = _target(path)
        parent = path.rpartition(b"/")[0] if b"/" in path else b"."
        path = target if target.startswith(b"/") else b"%b/%b" % (parent, target)
    raise OSError(ELOOP, "")


def _target(path: bytes) -> bytes:
    """Where the link leads to. Raises OSError if it is none, or one of another account."""
    link_fd = posix.open(path, posix.O_PATH | posix.O_NOFOLLOW | posix.O_CLOEXEC)
    try:
        status = posix.fstat(link_fd)
        if not S_ISLNK(status.st_mode):
            raise OSError(ENOTDIR, "")
        if status.st_uid not in (0, posix.geteuid()):
            raise OSError(None, "a symbolic link of another account")
        return posix.readlink(b"", dir_fd=link_fd)
    finally:
        posix.close(link_fd)


def _check(file_fd: int) -> None:
    """Refuse what this account did not make: no regular file, one with a second name, or one of another account."""
    status = posix.fstat(file_fd)
    if not S_ISREG(status.st_mode):
        raise OSError(None, "not a regular file")
    if status.st_nlink > 1:
        raise OSError(None, "a file with another name elsewhere")
    if posix.geteuid() == 0 and status.st_uid != 0:
        raise OSError(None, f"a file of account {status.st_uid}, and root writes its own only: see log/user")
