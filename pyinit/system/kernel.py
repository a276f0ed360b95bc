"""The system calls by which a loop lives: the one seam that a test replaces by a fake kernel.

Most attributes are the built-in functions themselves, so a call through the seam costs no Python frame.
"""

import posix
import select
from _signal import sigtimedwait, sigwaitinfo
from time import monotonic, sleep, time_ns

from pyinit.system.doorbell import Doorbell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Poller(Protocol):
        """What a loop needs of select.epoll. Timeouts in seconds, None for ever."""

        def register(self, fd: int, eventmask: int, /) -> None:
            """Wait for these events of a descriptor. Raises OSError."""

        def modify(self, fd: int, eventmask: int, /) -> None:
            """Wait for others."""

        def unregister(self, fd: int, /) -> None:
            """Wait no more."""

        def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
            """(descriptor, events) of what is ready; empty after the timeout."""


class Kernel:
    """The real one. Clocks: `monotonic` in seconds, `unix` in nanoseconds."""

    __slots__ = ()

    monotonic = staticmethod(monotonic)
    unix = staticmethod(time_ns)
    waitpid = staticmethod(posix.waitpid)
    waitid = staticmethod(posix.waitid)
    kill = staticmethod(posix.kill)
    poller: "Callable[[], Poller]" = staticmethod(select.epoll)
    doorbell: "Callable[[], Doorbell]" = Doorbell
    pause: "Callable[[float], None]" = staticmethod(sleep)
    sigwaitinfo = staticmethod(sigwaitinfo)
    sigtimedwait = staticmethod(sigtimedwait)

    def watch(self, directory_fd: int, changes: int) -> int:
        """See `changes.watch`, which is loaded where there is a directory to watch."""
        from pyinit.system.changes import watch

        return watch(directory_fd, changes)


REAL = Kernel()
