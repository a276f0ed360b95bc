"""What the kernel tells of by a signal (fcntl(2)): directories that change, and FIFOs and sockets that ring.

Those ring, by SIGCHLD (F_SETSIG), when they can be read: SIGCHLD, since all it says is "look", as at a death. Their
files are watched, not descriptors: epoll(7) goes on watching a file that is open anywhere, if only in flight (see
`shelf`), and tells of it by the number it had when that began. So each has one number for as long as it is watched, at
which the descriptor itself need not be.
"""

import posix
from _signal import SIGCHLD
from fcntl import (
    DN_ATTRIB,
    DN_CREATE,
    DN_DELETE,
    DN_MODIFY,
    DN_MULTISHOT,
    DN_RENAME,
    F_DUPFD_CLOEXEC,
    F_NOTIFY,
    F_SETFL,
    F_SETOWN,
    F_SETSIG,
    fcntl,
)
from select import EPOLLET, EPOLLIN, epoll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DIRECTORY_CHANGES = DN_CREATE | DN_DELETE | DN_RENAME | DN_ATTRIB | DN_MULTISHOT
FILE_CHANGES = DIRECTORY_CHANGES | DN_MODIFY


def watch(directory: int, changes: int) -> int:
    """Have SIGIO sent when the directory changes, until the descriptor returned is closed. Raises OSError.

    It is one of its own, since closing any duplicate of one (as listdir does) ends its watch. F_NOTIFY.
    """
    watched = posix.open(".", posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC, dir_fd=directory)
    try:
        fcntl(watched, F_NOTIFY, changes)
    except OSError:
        posix.close(watched)
        raise
    return watched


class Rings:
    """Watched files, each with whom to call. `deaf`: the numbers of those that can't ring."""

    __slots__ = ("_callbacks", "_epoll", "_next", "deaf")

    def __init__(self) -> None:
        self._epoll = epoll()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next = 0
        self.deaf: set[int] = set()

    def fileno(self) -> int:
        """A descriptor that can be read while there is anything to hear."""
        return self._epoll.fileno()

    def add(self, descriptor: int, callback: "Callable[[], None]") -> int:
        """Watch the file, which never blocks and is this process's alone, until all its descriptors are closed.

        Returns its number. Raises OSError: for a regular file (EPERM), without room for one more descriptor (EMFILE).
        """
        number = self._duplicate(descriptor)
        try:
            self._epoll.register(number, EPOLLIN | EPOLLET)
            if not _let_ring(number):
                self.deaf.add(number)
        finally:
            posix.close(number)
        self._callbacks[number] = callback
        return number

    def _duplicate(self, descriptor: int) -> int:
        """A descriptor with a number that none of the watched has: the next one, or from the lowest on the first."""
        is_again = False
        while True:
            try:
                number = fcntl(descriptor, F_DUPFD_CLOEXEC, self._next)
            except OSError:
                if is_again:
                    raise
                self._next, is_again = 0, True
                continue
            self._next = number + 1
            if number not in self._callbacks:
                return number
            posix.close(number)

    def forget(self, number: int) -> None:
        """Call nobody any more. Forgetting again does nothing."""
        self._callbacks.pop(number, None)
        self.deaf.discard(number)

    def heard(self) -> "list[Callable[[], None]]":
        """Whom to call: each once for what has come since the last time, all of which it is to read."""
        return [callback for number, _ in self._epoll.poll(0) if (callback := self._callbacks.get(number))]


def _let_ring(descriptor: int) -> bool:
    try:
        fcntl(descriptor, F_SETOWN, posix.getpid())
        fcntl(descriptor, F_SETSIG, SIGCHLD)
        fcntl(descriptor, F_SETFL, posix.O_NONBLOCK | posix.O_ASYNC)
    except OSError:
        return False
    return True
