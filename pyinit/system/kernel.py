"""The system calls by which a loop lives: the one seam that a test replaces by a fake kernel.

The attributes are the built-in functions themselves, so a call through the seam costs no Python frame.
"""

import posix
import select
from time import monotonic, time_ns

from pyinit.system.doorbell import Doorbell


class Kernel:
    """The real one. Clocks: `monotonic` in seconds, `unix` in nanoseconds."""

    __slots__ = ()

    monotonic = staticmethod(monotonic)
    unix = staticmethod(time_ns)
    waitpid = staticmethod(posix.waitpid)
    kill = staticmethod(posix.kill)
    poller = staticmethod(select.epoll)
    doorbell = Doorbell


REAL = Kernel()
