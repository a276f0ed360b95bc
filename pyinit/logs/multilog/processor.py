"""The processor of a log directory: a shell command between a finished file and an old file."""

import posix

from pyinit.report import die
from pyinit.system.doorbell import release_signals
from pyinit.system.files import READ_FLAGS
from pyinit.system.fork import fork, reset_signals
from pyinit.system.process import execute, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

PROG = b"multilog"
TRUNCATE = posix.O_WRONLY | posix.O_NONBLOCK | posix.O_TRUNC | posix.O_CREAT
STREAMS = (
    (0, b"previous", READ_FLAGS),
    (1, b"processed", TRUNCATE),
    (4, b"state", READ_FLAGS),
    (5, b"newstate", TRUNCATE),
)


def start(
    directory_fd: int, command: bytes, become_user: "Callable[[], None] | None" = None, more_flags: int = 0
) -> int:
    """Fork `/bin/sh -c command`, working in the directory, on the files of STREAMS; returns the pid. Raises OSError.

    The child calls `become_user` first, and opens the files with `more_flags` too. It warns of a failure after the fork
    itself, and exits 111.
    """
    return fork(_become, directory_fd, command, become_user, more_flags)


def _become(directory_fd: int, command: bytes, become_user: "Callable[[], None] | None", more_flags: int) -> "NoReturn":
    """Become the command, in the child. All descriptors but the streams close on exec."""
    try:
        if become_user:
            become_user()
        reset_signals()
        restore()
        release_signals()
        posix.fchdir(directory_fd)
        for stream, name, flags in STREAMS:
            file_fd = posix.open(name, flags | more_flags, 0o644)
            if file_fd == stream:
                posix.set_inheritable(file_fd, True)
            else:
                posix.dup2(file_fd, stream)
                posix.close(file_fd)
        error = execute([b"/bin/sh"], [b"sh", b"-c", command])
    except OSError as failure:
        error = failure
    die(PROG, b"unable to run " + command, error)
