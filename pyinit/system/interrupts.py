"""Keys of a terminal that end a command: what it does before that, and how it leaves them to another program."""

import posix
from _signal import SIG_DFL, SIG_IGN, SIGHUP, SIGINT, SIGQUIT, SIGTERM, getsignal
from _signal import signal as set_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def before_the_end(restore: "Callable[[], None]") -> None:
    """Call `restore` when a signal ends this process; it ends by that signal all the same. Ignored ones stay ignored.

    The process has no other use of these signals: SIGINT, SIGTERM, SIGHUP.
    """

    def end(number: int, frame: object) -> None:
        set_signal(number, SIG_DFL)
        restore()
        posix.kill(posix.getpid(), number)

    for number in (SIGINT, SIGTERM, SIGHUP):
        if getsignal(number) != SIG_IGN:
            set_signal(number, end)


def leave_keys() -> None:
    """Ignore ^C and ^\\: from here on they are for a program that was started before."""
    for number in (SIGINT, SIGQUIT):
        set_signal(number, SIG_IGN)
