"""The one way to fork: `fork(function, *arguments)` runs the function in a child, which exits with the code it returns.

A test can stand in for it, and what a child does is plain to see: the function. Programs are started by posix_spawn
(`spawn.py`) instead, whose cost does not grow with PID 1.
"""

import posix
from _signal import (
    SIG_DFL,
    SIG_IGN,
    SIGHUP,
    SIGINT,
    SIGPIPE,
    SIGQUIT,
    SIGTSTP,
    SIGXFSZ,
    getsignal,
    set_wakeup_fd,
    valid_signals,
)
from _signal import signal as set_signal
from gc import freeze

from pyinit.system.doorbell import hold_signals, release_signals, restore_mask
from pyinit.system.failure import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BROKEN = 111
"""Exit code of a child whose function raised."""


def fork(function: "Callable[..., int]", *arguments: "Any") -> int:
    """Run function(*arguments) in a child and let it exit with the code returned; gives the child's pid.

    All signals are held in the child until the function releases them; its handlers are still the parent's. The parent
    never looks again for garbage in what exists now: that would write to pages that both share. Raises OSError.
    """
    freeze()
    mask = hold_signals()
    try:
        pid = posix.fork()
    except OSError:
        restore_mask(mask)
        raise
    if pid:
        restore_mask(mask)
        return pid
    code = BROKEN
    try:
        set_wakeup_fd(-1)
        code = function(*arguments)
    except BaseException as error:
        _last_words(error)
    finally:
        posix._exit(code)


def worker(name: bytes, keep: int, main: "Callable[..., int]", *arguments: "Any") -> int:
    """Run main(*arguments) in a forked child that is a program of its own; returns its exit code.

    The child keeps descriptors 0, 1, 2 and `keep`, and no lock, FIFO or pipe of its parent. Its signals are as in a new
    process, except SIGPIPE and SIGXFSZ, which are errors of a write instead. `ps` shows `name`.
    """
    reset_signals()
    set_signal(SIGPIPE, SIG_IGN)
    set_signal(SIGXFSZ, SIG_IGN)
    posix.closerange(3, keep)
    posix.closerange(keep + 1, 2**31 - 1)
    release_signals()
    _rename(name)
    return main(*arguments)


def reset_signals() -> None:
    """Give every signal that this process handles its default disposition."""
    for number in valid_signals():
        if callable(getsignal(number)):
            set_signal(number, SIG_DFL)


def ignore_keys() -> None:
    """Ignore the signals of a terminal: keys and a hangup are for the foreground, not for a worker of ours."""
    for number in (SIGHUP, SIGINT, SIGQUIT, SIGTSTP):
        set_signal(number, SIG_IGN)


def wait_for(pid: int) -> int:
    """Wait for a child; returns its exit code, or minus the signal that killed it. Not for a process with a loop."""
    return posix.waitstatus_to_exitcode(posix.waitpid(pid, 0)[1])


def _rename(name: bytes) -> None:
    try:
        comm_fd = posix.open("/proc/self/comm", posix.O_WRONLY | posix.O_CLOEXEC)
        posix.write(comm_fd, name)
        posix.close(comm_fd)
    except OSError:
        pass


def _last_words(error: BaseException) -> None:
    """One line, and no traceback: it goes to the container's standard error."""
    posix.write(2, b"pyinit: fatal: a forked child: %b\n" % describe(error))
