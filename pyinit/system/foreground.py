"""The main command of a container: a child that takes the terminal, if there is one, and becomes another program.

The child is forked, not spawned: it must take the terminal itself before it executes the program. Otherwise the program
may read from the terminal too early and be stopped.
"""

import posix
from _signal import SIG_DFL, SIG_IGN, SIGCONT, SIGHUP, SIGTTIN, SIGTTOU, sigtimedwait
from _signal import signal as set_signal
from errno import EACCES, ENOENT, ENOEXEC, ENOTDIR

from pyinit import report
from pyinit.system.doorbell import release_signals
from pyinit.system.fork import fork, reset_signals
from pyinit.system.process import candidates, execute, restore
from pyinit.system.spawn import GROUP, SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SHELL = b"/bin/sh"


def launch(
    prog: bytes, argv: list[bytes], leads: int, not_run: tuple[int, int, int], prepare: "Callable[[], None]"
) -> int:
    """Start argv, found on PATH, with the streams and the working directory of this process; returns the pid.

    It leads a GROUP, which gets the foreground of the terminal, or a SESSION, which gets the terminal. If it leads
    NOTHING it stays in our group. The child calls `prepare` first. If the program cannot be run the child says so for
    `prog`. It exits with one of `not_run`: not found, not executable, any other reason. Raises OSError when no child
    can be forked.
    """
    if leads == SESSION:
        _leave_terminal()
    return fork(_become_command, prog, argv, leads, not_run, prepare)


def _become_command(
    prog: bytes, argv: list[bytes], leads: int, not_run: tuple[int, int, int], prepare: "Callable[[], None]"
) -> int:
    prepare()
    reset_signals()
    _lead(leads)
    restore()
    release_signals()
    error = _execute(argv)
    report.write = report.write_stderr
    report.say(prog, b"fatal: unable to run " + argv[0], error)
    not_found, denied, code = not_run
    return {ENOENT: not_found, EACCES: denied}.get(error.errno or 0, code)


def _leave_terminal() -> None:
    """Give up the controlling terminal, so that the session of the child can have it (dumb-init.c).

    When the leader of a session does that, the kernel sends SIGHUP and SIGCONT to its group (tty_ioctl(4)). Nobody
    asked for those, so they are taken back.
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
    """Lead a session or a group. Trouble with a terminal is not the command's."""
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
    """As execvp(3): the shell runs a file that names no interpreter, and a bad component of PATH is passed over."""
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
