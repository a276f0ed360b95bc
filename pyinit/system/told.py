"""Starts a program that is told its own pid in its environment. A fork can do that, and posix_spawn cannot."""

import posix
from _signal import SIG_DFL
from _signal import signal as set_signal
from fcntl import F_DUPFD_CLOEXEC, fcntl

from pyinit.system.doorbell import release_signals
from pyinit.system.fork import fork, reset_signals
from pyinit.system.process import WATCHDOG_PID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

NOT_EXECUTED = 127


def start_told(
    give_limit: "Callable[[], None]",
    argv: list[bytes],
    directory_fd: int,
    redirections: "Sequence[tuple[int, int, int]]",
    environment: dict[bytes, bytes],
    leads_group: bool,
    defaults: "Collection[int]",
) -> int:
    """Start argv[0] in the directory; returns the pid. Raises OSError when it cannot be forked or executed.

    A child that could not execute it ends as an orphan of nobody's.
    """
    read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
    try:
        pid = fork(_become, give_limit, argv, directory_fd, redirections, environment, leads_group, defaults, write_fd)
        posix.close(write_fd)
        write_fd = -1
        error = posix.read(read_fd, 16)  # empty as soon as it is executed
    finally:
        posix.close(read_fd)
        if write_fd >= 0:
            posix.close(write_fd)
    if error:
        raise OSError(int(error), "")
    return pid


def _become(
    give_limit: "Callable[[], None]",
    argv: list[bytes],
    directory_fd: int,
    redirections: "Sequence[tuple[int, int, int]]",
    environment: dict[bytes, bytes],
    leads_group: bool,
    defaults: "Collection[int]",
    write_fd: int,
) -> int:
    """In the child: become the program, or say why not."""
    try:
        highest = max((there for _, _, there in redirections), default=2)
        write_fd = fcntl(write_fd, F_DUPFD_CLOEXEC, highest + 1)
        if leads_group:
            posix.setpgid(0, 0)
        posix.fchdir(directory_fd)
        give_limit()
        for _, here, there in redirections:
            posix.dup2(here, there)
            posix.set_inheritable(there, True)
        reset_signals()
        for number in defaults:
            set_signal(number, SIG_DFL)
        release_signals()
        posix.execve(argv[0], argv, {**environment, WATCHDOG_PID: b"%d" % posix.getpid()})
    except OSError as error:
        posix.write(write_fd, b"%d" % (error.errno or 0))
    return NOT_EXECUTED
