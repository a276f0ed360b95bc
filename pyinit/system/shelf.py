"""Descriptors in flight: each in a message that nobody receives, which keeps its file open (unix(7), SCM_RIGHTS).

A look at the message (MSG_PEEK) gives duplicates, and leaves it where it is.
"""

import posix
import sys
from _socket import (
    AF_UNIX,
    CMSG_SPACE,
    MSG_CTRUNC,
    MSG_PEEK,
    SCM_RIGHTS,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socketpair,
)

from pyinit.system.descriptors import Descriptors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

MSG_CMSG_CLOEXEC = 0x40000000
SO_PEEK_OFF = 42
"""Linux's own, which Python has no names for. At which byte, and so at which message of one byte, a look begins."""

SIZE = 4
"""Of a descriptor in a message, bytes."""
MOST = 4
"""Descriptors in a message."""
FULL = 128
"""Messages on a shelf: to take one down moves those before it."""


class Shelf:
    """Messages that are never received, in a socket that talks to itself: a row of them, each with its owner."""

    __slots__ = ("_inlet", "_outlet", "_owners", "_room")

    def __init__(self) -> None:
        self._inlet, self._outlet = socketpair(AF_UNIX, SOCK_SEQPACKET)
        self._inlet.setblocking(False)
        self._outlet.setblocking(False)
        self._owners: list[Descriptors] = []
        self._room = FULL

    def close(self) -> None:
        """Close everything on it."""
        self._inlet.close()
        self._outlet.close()

    @property
    def has_room(self) -> bool:
        """Whether more should be put on it."""
        return len(self._owners) < self._room

    def put(self, owner: Descriptors, descriptors: tuple[int, ...]) -> bool:
        """Add a message; False if the socket takes no more. Raises OSError."""
        rights = b"".join([descriptor.to_bytes(SIZE, sys.byteorder) for descriptor in descriptors])
        try:
            self._inlet.sendmsg([b"\0"], [(SOL_SOCKET, SCM_RIGHTS, rights)])
        except BlockingIOError:
            self._room = len(self._owners)
            return False
        self._owners.append(owner)
        return True

    def look(self, owner: Descriptors) -> tuple[int, ...]:
        """New descriptors, the caller's, of what the owner has here. Raises OSError."""
        return _look(self._outlet, self._owners.index(owner))

    def drop(self, owner: Descriptors) -> None:
        """Take a message down, and with it the last hold on what is open nowhere else. Raises OSError.

        Those before it go to the end first, because only the first can be received. Without room for what comes with
        it, a message that is received is closed by the kernel.
        """
        while (first := self._owners[0]) is not owner:
            first.take_out()
            first.lay_on(self)
        self._outlet.recv(1)
        del self._owners[0]


def _look(outlet: "socket", index: int) -> tuple[int, ...]:
    """New descriptors of what is in a message; all of it, or OSError (EMFILE)."""
    outlet.setsockopt(SOL_SOCKET, SO_PEEK_OFF, index)
    _, rights, flags, _ = outlet.recvmsg(1, CMSG_SPACE(MOST * SIZE), MSG_PEEK | MSG_CMSG_CLOEXEC)
    found = tuple(
        int.from_bytes(data[start : start + SIZE], sys.byteorder)
        for _, _, data in rights
        for start in range(0, len(data) - SIZE + 1, SIZE)
    )
    if flags & MSG_CTRUNC or not found:
        from errno import EMFILE

        for descriptor in found:
            posix.close(descriptor)
        raise OSError(EMFILE, "")
    return found


def can_store() -> bool:
    """Whether what is put in flight can be looked at, in any of several messages: what is no Linux may do otherwise.

    Raises OSError where it says so.
    """
    shelf, paths = Shelf(), (b"/", b"/dev")
    row = [Descriptors(posix.open(path, posix.O_PATH | posix.O_CLOEXEC)) for path in paths]
    try:
        return all(each.lay_on(shelf) for each in row) and all(map(_is_of, reversed(row), reversed(paths)))
    finally:
        for each in row:
            each.close()
        shelf.close()


def _is_of(descriptors: Descriptors, path: bytes) -> bool:
    there = posix.stat(path)
    with descriptors as (descriptor,):
        here = posix.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
