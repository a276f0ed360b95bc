"""One question to a port, a socket, a page or a file, asked without waiting.

A connection to this machine is there as soon as it is asked for. A second connect(2) tells so, and the loop does not
have to wait. So a check of a port costs a few system calls and no turn of the loop.
"""

import posix
from _socket import AF_INET, AF_INET6, AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, inet_pton, socket
from errno import EALREADY, EINPROGRESS, EISCONN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

    Address = tuple[int, tuple[bytes, int] | bytes]
    """The family, and what connect takes."""

KNOWN_HOSTS = {b"localhost": (b"127.0.0.1", b"::1")}
"""Names that need no resolver (RFC 6761)."""

GOOD = range(200, 400)
"""The status of an answer by HTTP that is a good one."""

ONE_READ = 4096
LONGEST_PAGE = 65536
"""Bytes of a page that are read: a server must not find the connection broken before it said all of a usual answer."""


class Probe:
    """Asks once: `done` is told whether the answer is good, once, unless `cancel` comes first. It may be told at once.

    `limit`: monotonic s. `request`: what is sent over the connection; empty: that there is one is enough.
    """

    __slots__ = ("_addresses", "_done", "_limit", "_loop", "_request", "_said", "_socket", "_timer")

    def __init__(self, loop: "Loop", limit: float, request: bytes, done: "Callable[[bool], None]") -> None:
        self._loop = loop
        self._limit = limit
        self._request = request
        self._done = done
        self._said = b""
        self._addresses: list[Address] = []
        self._socket: socket | None = None
        self._timer: Deadline | None = None

    def connect(self, addresses: "list[Address]") -> None:
        """Ask at the first of these addresses that accepts."""
        self._addresses = addresses
        self._try_next()

    def _try_next(self) -> None:
        while self._addresses:
            family, address = self._addresses.pop(0)
            try:
                self._socket = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
                error = self._socket.connect_ex(address)
                if error == EINPROGRESS:
                    error = self._socket.connect_ex(address)
            except OSError:
                error = -1
            if error in (0, EISCONN):
                self._connected()
                return
            if error in (EALREADY, EINPROGRESS) and self._socket:
                self._wait()
                self._loop.add_writer(self._socket.fileno(), self._writable)
                return
            self._close()
        self._answer(False)

    def _wait(self) -> None:
        if not self._timer:
            self._timer = self._loop.call_at(self._limit, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self._answer(False)

    def _writable(self) -> None:
        """The connection is there, or has failed."""
        from _socket import SO_ERROR, SOL_SOCKET

        if not self._socket:
            return
        self._loop.remove_writer(self._socket.fileno())
        if self._socket.getsockopt(SOL_SOCKET, SO_ERROR):
            self._close()
            self._try_next()
        else:
            self._connected()

    def _connected(self) -> None:
        if not self._request or not self._socket:
            self._answer(True)
            return
        self._wait()
        try:
            self._socket.send(self._request)
            self._loop.add_reader(self._socket.fileno(), self._readable)
        except OSError:
            self._answer(False)

    def _readable(self) -> None:
        """Read the answer to its end: a server may not like to be left in the middle of it."""
        if not self._socket:
            return
        try:
            said = self._socket.recv(ONE_READ)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        self._said += said
        if not said or len(self._said) >= LONGEST_PAGE:
            self._answer(is_good(self._said))

    def _answer(self, is_good_one: bool) -> None:
        self.cancel()
        self._done(is_good_one)

    def cancel(self) -> None:
        """Give up; nobody is told."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._close()

    def _close(self) -> None:
        if self._socket:
            self._loop.remove_writer(self._socket.fileno())
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None


def is_good(said: bytes) -> bool:
    """Whether an answer by HTTP begins with a good status."""
    words = said.partition(b"\n")[0].split()
    return len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() and int(words[1][:4]) in GOOD


def page_request(host: bytes, port: int, path: bytes) -> bytes:
    """The request for a page. HTTP/1.0: the server closes the connection at the end of its answer."""
    place = b"[%b]" % host if b":" in host else host
    return b"GET %b HTTP/1.0\r\nHost: %b:%d\r\nUser-Agent: pyinit\r\nConnection: close\r\n\r\n" % (path, place, port)


def numeric(host: bytes, port: int) -> "list[Address]":
    """The addresses of a host that needs no resolver; none for other names."""
    found: list[Address] = []
    for text in KNOWN_HOSTS.get(host, (host,)):
        family = AF_INET6 if b":" in text else AF_INET
        try:
            inet_pton(family, text.decode())
        except (OSError, ValueError):
            continue
        found.append((family, (text, port)))
    return found


def connect_unix(probe: Probe, path: bytes, directory_fd: int) -> None:
    """Ask at a socket in the file system. Its path is relative, as an absolute one may be too long for the kernel."""
    try:
        posix.fchdir(directory_fd)
        probe.connect([(AF_UNIX, path)])
    finally:
        posix.chdir("/")


def file_exists(path: bytes, directory_fd: int) -> bool:
    """Whether the file is there, at a path relative to the directory."""
    try:
        posix.stat(path, dir_fd=directory_fd)
    except OSError:
        return False
    return True
