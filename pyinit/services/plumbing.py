"""The pipe from a service to its logger."""

import posix
from errno import EMFILE

from pyinit.system.fds import Fds

RESERVE = 16
"""Descriptors that no new service may take: services that are up need some to be started again."""


MODE = 0o622
"""Of a pipe: a service that has become another user may open `/dev/stdout` and `/dev/stderr`, which are this pipe."""


class PipeFds(Fds):
    """The two ends of the pipe from a service to its logger."""

    __slots__ = ("read", "write")
    read: int
    write: int


def open_pipe() -> tuple[int, int]:
    """The read end and the write end of a new pipe, which any user may open for writing. Raises OSError.

    A sandbox may refuse the mode (fchmod(2)); the pipe then works for its own user.
    """
    read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
    try:
        posix.fchmod(write_fd, MODE)
    except OSError:
        pass
    return read_fd, write_fd


def make_pipe() -> PipeFds:
    """A new pipe, if RESERVE more descriptors could be opened after it: the lowest free numbers are given out.

    Raises OSError (EMFILE).
    """
    read_fd, write_fd = open_pipe()
    fds = PipeFds(read=read_fd, write=write_fd)
    if 0 < posix.sysconf("SC_OPEN_MAX") <= write_fd + RESERVE:
        fds.close()
        raise OSError(EMFILE, "")
    return fds
