"""The pipe of a service, as the collector reads it."""

import posix
from select import EPOLLIN, POLLIN, epoll, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 65536
"""The capacity of a pipe, bytes: the most that one read brings."""


def unread_lines(pipe_fd: int) -> int:
    """Empty the pipe; how many lines were in it, an unended one included. It does not wait for a writer."""
    ready = poll()
    ready.register(pipe_fd, POLLIN)
    lines, last = 0, b""
    while ready.poll(0) and (block := posix.read(pipe_fd, BLOCK)):
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (last not in (b"", b"\n"))


class Pipe:
    """One pipe, which belongs to this object. `fd`: what to wait for.

    `read(fd, most)` gives the next bytes, empty at the end of all, None if nothing is there after all. It is the system
    call itself, since every block of every service comes by it.
    """

    __slots__ = ("fd",)
    read: "Callable[[int, int], bytes | None]" = staticmethod(posix.read)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def unread(self) -> int:
        """Empty it; how many lines were in it."""
        return unread_lines(self.fd)

    def close(self) -> None:
        """Give up what is left."""
        posix.close(self.fd)


class Inlet:
    """One of several pipes of a service. `watched`: a text to be told of, until a line had it."""

    __slots__ = ("fd", "number", "tail", "watched")

    def __init__(self, fd: int, number: int, watched: bytes) -> None:
        self.fd = fd
        self.number = number
        self.watched = watched
        self.tail = b""

    def has_now(self, block: bytes) -> bool:
        """Whether the text is there with this block, for the first time. It has no newline: it cannot span lines."""
        if not self.watched:
            return False
        text = self.tail + block
        if self.watched not in text:
            self.tail = text[-len(self.watched) :]
            return False
        self.watched = b""
        return True


class Inlets(Pipe):
    """The pipes of one service that has a new one at each start. What is left in an earlier one is read as well.

    Bytes of two pipes never share a line. `fd` is an epoll(7) descriptor: it can be read when one of them can.
    `drained` takes the number of each pipe that was read to its end but the last; `found` that of a pipe with its text.
    """

    __slots__ = ("_drained", "_found", "_inlets", "_is_inside", "_last", "_poller", "is_over", "read")

    def __init__(self, drained: "Callable[[int], None]", found: "Callable[[int], None]") -> None:
        """Raises OSError."""
        self._poller = epoll()
        super().__init__(self._poller.fileno())
        self.read = self._read
        self._drained = drained
        self._found = found
        self._inlets: dict[int, Inlet] = {}
        self.is_over = False
        """Whether the last of them has come to its end: no other is read after it."""
        self._last = -1
        self._is_inside = False
        """Whether the last bytes, which came from the pipe `_last`, ended within a line."""

    def add(self, inlet: Inlet) -> None:
        """Read one more; its descriptor becomes this object's. Raises OSError."""
        self._poller.register(inlet.fd, EPOLLIN)
        self._inlets[inlet.fd] = inlet

    @property
    def numbers(self) -> "list[int]":
        """The numbers of the pipes that are not drained."""
        return [inlet.number for inlet in self._inlets.values()]

    def _read(self, fd: int, most: int) -> bytes | None:
        """From the oldest pipe that has something. A byte at a time: to the end of a line, from one pipe alone."""
        ready = {fd for fd, _ in self._poller.poll(0)}
        if most == 1 and self._is_inside and self._last in ready:
            ready = {self._last}
        for inlet in list(self._inlets.values()):
            if inlet.fd not in ready:
                continue
            block = posix.read(inlet.fd, most)
            if block:
                return self._taken(inlet, block)
            if len(self._inlets) == 1:
                self.is_over = True
                return b""
            del self._inlets[inlet.fd]
            posix.close(inlet.fd)  # which ends the wait for it
            self._drained(inlet.number)
        return None

    def _taken(self, inlet: Inlet, block: bytes) -> bytes:
        if inlet.has_now(block):
            self._found(inlet.number)
        is_broken = self._is_inside and inlet.fd != self._last
        self._last, self._is_inside = inlet.fd, not block.endswith(b"\n")
        return b"\n" + block if is_broken else block

    def unread(self) -> int:
        """Empty all of them."""
        return sum(unread_lines(inlet.fd) for inlet in self._inlets.values())

    def close(self) -> None:
        """Give up what is left."""
        for fd in self._inlets:
            posix.close(fd)
        self._poller.close()
