"""Finds out whether a service is ready: joins the process of one start to what its `ready` names.

Loaded when the first policy asks for it. FD: the process writes a newline into a pipe.
"""

import posix

from pyinit.services.life.events import Ready
from pyinit.services.life.readiness import FD
from pyinit.system.fds import Fds
from pyinit.system.spawn import redirection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.context import Context
    from pyinit.services.life.events import Event
    from pyinit.services.life.policy import Policy
    from pyinit.system.spawn import Redirections

LONGEST = 4096
"""Bytes of a notification that are read at once."""


class NotificationFds(Fds):
    """The pipe in which a process says that it is ready."""

    __slots__ = ("read", "write")
    read: int
    write: int


class Inquiry:
    """Asks about one service at a time: `prepare` before its start, `began` after it, `end` when there is no process.

    `handle` takes what was found out, as events.
    """

    __slots__ = ("_context", "_fds", "_handle", "_policy")

    def __init__(self, context: "Context", handle: "Callable[[Event], None]") -> None:
        self._context = context
        self._handle = handle
        self._policy: Policy | None = None
        self._fds = NotificationFds()

    def prepare(
        self, policy: "Policy", redirections: "Redirections", changes: "dict[bytes, bytes | None]"
    ) -> "Redirections":
        """What the next start under this policy gets; `changes` to its environment are added. Raises OSError."""
        self.end()
        self._policy, readiness = policy, policy.readiness
        if readiness and readiness.kind == FD:
            read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
            self._fds = NotificationFds(read=read_fd, write=write_fd)
            posix.set_blocking(read_fd, False)
            return [*redirections, redirection(write_fd, readiness.number)]
        return redirections

    def began(self, pid: int) -> None:
        """The process runs: listen to it. Raises OSError."""
        self._fds.close("write")
        if self._fds.read >= 0:
            self._context.loop.add_reader(self._fds.read, self._read_notification)

    def _read_notification(self) -> None:
        """The first newline is readiness; an end without one is none."""
        try:
            said = posix.read(self._fds.read, LONGEST)
        except BlockingIOError:
            return
        if b"\n" in said or not said:
            self._close()
        if b"\n" in said:
            self._handle(Ready())

    def end(self) -> None:
        """Ask no more."""
        if self._fds.read >= 0 or self._fds.write >= 0:
            self._close()

    def _close(self) -> None:
        self._context.loop.remove_reader(self._fds.read)
        self._fds.close()
