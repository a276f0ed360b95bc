"""The main command of a container: a child that takes the terminal, if there is one, and becomes another program.

A fork, not posix_spawn: who takes the terminal must do so itself before it is executed, or it may read from it too
early and be stopped. Once a container, the cost does not count.
"""

import posix
from _signal import SIG_DFL, SIG_IGN, SIG_SETMASK, SIGTTOU, pthread_sigmask, set_wakeup_fd
from _signal import signal as set_signal
from errno import ENOENT

from pyinit import report
from pyinit.system.process import candidates, execute, restore
from pyinit.system.spawn import reset_signals


def launch(prog: bytes, argv: list[bytes], has_session: bool, not_run: tuple[int, int]) -> int:
    """Start argv, found on PATH, with this process's streams and working directory; returns the pid.

    It leads a process group of its own, which is put in the terminal's foreground, or with `has_session` a session.
    A program that can't be run is a child that says so for `prog` and exits with one of `not_run`: for one that is not
    found, and for one that can't be executed. Raises OSError when it can't be forked.
    """
    pid = posix.fork()
    if pid:
        return pid
    not_found, code = not_run
    try:
        set_wakeup_fd(-1)
        reset_signals()
        _lead(has_session)
        restore()
        pthread_sigmask(SIG_SETMASK, ())
        error = execute(candidates(argv[0], posix.environ.get(b"PATH")), argv)
        report.write = report.write_stderr
        report.say(prog, b"fatal: unable to run " + argv[0], error)
        if error.errno == ENOENT:
            code = not_found
    finally:
        posix._exit(code)


def _lead(has_session: bool) -> None:
    """Lead a group or a session; trouble with a terminal is not the command's."""
    if has_session:
        posix.setsid()
        return
    posix.setpgid(0, 0)
    set_signal(SIGTTOU, SIG_IGN)  # else taking the foreground from the background stops us
    try:
        posix.tcsetpgrp(0, posix.getpid())
    except OSError:
        pass
    set_signal(SIGTTOU, SIG_DFL)
