"""The processor of a log directory: a shell command between a finished file and the one that is kept."""

import posix
from _signal import SIG_DFL, SIG_UNBLOCK, SIGALRM, SIGTERM, pthread_sigmask
from _signal import signal as set_signal

from pyinit.report import die
from pyinit.system.files import READ_FLAGS
from pyinit.system.process import restore

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


def start(directory: int, command: bytes, become_user: "Callable[[], None] | None" = None) -> int:
    """Fork `/bin/sh -c command`, working in the directory, on the files of STREAMS; returns the pid. Raises OSError.

    `become_user` is called in the child first. What fails after the fork the child says, and exits 111.
    """
    pid = posix.fork()
    if pid:
        return pid
    try:
        if become_user:
            become_user()
        _become(directory, command)
    finally:
        posix._exit(111)


def _become(directory: int, command: bytes) -> "NoReturn":
    """In the child. All other descriptors close on exec."""
    restore()
    for number in (SIGTERM, SIGALRM):
        set_signal(number, SIG_DFL)
    pthread_sigmask(SIG_UNBLOCK, (SIGTERM, SIGALRM))
    try:
        posix.fchdir(directory)
        for stream, name, flags in STREAMS:
            descriptor = posix.open(name, flags, 0o644)
            if descriptor == stream:
                posix.set_inheritable(descriptor, True)
            else:
                posix.dup2(descriptor, stream)
                posix.close(descriptor)
        posix.execv(b"/bin/sh", [b"sh", b"-c", command])
    except OSError as error:
        die(PROG, b"unable to run " + command, error)
