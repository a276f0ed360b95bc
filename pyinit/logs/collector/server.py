"""The logging process itself: all streams, the socket to PID 1, the accounts."""

import posix
import sys
from _signal import SIG_IGN, SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP
from _signal import signal as set_signal
from _socket import MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET
from time import monotonic

from pyinit import report
from pyinit.formats import counters as accounts
from pyinit.formats.wire import HOME, PACKET, PROG, ROTATE, unpack
from pyinit.logs.collector.outlet import Outlet
from pyinit.logs.collector.stream import Stream
from pyinit.system import files
from pyinit.system.console import Console
from pyinit.system.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

AT_ONCE = 32
"""Messages taken in a turn: the pipes that are there already are not kept waiting."""

ACCOUNTS_PAUSE = 1.0
"""Seconds between two replacements of the accounts, at least; none while nothing is logged."""

LINES_FIRST = 0.05
"""Seconds before the first accounts: the lines that wait are logged before them."""


class Server:
    """`place`: the directory in which the accounts are kept, None for nowhere. `is_first`: they begin at nothing."""

    def __init__(self, loop: Loop, control: "socket", place: bytes | None, is_first: bool) -> None:
        self.name = PROG
        self._loop = loop
        self._control = control
        self._outlet = Outlet(loop, 1)
        self._outlet.on_change = self._settle
        self._streams: dict[Stream, int] = {}
        self._is_closing = False
        self._place = place
        self._accounts = {} if is_first else _earlier(place)
        self._kept = b""
        self._is_due, self._next = False, 0.0
        loop.add_reader(control.fileno(), self._receive)
        loop.add_signal_handler(SIGTERM, self._leave)
        loop.add_signal_handler(SIGALRM, self._rotate)

    def _receive(self) -> None:
        """Take messages, as many as there are, up to AT_ONCE."""
        for _ in range(AT_ONCE):
            try:
                packet, rights, _, _ = self._control.recvmsg(PACKET, 64, MSG_DONTWAIT)
            except BlockingIOError:
                return
            self._obey(packet, rights)
            if self._is_closing:
                return

    def _obey(self, packet: bytes, rights: "list[tuple[int, int, bytes]]") -> None:
        if not packet:
            self._loop.remove_reader(self._control.fileno())
            self._is_closing = True
            self._end_if_over()
        elif packet == ROTATE:
            self._rotate()
        else:
            pipe = _descriptor(rights)
            number, job = unpack(packet)
            account = self._accounts.setdefault(job.name, accounts.Account())
            stream = Stream(self._loop, job, pipe, self._outlet, account, self._ended, self._counted)
            self._streams[stream] = number
            stream.open()

    def _ended(self, stream: Stream, is_drained: bool) -> None:
        number = self._streams.pop(stream)
        if is_drained:
            self._control.send(b"%d" % number)
        self._counted()
        self._end_if_over()

    def _settle(self) -> None:
        for stream in list(self._streams):
            stream.settle()
        self._end_if_over()

    def _rotate(self) -> None:
        for stream in list(self._streams):
            stream.rotate()

    def _leave(self) -> None:
        self._is_closing = True
        for stream in list(self._streams):
            stream.leave()
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._is_closing and not self._streams and self._outlet.is_empty:
            self._keep_accounts()
            self._loop.stop(0)

    def _counted(self) -> None:
        """Have the accounts written soon, if that is not due already."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_at(max(self._next, monotonic() + LINES_FIRST), self._keep_accounts)

    def _keep_accounts(self) -> None:
        """Write them if they have changed."""
        self._is_due = False
        self._next = monotonic() + ACCOUNTS_PAUSE
        if not self._place:
            return
        content = accounts.pack(self._accounts)
        if content == self._kept:
            return
        self._kept = content
        try:
            name = self._place + accounts.FILE
            descriptor = posix.open(name + b".new", files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT, 0o644)
            posix.write(descriptor, content)
            posix.close(descriptor)
            posix.rename(name + b".new", name)
        except OSError:
            self._place = None


def _descriptor(rights: list[tuple[int, int, bytes]]) -> int:
    """The one that came with a packet; ValueError if none did."""
    for level, kind, data in rights:
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            return int.from_bytes(data[:4], sys.byteorder)
    raise ValueError("a pipe is missing")


def _earlier(place: bytes | None) -> dict[bytes, accounts.Account]:
    """What a logging process before this one had counted."""
    try:
        return accounts.unpack(files.read(place + accounts.FILE)) if place else {}
    except (OSError, ValueError):
        return {}


def serve(control: "socket", place: bytes | None, is_first: bool) -> int:
    """The logging process, after the fork; returns its exit code. `control` is the socket to PID 1."""
    for number in (SIGHUP, SIGINT, SIGQUIT, SIGTSTP):  # a terminal's: they are for the foreground
        set_signal(number, SIG_IGN)
    posix.umask(0o022)
    posix.chdir(HOME)
    report.write = Console().write
    loop = Loop(PROG)
    Server(loop, control, place, is_first)
    return loop.run()
