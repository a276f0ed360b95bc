"""The socket at which services tell of themselves by sd_notify(3).

One abstract datagram socket serves all services; the kernel gives it its name. Any account may send to it, so the
kernel's word for who sent (SO_PASSCRED) decides: only a service's process and its descendants are heard. A sender that
is gone before its datagram is read has no parents any more, and is refused; systemd-notify waits for that reason.
"""

import sys

from pyinit import report
from pyinit.formats.notice import LONGEST, read_notice, socket_name
from pyinit.system.processes import lineage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.notice import Notice
    from pyinit.system.loop import Loop

AT_ONCE = 16
"""Datagrams read at once: a flood must not keep the rest waiting."""

PATIENCE = 60.0
"""Seconds between two messages of refused datagrams."""

CREDENTIALS = 3 * 4
"""Bytes of a struct ucred: pid, uid and gid."""


class NotifySocket:
    """Listens from its making on, which raises OSError. `value`: what NOTIFY_SOCKET is. Messages begin with `name`."""

    def __init__(self, loop: "Loop", name: bytes) -> None:
        from _socket import AF_UNIX, SO_PASSCRED, SOCK_DGRAM, SOL_SOCKET, socket

        self.name = name
        self._loop = loop
        self._listeners: dict[int, Callable[[Notice], None]] = {}
        self._said_at = float("-inf")
        self._socket: socket = socket(AF_UNIX, SOCK_DGRAM)
        self._socket.setsockopt(SOL_SOCKET, SO_PASSCRED, 1)
        self._socket.bind(b"")  # the kernel chooses an abstract name that is free
        self.value = socket_name(self._socket.getsockname())
        loop.add_reader(self._socket.fileno(), self._receive)

    def listen(self, pid: int, callback: "Callable[[Notice], None]") -> None:
        """Give the callback what the process and its descendants send."""
        self._listeners[pid] = callback

    def forget(self, pid: int) -> None:
        """Refuse from now on what they send."""
        self._listeners.pop(pid, None)

    def _receive(self) -> None:
        """Take what has come, each datagram before the next is read: a barrier promises that.

        There is room for the credentials alone. So the kernel closes descriptors that come along at once.
        """
        from _socket import CMSG_LEN, MSG_DONTWAIT, MSG_TRUNC

        for _ in range(AT_ONCE):
            try:
                datagram, ancillary, flags, _ = self._socket.recvmsg(LONGEST, CMSG_LEN(CREDENTIALS), MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not flags & MSG_TRUNC:
                self._take(datagram, sender(ancillary))

    def _take(self, datagram: bytes, pid: int) -> None:
        for ancestor in lineage(pid):
            callback = self._listeners.get(ancestor)
            if callback:
                self._loop.guard(callback, read_notice(datagram))
                return
        now = self._loop.kernel.monotonic()
        if now >= self._said_at + PATIENCE:
            self._said_at = now
            report.warn(self.name, b"refused a notification of pid %d, which is of no service that sends any" % pid)


def sender(ancillary: "list[tuple[int, int, bytes]]") -> int:
    """The pid in the credentials of a datagram; 0 for a process that cannot be seen from here."""
    for _, _, content in ancillary:
        if len(content) == CREDENTIALS:
            return int.from_bytes(content[:4], sys.byteorder)
    return 0
