"""`supervise/` of one service: its lock, its FIFOs, its status. Source: supervise.c of daemontools 0.76."""

import posix
from errno import EACCES, EDQUOT, ENAMETOOLONG, ENOENT, ENOSPC, EPERM, EROFS

from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.fds import Fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.runtime import RuntimeDirectory

STATE = b"supervise"
LONGEST_LINK = 255
"""Debian's supervise follows a dangling `supervise` link only this far."""

UNWRITABLE = (EACCES, EROFS, EPERM, ENOENT, ENOSPC, EDQUOT)
"""Errors of a directory in which no state can be made. ENOENT: `supervise/` could not be made."""


class CannotPublish(Exception):
    """A status could not be replaced: what was to be done to `status.new`, and why not; None where no call failed."""

    def __init__(self, verb: bytes, ending: bytes, error: OSError | None) -> None:
        super().__init__(verb)
        self.verb = verb
        self.ending = ending
        self.error = error


class StateFds(Fds):
    """`directory`: the service directory. `elsewhere`: the directory that has `supervise/` if that one has not.

    `control` never waits and, since this end may also write, never reaches an end.
    """

    __slots__ = ("control", "directory", "elsewhere", "lock", "ok")
    control: int
    directory: int
    elsewhere: int
    lock: int
    ok: int


class StateDir:
    """The state of service `name` whose directory is open as `directory_fd`, which becomes this object's own."""

    __slots__ = ("_home_fd", "_name", "fds")

    def __init__(self, name: bytes, directory_fd: int) -> None:
        self.fds = StateFds(directory=directory_fd)
        self._home_fd = directory_fd
        self._name = name

    @property
    def is_deleted(self) -> bool:
        """Whether the service directory has been removed: nobody can command the service any more."""
        try:
            return posix.fstat(self.fds.directory).st_nlink == 0
        except OSError:
            return False

    def acquire(self, runtime: "RuntimeDirectory | None") -> None:
        """Make `supervise/` and lock it; in the runtime directory where it cannot be made here. Raises CannotOpen."""
        try:
            cause = make_state(self.fds.directory)
        except OSError as error:
            raise CannotOpen(b"unable to readlink ./supervise: %b" % self._name, error) from None
        try:
            self._lock(runtime, cause)
        except OSError as error:
            raise CannotOpen(b"unable to acquire %b/supervise/lock" % self._name, error) from None

    def _lock(self, runtime: "RuntimeDirectory | None", cause: OSError | None) -> None:
        """Lock it. `cause`: why there is no `supervise/`, which the missing lock file alone does not tell."""
        try:
            self.fds.lock = files.lock(b"supervise/lock", self.fds.directory)
            return
        except OSError as error:
            if error.errno not in UNWRITABLE or runtime is None:
                raise
            there = runtime.open_service(self._name)
            if there is None:
                raise cause or error from None
        self.fds.elsewhere = self._home_fd = there
        make_state(there)
        self.fds.lock = files.lock(b"supervise/lock", there)

    def open_control(self) -> None:
        """Make and open `supervise/control`. Raises CannotOpen."""
        self.fds.control = _open_fifo(b"supervise/control", self._home_fd, posix.O_RDWR, b"write", self._name)

    def open_ok(self) -> None:
        """Make and open `supervise/ok`: proof of life for svok, to be opened once there is a status. Raises
        CannotOpen."""
        self.fds.ok = _open_fifo(b"supervise/ok", self._home_fd, posix.O_RDONLY, b"read", self._name)

    def publish(self, content: bytes) -> None:
        """Replace the status: write beside, then rename. Raises CannotPublish; then the old status stays."""
        verb, ending = b"open", b""
        try:
            flags = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT | posix.O_NOFOLLOW
            status_fd = posix.open(b"supervise/status.new", flags, 0o644, dir_fd=self._home_fd)
            verb = b"write"
            try:
                written = posix.write(status_fd, content)
            finally:
                posix.close(status_fd)
            if written < len(content):
                raise CannotPublish(verb, b": partial write", None)
            verb, ending = b"rename", b" to status"
            posix.rename(
                b"supervise/status.new", b"supervise/status", src_dir_fd=self._home_fd, dst_dir_fd=self._home_fd
            )
        except OSError as error:
            raise CannotPublish(verb, ending, error) from None

    def close(self) -> None:
        """Give everything up: the lock is free, and the FIFOs have no reader."""
        self.fds.close()


def make_state(directory_fd: int) -> OSError | None:
    """Make `supervise/`, mode 0700. One that is there, or cannot be made, is left for its users to judge.

    Returns the error of one that cannot be made.
    If `supervise` is a dangling link its target is made, one level, as Debian's supervise does; an image then keeps the
    state on a tmpfs. Raises OSError only when that link cannot be read.
    """
    try:
        posix.mkdir(STATE, 0o700, dir_fd=directory_fd)
        return None
    except FileExistsError:
        pass
    except OSError as error:
        return error
    try:
        target = posix.readlink(STATE, dir_fd=directory_fd)
    except OSError:
        return None
    if len(target) > LONGEST_LINK:
        raise OSError(ENAMETOOLONG, "link too long")
    try:
        posix.mkdir(target, 0o700, dir_fd=directory_fd)
    except FileExistsError:
        return None
    except OSError as error:
        return error
    return None


def _open_fifo(name: bytes, directory_fd: int, mode: int, verb: bytes, service: bytes) -> int:
    """Make a FIFO, if it is missing, and open it without waiting. Raises CannotOpen: unable to `verb` it."""
    files.make_fifo(name, directory_fd)
    flags = posix.O_NONBLOCK | posix.O_CLOEXEC
    try:
        return posix.open(name, mode | flags, dir_fd=directory_fd)
    except OSError as error:
        trouble = CannotOpen(b"unable to %b %b/%b" % (verb, service, name), error)
    try:  # a program with two descriptors would say which of the two failed
        posix.close(posix.open(name, posix.O_RDONLY | flags, dir_fd=directory_fd))
    except OSError as error:
        trouble = CannotOpen(b"unable to read %b/%b" % (service, name), error)
    raise trouble
