"""The loop of a container that is a command and nothing else, as under tini: it waits for signals alone.

Signals stay blocked, and `sigtimedwait` fetches one at a time. No handler runs and no descriptor is asked, so the way
from a signal to the command is as short as the C programs'.
"""

from _signal import SIGCHLD

from pyinit.system.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class NoDescriptors:
    """The poller of a loop that asks no descriptor: none is ever ready."""

    __slots__ = ()

    def register(self, fd: int, eventmask: int, /) -> None:
        """Nobody watches a descriptor here."""
        raise PermissionError

    modify = register

    def unregister(self, fd: int, /) -> None:
        """There is nothing to stop."""

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Never waits."""
        return []


class SignalLoop(Loop):
    """A Loop without descriptors and directories. `on_signal` is asked first whether there is a reaction."""

    on_signal: "Callable[[int], bool] | None" = None

    def _begin(self) -> None:
        """It needs nothing but the mask, in which all signals are held already."""
        self._poller, self._bell = NoDescriptors(), -1

    def add_signal_handler(self, number: int, callback: "Callable[[], None]") -> None:
        """Call once for each time the signal was pending."""
        self._signals[number] = callback

    def _open(self) -> None:
        """Signals stay held: this loop fetches them."""
        self._awaited = set(self._signals)
        self._others = self._awaited - {SIGCHLD}

    def _turn(self) -> None:
        timeout = self._timeout()
        awaited = self._others if self._is_breathing else self._awaited
        kernel = self.kernel
        found = kernel.sigwaitinfo(awaited) if timeout is None else kernel.sigtimedwait(awaited, timeout)
        if found and (self.on_signal is None or self.on_signal(found.si_signo)):
            self._tell({found.si_signo})
        if self._deadlines.heap:
            self._call_due()
