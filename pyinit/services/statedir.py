"""`supervise/` of one service: its lock, its FIFOs, its status. Source: supervise.c of daemontools 0.76.

The directory is opened once. All work is relative to that descriptor and follows no link, so that a directory put in
its place later changes nothing. `supervise` itself may be a link, as in Debian. A missing target is made. A target that
a supervise made, or that is empty, is used. Any other is refused: its `status` may be somebody's file.
"""

import posix
from _stat import S_ISFIFO
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
    """`directory`: the service directory. `state`: `supervise/`, there or in the runtime directory.

    `control` never waits and, since this end may also write, never reaches an end.
    """

    __slots__ = ("control", "directory", "lock", "ok", "state")
    control: int
    directory: int
    lock: int
    ok: int
    state: int


class StateDir:
    """The state of service `name` whose directory is open as `directory_fd`, which becomes this object's own."""

    __slots__ = ("_name", "fds")

    def __init__(self, name: bytes, directory_fd: int) -> None:
        self.fds = StateFds(directory=directory_fd)
        self._name = name

    @property
    def is_normally_down(self) -> bool:
        """Whether there is a file `down` in the service directory."""
        try:
            return files.exists(b"down", self.fds.directory)
        except OSError:
            return False

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
            self._lock_in(self.fds.directory)
            return
        except OSError as error:
            if error.errno not in UNWRITABLE or runtime is None:
                raise
            there = runtime.open_service(self._name)
            if there is None:
                raise cause or error from None
        try:
            self.fds.close("state")
            make_state(there)
            self._lock_in(there)
        finally:
            posix.close(there)

    def _lock_in(self, directory_fd: int) -> None:
        self.fds.state = open_state(directory_fd)
        self.fds.lock = files.lock(b"lock", self.fds.state)

    def open_control(self) -> None:
        """Make and open `supervise/control`. Raises CannotOpen."""
        self.fds.control = _open_fifo(b"control", self.fds.state, posix.O_RDWR, b"write", self._name)

    def open_ok(self) -> None:
        """Make and open `supervise/ok`: proof of life for svok, to be opened once there is a status. Raises
        CannotOpen."""
        self.fds.ok = _open_fifo(b"ok", self.fds.state, posix.O_RDONLY, b"read", self._name)

    def publish(self, content: bytes) -> None:
        """Replace the status: write beside, then rename. Raises CannotPublish; then the old status stays."""
        verb, ending, state_fd = b"open", b"", self.fds.state
        try:
            flags = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT | posix.O_NOFOLLOW
            status_fd = posix.open(b"status.new", flags, 0o644, dir_fd=state_fd)
            verb = b"write"
            try:
                written = posix.write(status_fd, content)
            finally:
                posix.close(status_fd)
            if written < len(content):
                raise CannotPublish(verb, b": partial write", None)
            verb, ending = b"rename", b" to status"
            posix.rename(b"status.new", b"status", src_dir_fd=state_fd, dst_dir_fd=state_fd)
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


def open_state(directory_fd: int) -> int:
    """A descriptor (O_PATH), the caller's, of `supervise/` in a directory. Raises OSError.

    Without an errno where `supervise` is a link to a directory that is somebody else's.
    """
    flags = posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC
    try:
        return posix.open(STATE, flags | posix.O_NOFOLLOW, dir_fd=directory_fd)
    except NotADirectoryError:  # so is a link
        state_fd = posix.open(STATE, flags, dir_fd=directory_fd)
    try:
        is_ours = _is_of_supervise(state_fd)
    except OSError:
        posix.close(state_fd)
        raise
    if not is_ours:
        posix.close(state_fd)
        raise OSError(None, "a link to a directory that no supervise made")
    return state_fd


def _is_of_supervise(state_fd: int) -> bool:
    """Whether a supervise made this directory: only one has a FIFO `control`. An empty one is free for it.

    So is one with nothing but an empty `lock`, of a supervise that was killed before it made more.
    """
    try:
        return S_ISFIFO(posix.stat(b"control", dir_fd=state_fd, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        list_fd = posix.open(b".", posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC, dir_fd=state_fd)
    try:
        names = posix.listdir(list_fd)
    finally:
        posix.close(list_fd)
    if names == ["lock"]:
        return posix.stat(b"lock", dir_fd=state_fd, follow_symlinks=False).st_size == 0
    return not names


def _open_fifo(name: bytes, state_fd: int, mode: int, verb: bytes, service: bytes) -> int:
    """Make a FIFO, if it is missing, and open it without waiting. Raises CannotOpen: unable to `verb` it."""
    files.make_fifo(name, state_fd)
    flags = posix.O_NONBLOCK | posix.O_CLOEXEC | posix.O_NOFOLLOW
    try:
        return posix.open(name, mode | flags, dir_fd=state_fd)
    except OSError as error:
        trouble = CannotOpen(b"unable to %b %b/supervise/%b" % (verb, service, name), error)
    try:  # a program with two descriptors would say which of the two failed
        posix.close(posix.open(name, posix.O_RDONLY | flags, dir_fd=state_fd))
    except OSError as error:
        trouble = CannotOpen(b"unable to read %b/supervise/%b" % (service, name), error)
    raise trouble
