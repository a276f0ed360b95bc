"""The doorbell of a loop, and the one owner of the signal mask.

PID 1 would lose every signal that has no handler yet. So the first line of the program holds all signals back
(`hold_signals`), and the loop releases them when its handlers are there.

The C handler of a signal writes a byte into the doorbell pipe (set_wakeup_fd), which ends the loop's wait. The Python
handler adds the signal's number to a set. The bell is not the mailbox: a full pipe loses bytes, the set loses nothing.
signalfd would be one descriptor for both, but Python has no call for it, and it must not coexist with handlers.
"""

import posix
import sys
from _signal import SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, pthread_sigmask, set_wakeup_fd, valid_signals
from _signal import signal as set_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RING_LENGTH = 512
"""Bytes read from the pipe at once. What is left rings again."""


_given: list[set[int]] = []
"""The mask at the first hold, as the one element."""


def hold_signals() -> set[int]:
    """Block every signal that can be blocked; returns the mask that was in force, for `restore_mask`."""
    mask = pthread_sigmask(SIG_BLOCK, valid_signals())
    if not _given:
        _given.append(mask)
    return mask


def given_mask() -> set[int]:
    """The mask that this process was given: the one in force before the first hold."""
    return _given[0] if _given else set()


def release_signals() -> None:
    """Block no signal any more."""
    pthread_sigmask(SIG_SETMASK, ())


def let_through(numbers: "Iterable[int]") -> None:
    """Block these signals no more: they do what they do to any program."""
    pthread_sigmask(SIG_UNBLOCK, numbers)


def restore_mask(mask: "Iterable[int]") -> None:
    """Put back a mask that `hold_signals` returned. A second try: held for ever, signals would never come again."""
    try:
        pthread_sigmask(SIG_SETMASK, mask)
    except OSError:
        pthread_sigmask(SIG_SETMASK, mask)


class Doorbell:
    """A pipe that becomes readable when a signal arrives, and the set of the signals that came."""

    __slots__ = ("_button", "_pending", "_pipe")

    def __init__(self) -> None:
        self._pending: set[int] = set()
        self._pipe, self._button = posix.pipe2(posix.O_NONBLOCK | posix.O_CLOEXEC)
        set_wakeup_fd(self._button, warn_on_full_buffer=False)
        sys.unraisablehook = self._ring_again

    def _ring_again(self, failure: object) -> None:
        """The C handler could not write its byte. The interpreter would print a traceback, and the bell stay silent."""
        try:
            posix.write(self._button, b"\0")
        except OSError:
            pass

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._pipe

    def listen(self, number: int) -> None:
        """Take this signal from now on."""
        set_signal(number, lambda number, frame: self._pending.add(number))

    def open(self) -> None:
        """Let signals in: handlers for all that matter are there."""
        release_signals()

    def take(self) -> set[int]:
        """The numbers of the signals that came since the last call. A later one rings again."""
        posix.read(self._pipe, RING_LENGTH)
        pending, self._pending = self._pending, set()
        return pending
