"""PID 1's runtime directory: the files that others read, and state whose service directory cannot be written.

There, `NAME/supervise` and `NAME/log/supervise` are laid out as in a service directory, so that the C programs work on
`RUNTIME/NAME` too. Ours find it by themselves. Nothing is executed from there but services that were unpacked. It is
the first that can be used of $PYINIT_STATE, /run/pyinit, /dev/shm/pyinit-UID and /tmp/pyinit-UID. It must be a
directory of ours that nobody else may write, and no symbolic link: some of these parents are open to all. Everybody may
read the files; a service's state is closed to others.

PID 1 holds a lock on `lock` there from before its first service. A directory that another pyinit has locked is passed
over, so that its files stay its own.
"""

import posix
from _stat import S_IMODE, S_ISDIR
from errno import EACCES

from pyinit import report
from pyinit.formats import paths
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PROG = b"pyinit"
OPEN, CLOSED = 0o755, 0o700
"""The modes of the runtime directory, and of a service's state in it."""

TRIES = 5
"""Tries to lock: a program that asks whether a pyinit runs holds the lock for an instant."""

PAUSE = 0.01
"""Seconds between two tries."""


class RuntimeDirectory:
    """PID 1's runtime directory, made and locked when it is first needed. `service_dir`: its services, absolute."""

    __slots__ = ("_environment", "_has_warned", "_is_made", "_lock_fd", "_path", "_service_dir")

    def __init__(self, environment: "Mapping[bytes, bytes]", service_dir: bytes = b"") -> None:
        self._environment = environment
        self._service_dir = service_dir
        self._path: bytes | None = None
        self._lock_fd = -1
        self._is_made = False
        self._has_warned = False

    def get(self) -> bytes | None:
        """The directory; None where nothing can be used, which is told once."""
        if not self._is_made:
            self._is_made = True
            self._path = self._claim()
        return self._path

    def _claim(self) -> bytes | None:
        """Make and lock the first directory that can be used, and remove an earlier container's files from it."""
        taken: list[bytes] = []
        named = self._environment.get(b"PYINIT_STATE", b"")
        if named and not named.startswith(b"/"):
            taken.append(b"unable to use PYINIT_STATE %b: not an absolute path" % named)
        found = None
        for path in paths.runtime_directories(self._environment, posix.geteuid()):
            why, is_taken = make_usable(path)
            if not why and not self._lock(path):
                why, is_taken = b"another pyinit uses it", True
            if not why:
                found = path
                break
            if path == named:
                taken.append(b"unable to use PYINIT_STATE %b: %b" % (path, why))
            elif is_taken:
                taken.append(b"unable to use %b: %b" % (path, why))
        for text in taken:
            report.warn(PROG, b"%b, using %b" % (text, found) if found else text)
        if not found:
            report.warn(PROG, b"no directory for state can be written: set PYINIT_STATE, or mount a tmpfs at /run")
        return found

    def _lock(self, path: bytes) -> bool:
        """Lock the directory and say in the lock file whose it is. False if another process has locked it.

        A file system without locks leaves the directory usable, and us unseen.
        """
        try:
            lock_fd = _locked(path + b"/" + paths.LOCK)
        except BlockingIOError:
            return False
        except OSError as error:
            self._warn(path, paths.LOCK, error)
            lock_fd = -1
        self._lock_fd = lock_fd
        for name in (paths.SERVICES, paths.READY, paths.COUNTERS):
            _remove(path + b"/" + name)
        try:
            self._tell_services()
        except OSError as error:
            self._warn(path, paths.LOCK, error)
        return True

    def _tell_services(self) -> None:
        if self._lock_fd >= 0:
            posix.ftruncate(self._lock_fd, 0)
            posix.pwrite(self._lock_fd, paths.pack_lock(posix.getpid(), self._service_dir), 0)

    def serve(self, service_dir: bytes) -> None:
        """From here on these are the services, absolute: say so in the lock file. Raises OSError."""
        self._service_dir = service_dir
        self._tell_services()

    def _warn(self, path: bytes, name: bytes, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            report.warn(PROG, b"unable to write %b/%b" % (path, name), error)

    def open_service(self, name: bytes) -> int | None:
        """A descriptor (O_PATH), the caller's, of the directory for a service's state, made if it is missing.

        None where there is no runtime directory. Raises OSError: PermissionError where another user's is in its place.
        """
        if (top := self.get()) is None:
            return None
        flags = posix.O_PATH | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC
        directory_fd = posix.open(top, flags)
        for part in paths.state_name(name).split(b"/"):
            parent_fd = directory_fd
            try:
                _make_closed(part, parent_fd)
                directory_fd = posix.open(part, flags, dir_fd=parent_fd)
            finally:
                posix.close(parent_fd)
        return directory_fd

    def set_ready(self, text: bytes) -> None:
        """Leave the ready file, or with no text take it away: it would outlive a container that is started again."""
        if not (place := self.get()):
            return
        path = b"%b/%b" % (place, paths.READY)
        if not text:
            _remove(path)
            return
        try:
            flags = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT | posix.O_NOFOLLOW
            ready_fd = posix.open(path, flags, 0o644)
            try:
                posix.fchmod(ready_fd, 0o644)
                posix.write(ready_fd, text)
            finally:
                posix.close(ready_fd)
        except OSError as error:
            self._warn(place, paths.READY, error)


def make_usable(path: bytes) -> tuple[bytes, bool]:
    """Make the directory if it is missing, and see that it is ours: nothing, or why it cannot be used.

    The second value: whether something is in its place that somebody else has put there.
    """
    files.make_directories(path.rpartition(b"/")[0])
    failure: OSError | None = None
    try:
        posix.mkdir(path, OPEN)
    except FileExistsError:
        pass
    except OSError as error:
        failure = error
    probe = path + b"/.probe"
    try:
        found = posix.lstat(path)
        if not S_ISDIR(found.st_mode):
            return b"not a directory", True
        if found.st_uid != posix.geteuid():
            return b"it belongs to uid %d" % found.st_uid, True
        if S_IMODE(found.st_mode) != OPEN:
            posix.chmod(path, OPEN)
        try:
            posix.mkdir(probe, CLOSED)
        except FileExistsError:  # of one who was killed at this
            pass
        posix.rmdir(probe)
    except FileNotFoundError as error:  # why it is missing tells more
        return report.reason(failure or error), False
    except OSError as error:
        return report.reason(error), False
    return b"", False


def is_usable(path: bytes) -> bool:
    """What `make_usable` would find of the directory, without making or changing anything."""
    from pyinit.system.access import could_make

    try:
        found = posix.lstat(path)
    except OSError:
        return could_make(path)
    is_own = S_ISDIR(found.st_mode) and found.st_uid == posix.geteuid()
    return is_own and could_make(path)


def could_use(environment: "Mapping[bytes, bytes]") -> bool:
    """Whether there is a directory that can be used, or could be made."""
    return any(is_usable(path) for path in paths.runtime_directories(environment, posix.geteuid()))


def _make_closed(name: bytes, parent_fd: int) -> None:
    """Make a directory for a service's state. One that is there has to be ours, and is closed to others."""
    try:
        posix.mkdir(name, CLOSED, dir_fd=parent_fd)
    except FileExistsError:
        found = posix.stat(name, dir_fd=parent_fd, follow_symlinks=False)
        if S_ISDIR(found.st_mode) and found.st_uid != posix.geteuid():
            raise PermissionError(EACCES, "") from None
        if S_ISDIR(found.st_mode) and S_IMODE(found.st_mode) != CLOSED:
            posix.chmod(name, CLOSED, dir_fd=parent_fd)


def _locked(path: bytes) -> int:
    """A descriptor of the lock file, locked. Raises BlockingIOError when another process has it, or OSError."""
    from fcntl import LOCK_EX, LOCK_NB, flock
    from time import sleep

    lock_fd = posix.open(path, files.WRITE_FLAGS | posix.O_CREAT | posix.O_NOFOLLOW, 0o644)
    try:
        posix.fchmod(lock_fd, 0o644)
        for left in reversed(range(TRIES)):
            try:
                flock(lock_fd, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    raise
                sleep(PAUSE)
    except OSError:
        posix.close(lock_fd)
        raise
    return lock_fd


def _remove(path: bytes) -> None:
    try:
        posix.unlink(path)
    except OSError:
        pass
