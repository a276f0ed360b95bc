"""Finds out how a service is: joins the process of one start to what its `ready` and `health` name.

Loaded when the first policy asks for it. FD: the process writes a newline into a pipe. NOTIFY and WATCHDOG: it sends
datagrams to the socket of sd_notify(3).
"""

import posix

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.life.events import Extended, Ready, Replaced
from pyinit.services.life.health import WATCHDOG
from pyinit.services.life.readiness import FD, NOTIFY
from pyinit.system.fds import Fds
from pyinit.system.processes import is_child
from pyinit.system.spawn import redirection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.notice import Notice
    from pyinit.services.context import Context
    from pyinit.services.life.events import Event
    from pyinit.services.life.policy import Policy
    from pyinit.services.notices import NotifySocket
    from pyinit.system.spawn import Redirections

LONGEST = 4096
"""Bytes of a notification that are read at once."""

STOPPING, RELOADING = b"stopping", b"reloading"
"""What stands for a status text of a service that says no more than that."""


class NotificationFds(Fds):
    """The pipe in which a process says that it is ready."""

    __slots__ = ("read", "write")
    read: int
    write: int


class Inquiry:
    """Asks about one service at a time: `prepare` before its start, `began` after it, `end` when there is no process.

    `handle` takes what was found out, as events. `status_text`: what the process of this start says of itself.
    """

    __slots__ = ("_context", "_fds", "_handle", "_name", "_notices", "_pid", "_policy", "status_text")

    def __init__(self, context: "Context", name: bytes, handle: "Callable[[Event], None]") -> None:
        self.status_text = b""
        self._context = context
        self._name = name
        self._handle = handle
        self._policy: Policy | None = None
        self._fds = NotificationFds()
        self._notices: NotifySocket | None = None
        self._pid = 0

    def prepare(
        self, policy: "Policy", redirections: "Redirections", changes: "dict[bytes, bytes | None]"
    ) -> "Redirections":
        """What the next start under this policy gets; `changes` to its environment are added. Raises OSError."""
        self.end()
        self._policy, readiness, health = policy, policy.readiness, policy.health
        if (readiness and readiness.kind == NOTIFY) or (health and health.kind == WATCHDOG):
            self._notices = self._notify_socket()
            changes[b"NOTIFY_SOCKET"] = self._notices.value
        if readiness and readiness.kind == FD:
            read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
            self._fds = NotificationFds(read=read_fd, write=write_fd)
            posix.set_blocking(read_fd, False)
            return [*redirections, redirection(write_fd, readiness.number)]
        return redirections

    def _notify_socket(self) -> "NotifySocket":
        """The one socket of all services; its module is loaded for the first that wants it. Raises OSError."""
        if not self._context.notices:
            from pyinit.services.notices import NotifySocket

            self._context.notices = NotifySocket(self._context.loop, PROG)
        return self._context.notices

    def began(self, pid: int) -> None:
        """The process runs: listen to it. Raises OSError."""
        self._pid = pid
        if self._notices:
            self._notices.listen(pid, self._told)
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

    def _told(self, notice: "Notice") -> None:
        """The process, or a descendant, said something by sd_notify."""
        if notice.main_pid not in (0, self._pid):
            self._replace(notice.main_pid)
        if notice.status is not None:
            self.status_text = notice.status
        elif notice.is_stopping or notice.is_reloading:
            self.status_text = STOPPING if notice.is_stopping else RELOADING
        elif notice.is_ready and self.status_text == RELOADING:
            self.status_text = b""
        readiness = self._policy.readiness if self._policy else None
        if notice.extension:
            self._handle(Extended(notice.extension))
        if notice.is_ready and readiness and readiness.kind == NOTIFY:
            self._handle(Ready())

    def _replace(self, pid: int) -> None:
        """Another process is the service's from now on. It has to be a child of ours that is nobody else's."""
        if not self._notices or pid in self._context.loop.children or not is_child(pid):
            report.warn(PROG, b"%b: MAINPID=%d is not a process that could be taken over" % (self._name, pid))
            return
        self._notices.forget(self._pid)
        self._notices.listen(pid, self._told)
        self._pid = pid
        self._handle(Replaced(pid))

    def end(self) -> None:
        """Ask no more."""
        if self._notices:
            self._notices.forget(self._pid)
            self._notices = None
        self.status_text = b""
        if self._fds.read >= 0 or self._fds.write >= 0:
            self._close()

    def _close(self) -> None:
        self._context.loop.remove_reader(self._fds.read)
        self._fds.close()
