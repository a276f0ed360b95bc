"""Where the state of services lives when their own directories can't be written: a read-only root, another user's.

There, `NAME/supervise` and `NAME/log/supervise` are laid out as in a service directory, so that the C programs work on
`PLACE/NAME` too; ours find it by themselves. Nothing is ever executed from there. The place is the first that can be
used of $PYINIT_STATE, /run/pyinit, /dev/shm/pyinit-UID and /tmp/pyinit-UID: a directory of ours that is closed to
everybody else, and no symbolic link, since some of these parents are open to all.
"""

import posix
from _stat import S_ISDIR

from pyinit.formats import paths
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class RuntimeDirectory:
    """PID 1's runtime directory, made when it is first needed."""

    __slots__ = ("_environment", "_is_made", "_path")

    def __init__(self, environment: "Mapping[bytes, bytes]") -> None:
        self._environment = environment
        self._path: bytes | None = None
        self._is_made = False

    def get(self) -> bytes | None:
        """The directory; None where nothing can be used."""
        if not self._is_made:
            self._path, self._is_made = make(self._environment), True
        return self._path

    def open_service(self, name: bytes) -> int | None:
        """A descriptor (O_PATH), the caller's, of the directory for a service's state, made if it is missing.

        None where there is no runtime directory. Raises OSError.
        """
        if (top := self.get()) is None:
            return None
        path = b"%b/%b" % (top, name)
        files.make_directories(path)
        return files.open_directory(path)

    def set_ready(self, text: bytes) -> None:
        """Leave the ready file, or with no text take it away: it would outlive a container that is started again."""
        if not (place := self.get()):
            return None
        try:
            if not text:
                return posix.unlink(b"%b/%b" % (place, paths.READY))
            descriptor = posix.open(
                b"%b/%b" % (place, paths.READY), files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT, 0o644
            )
            posix.write(descriptor, text)
            posix.close(descriptor)
        except OSError:
            return None


def make(environment: "Mapping[bytes, bytes]") -> bytes | None:
    """Make the first that can be used; None if none can."""
    for path in paths.runtime_directories(environment, posix.geteuid()):
        files.make_directories(path.rpartition(b"/")[0])
        try:
            posix.mkdir(path, 0o700)
        except OSError:
            pass
        if _is_ours(path):
            return path
    return None


def _is_ours(path: bytes) -> bool:
    """Whether it is a directory of this user's, closed to others, in which something can be made."""
    probe = path + b"/.probe"
    try:
        found = posix.lstat(path)
        if not S_ISDIR(found.st_mode) or found.st_uid != posix.geteuid():
            return False
        if found.st_mode & 0o077:
            posix.chmod(path, 0o700)
        try:
            posix.mkdir(probe, 0o700)
        except FileExistsError:  # of one who was killed at this
            pass
        posix.rmdir(probe)
    except OSError:
        return False
    return True
