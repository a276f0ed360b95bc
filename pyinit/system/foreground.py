"""The main command of a container: a child that takes the terminal, if there is one, and becomes another program.

A fork, not posix_spawn: who takes the terminal must do so itself before it is executed, or it may read from it too
early and be stopped. Once a container, the cost does not count.
"""

import posix
from _signal import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIGCONT,
    SIGHUP,
    SIGTTIN,
    SIGTTOU,
    pthread_sigmask,
    set_wakeup_fd,
    sigtimedwait,
    valid_signals,
)
from _signal import signal as set_signal
from errno import EACCES, ENOENT, ENOEXEC, ENOTDIR

from pyinit import report
from pyinit.system.process import candidates, execute, restore
from pyinit.system.spawn import GROUP, SESSION, reset_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SHELL = b"/bin/sh"


def launch(
    prog: bytes, argv: list[bytes], leads: int, not_run: tuple[int, int, int], prepare: "Callable[[], None]"
) -> int:
    """Start argv, found on PATH, with this process's streams and working directory; returns the pid.

    It `leads` a GROUP, which is put in the foreground of the terminal, a SESSION, which then has that, or NOTHING: it
    is in this process's group. `prepare` is called in the child. A program that can't be run is a child that
    says so for `prog` and exits with one of `not_run`: for one that is not found, that may not be executed, and the
    rest. Raises OSError when it can't be forked.
    """
    if leads == SESSION:
        _leave_terminal()
    mask = pthread_sigmask(SIG_BLOCK, valid_signals())  # what is sent to the child before it is ready has to wait
    try:
        pid = posix.fork()
    except OSError:
        pthread_sigmask(SIG_SETMASK, mask)
        raise
    if pid:
        pthread_sigmask(SIG_SETMASK, mask)
        return pid
    not_found, denied, code = not_run
    try:
        set_wakeup_fd(-1)
        prepare()
        reset_signals()
        _lead(leads)
        restore()
        pthread_sigmask(SIG_SETMASK, ())
        error = _execute(argv)
        report.write = report.write_stderr
        report.say(prog, b"fatal: unable to run " + argv[0], error)
        code = {ENOENT: not_found, EACCES: denied}.get(error.errno or 0, code)
    finally:
        posix._exit(code)


def _leave_terminal() -> None:
    """Give up the controlling terminal, so that the child's session can have it (dumb-init.c).

    When the leader of a session does, its group gets SIGHUP and SIGCONT (tty_ioctl(4)): nobody asked for those.
    """
    from fcntl import ioctl
    from termios import TIOCNOTTY

    try:
        ioctl(0, TIOCNOTTY)
    except OSError:
        return
    if posix.getsid(0) == posix.getpid():
        for _ in (SIGHUP, SIGCONT):
            sigtimedwait((SIGHUP, SIGCONT), 0)


def _lead(leads: int) -> None:
    """Lead what is to be led; trouble with a terminal is not the command's."""
    try:
        if leads == SESSION:
            from fcntl import ioctl
            from termios import TIOCSCTTY

            posix.setsid()
            ioctl(0, TIOCSCTTY, 0)
        elif leads == GROUP:
            posix.setpgid(0, 0)
            set_signal(SIGTTOU, SIG_IGN)  # else taking the foreground from the background stops us
            posix.tcsetpgrp(0, posix.getpid())
    except OSError:
        pass
    set_signal(SIGTTOU, SIG_DFL)
    set_signal(SIGTTIN, SIG_DFL)


def _execute(argv: list[bytes]) -> OSError:
    """As execvp(3): a file that names no interpreter is the shell's, a bad component of PATH is passed over."""
    remembered = OSError(ENOENT, "")
    for program in candidates(argv[0], posix.environ.get(b"PATH")) if argv[0] else ():
        error = execute([program], argv)
        if error.errno == ENOEXEC:
            error = execute([SHELL], [SHELL, program, *argv[1:]])
        if error.errno == EACCES:
            remembered = error
        elif error.errno not in (ENOENT, ENOTDIR) or b"/" in argv[0]:
            return error
    return remembered
