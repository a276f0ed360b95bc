"""Whether a pyinit runs here, and where it keeps what others read: its runtime directory.

A pyinit runs where the file `lock` of a runtime directory is locked. It says the pid and the service directory.
"""

import posix
from _stat import S_ISDIR

from pyinit.formats import paths
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 4096 + 32
"""Bytes of a lock file: a path and a pid."""


class Running:
    """A pyinit that runs: its runtime directory, its pid as it counts itself, its service directory."""

    __slots__ = ("directory", "pid", "service_dir")

    def __init__(self, directory: bytes, pid: int, service_dir: bytes) -> None:
        self.directory = directory
        self.pid = pid
        self.service_dir = service_dir


def known(environment: "Mapping[bytes, bytes]") -> list[bytes]:
    """The runtime directories to look in: those that exist and belong to this user, to PID 1's user, or to root.

    One that others can write is left out: they could have put anything there.
    """
    uids = [posix.geteuid()]
    try:
        uids.append(posix.stat(b"/proc/1").st_uid)
    except OSError:
        pass
    found = []
    for path in dict.fromkeys(path for uid in uids for path in paths.runtime_directories(environment, uid)):
        try:
            status = posix.lstat(path)
        except OSError:
            continue
        if S_ISDIR(status.st_mode) and status.st_uid in (*uids, 0) and not status.st_mode & 0o022:
            found.append(path)
    return found


def chosen(environment: "Mapping[bytes, bytes]") -> list[bytes]:
    """As `known`, but only $PYINIT_STATE if that is one: a pyinit that was given it uses no other."""
    directories = known(environment)
    named = environment.get(b"PYINIT_STATE", b"")
    return [named] if named in directories else directories


def running(environment: "Mapping[bytes, bytes]") -> Running | None:
    """The pyinit that runs here; None where none does."""
    for directory in chosen(environment):
        if found := _locked(directory):
            return found
    return None


def _locked(directory: bytes) -> Running | None:
    """The pyinit that has locked this directory."""
    try:
        lock_fd = posix.open(b"%b/%b" % (directory, paths.LOCK), files.READ_FLAGS | posix.O_NOFOLLOW)
    except OSError:
        return None
    from fcntl import LOCK_NB, LOCK_SH, flock

    try:
        flock(lock_fd, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return _read(directory, lock_fd)
    except OSError:
        pass
    finally:
        posix.close(lock_fd)
    return None


def _read(directory: bytes, lock_fd: int) -> Running | None:
    """What the lock file says; None while it is being written."""
    try:
        return Running(directory, *paths.unpack_lock(posix.read(lock_fd, LONGEST)))
    except (OSError, ValueError):
        return None


def is_ready(environment: "Mapping[bytes, bytes]") -> bool:
    """Whether a PID 1 has left its ready file in its runtime directory."""
    for directory in chosen(environment):
        try:
            posix.stat(b"%b/%b" % (directory, paths.READY))
        except OSError:
            continue
        return True
    return False


def is_on_stdout() -> bool:
    """Whether a pyinit runs here and logs to standard output only, as far as the environment of the container tells."""
    return posix.environ.get(b"PYINIT_LOG") in (None, b"", b"stdout") and running(posix.environ) is not None
