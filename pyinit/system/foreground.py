"""The main command of a container: a child that takes the terminal, if there is one, and becomes another program.

The child is forked, not spawned: it must take the terminal itself before it executes the program. Otherwise the program
may read from the terminal too early and be stopped.
"""

import posix
from _signal import SIG_DFL, SIG_IGN, SIGTTIN, SIGTTOU
from _signal import signal as set_signal
from errno import EACCES, ENOENT, ENOEXEC, ENOTDIR

from pyinit import report
from pyinit.system.doorbell import restore_mask
from pyinit.system.fork import fork, reset_signals
from pyinit.system.process import candidates, execute, restore
from pyinit.system.spawn import GROUP, SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Protocol

    class Teller(Protocol):
        """Tells of the child, in it."""

        def led(self, error: OSError | None) -> None:
            """It leads what it is to lead, with an error of the terminal."""

        def not_run(self, name: bytes, error: OSError) -> None:
            """The program could not be executed."""

    class Way(Protocol):
        """How the command is started: see the options of process 1."""

        leads: int
        not_run: tuple[int, int, int]
        mask: Collection[int]
        ignored: Collection[int]

        @property
        def manner(self) -> Teller:
            """What tells of it."""


SHELL = b"/bin/sh"


def launch(argv: list[bytes], way: "Way", prepare: "Callable[[], None]") -> int:
    """Start argv, found on PATH, with the streams and the working directory of this process; returns the pid.

    It leads a GROUP, which gets the foreground of the terminal, or a SESSION, which gets the terminal. If it leads
    NOTHING it stays in our group. The child calls `prepare` first. If the program cannot be run the child says so and
    exits with one of `not_run`. Raises OSError when no child can be forked.
    """
    return fork(_become_command, argv, way, prepare)


def _become_command(argv: list[bytes], way: "Way", prepare: "Callable[[], None]") -> int:
    prepare()
    report.write = report.write_stderr
    reset_signals()
    way.manner.led(_lead(way.leads))
    for number in (SIGTTIN, SIGTTOU):
        set_signal(number, SIG_IGN if number in way.ignored else SIG_DFL)
    restore()
    restore_mask(way.mask)
    error = _execute(argv)
    way.manner.not_run(argv[0], error)
    not_found, denied, code = way.not_run
    return {ENOENT: not_found, EACCES: denied}.get(error.errno or 0, code)


def leave_terminal() -> OSError | None:
    """Give up the controlling terminal, so that the session of a child can have it; the error, where there is none."""
    from fcntl import ioctl
    from termios import TIOCNOTTY

    try:
        ioctl(0, TIOCNOTTY)
    except OSError as error:
        return error
    return None


def _lead(leads: int) -> OSError | None:
    """Lead a session or a group. Trouble with a terminal is not the command's: it is returned."""
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
    except OSError as error:
        return error
    return None


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
