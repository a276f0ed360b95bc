"""Addresses of a host by its name. The resolver may take long, so a child asks it and writes them into a pipe."""

import posix
from _signal import SIGKILL
from _socket import AF_INET, AF_INET6, SOCK_STREAM, getaddrinfo

from pyinit.formats.questions import PROG
from pyinit.system.fork import fork, worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.checker.probes import Address
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

LONGEST = 4096


class Resolution:
    """Asks once. `done` gets the addresses, none where there are none until `limit` (monotonic s)."""

    __slots__ = ("_done", "_loop", "_pid", "_read_fd", "_timer")

    def __init__(self, loop: "Loop", limit: float, done: "Callable[[list[Address]], None]") -> None:
        self._loop = loop
        self._done = done
        self._pid = 0
        self._read_fd = -1
        self._timer: Deadline | None = loop.call_at(limit, self._expired)

    def ask(self, host: bytes, port: int) -> None:
        """Begin. Raises OSError."""
        self._read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
        try:
            self._pid = fork(worker, PROG, write_fd, _resolve, write_fd, host, port)
        finally:
            posix.close(write_fd)
        self._loop.add_child_handler(self._pid, self._exited)

    def _exited(self, outcome: int) -> None:
        """All that it found is in the pipe."""
        self._pid = 0
        try:
            said = posix.read(self._read_fd, LONGEST) if outcome == 0 else b""
        except OSError:
            said = b""
        self.cancel()
        found: list[Address] = []
        for line in said.splitlines():
            host, _, port = line.rpartition(b" ")
            found.append((AF_INET6 if b":" in host else AF_INET, (host, int(port))))
        self._done(found)

    def _expired(self) -> None:
        self._timer = None
        self.cancel()
        self._done([])

    def cancel(self) -> None:
        """Give up; nobody is told."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._pid:
            self._loop.children[self._pid] = _nothing
            self._loop.kernel.kill(self._pid, SIGKILL)
            self._pid = 0
        if self._read_fd >= 0:
            posix.close(self._read_fd)
            self._read_fd = -1


def _resolve(write_fd: int, host: bytes, port: int) -> int:
    """In the child: write each address and the port as a line."""
    try:
        found = getaddrinfo(host, port, 0, SOCK_STREAM)
    except OSError:
        return 1
    lines = [
        b"%b %d\n" % (str(address[0]).encode(), port) for family, *_, address in found if family in (AF_INET, AF_INET6)
    ]
    posix.write(write_fd, b"".join(lines)[:LONGEST])
    return 0


def _nothing(outcome: int) -> None:
    """It was killed, and its answer is not wanted any more."""
