"""The logging process: many pipes, each through its scripts, in one loop. PID 1's side of it is `plane.py`.

A pipe is read a block at a time, and the block goes through every script of its service at once. While any of them
holds unwritten lines (a full disk, a processor at work), or standard output is full, that pipe alone is not read:
memory is bounded by a block a service, and what the service writes waits in the pipe, then in the service.

At the end of a pipe its scripts finish, directories are on disk, and PID 1 is told. When PID 1 has closed the socket
and every pipe has ended, the process ends. TERM ends it sooner, as it ends multilog: at the next line's end of each
pipe; what is still in the pipes is for the successor.
"""

import posix
import sys
from _signal import SIG_IGN, SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP
from _signal import signal as set_signal
from _socket import SCM_RIGHTS, SOL_SOCKET
from time import monotonic, time_ns

from pyinit import report
from pyinit.logs import script
from pyinit.logs.multilog import PAUSE, CannotOpen, Multilog
from pyinit.logs.outlet import Outlet
from pyinit.logs.plane import PACKET, PROG, ROTATE, unpack
from pyinit.system import files
from pyinit.system.console import Console
from pyinit.system.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from pyinit.logs.multilog import Trouble
    from pyinit.system.loop import Deadline

BLOCK = 65536
"""What a pipe holds, bytes; and so the most that a read brings."""


class Stream:
    """One pipe through its scripts. `on_end` is called with `True` when it was read to its end, all of it written."""

    def __init__(
        self,
        loop: Loop,
        name: bytes,
        pipe: int,
        scripts: list[list[bytes]],
        outlet: Outlet,
        on_end: "Callable[[Stream, bool], None]",
    ) -> None:
        self.name = name
        self._loop = loop
        self._pipe = pipe
        self._outlet = outlet
        self._on_end = on_end
        self._parsed = [script.parse(actions) for actions in scripts]
        self._uses_outlet = any(isinstance(action, script.Stdout) for parsed in self._parsed for action in parsed)
        self._logs = [Multilog(parsed, time_ns, outlet.write, report.write, self._warn) for parsed in self._parsed]
        self._unopened = list(self._logs)
        self._said = b""
        self._timer: Deadline | None = None
        self._is_reading = self._is_leaving = self._has_ended = False
        self._is_open = True

    def open(self) -> None:
        """Open what the scripts name; until that succeeds, tried again by deadline, nothing is read."""
        try:
            while self._unopened:
                self._make_parents()
                self._unopened[0].open()
                del self._unopened[0]
        except CannotOpen as trouble:
            self._not_open(self._unopened[0], trouble)
        self.settle()

    def _make_parents(self) -> None:
        for parsed in self._parsed:
            for action in parsed:
                if isinstance(action, script.Directory):
                    files.make_directories(action.name.rpartition(b"/")[0])

    def _not_open(self, log: Multilog, trouble: CannotOpen) -> None:
        log.close()
        if log not in self._unopened:
            self._unopened.append(log)
        text = b"%b: %b" % (self.name, trouble.message)
        if text != self._said:
            report.warn(PROG, text + b", pausing", trouble.error)
            self._said = text

    def _warn(self, trouble: "Trouble") -> None:
        report.warn(PROG, trouble.message, trouble.error)

    def settle(self) -> None:
        """What the present calls for: wait for a deadline, a processor or room; go on reading; or end."""
        if not self._is_open:
            return
        for log in self._logs:
            for pid in log.processors:
                self._loop.on_death(pid, lambda status, pid=pid: self._reaped(pid, status))  # type: ignore[misc]
        is_troubled = bool(self._unopened) or any(log.has_trouble for log in self._logs)
        if is_troubled and not self._timer:
            self._timer = self._loop.at(monotonic() + PAUSE, self._retry)
        if is_troubled or any(log.is_pending for log in self._logs):
            self._read_on(False)
        elif self._has_ended:
            self._close()
        elif self._is_leaving and not any(log.is_inside for log in self._logs):
            self._finish()
        else:
            self._read_on(not (self._uses_outlet and self._outlet.is_full))

    def _read_on(self, wanted: bool) -> None:
        if wanted and not self._is_reading:
            self._loop.on_readable(self._pipe, self._read)
        elif not wanted and self._is_reading:
            self._loop.forget(self._pipe)
        self._is_reading = wanted

    def _read(self) -> None:
        block = posix.read(self._pipe, 1 if self._is_leaving else BLOCK)
        if not block:
            self._is_leaving = False
            self._finish()
            return
        now = time_ns()
        for log in self._logs:
            log.feed(block, now)
        self.settle()

    def _finish(self) -> None:
        self._has_ended = True
        for log in self._logs:
            log.finish()
        self.settle()

    def _retry(self) -> None:
        self._timer = None
        for log in self._logs:
            if log in self._unopened:
                continue
            try:
                log.retry()
            except CannotOpen as trouble:
                self._not_open(log, trouble)
        if self._unopened:
            self.open()
        else:
            self._said = b""
            self.settle()

    def _reaped(self, pid: int, status: int) -> None:
        for log in self._logs:
            log.reaped(pid, status)
        self.settle()

    def rotate(self) -> None:
        """Begin a new file in every directory."""
        for log in self._logs:
            if log not in self._unopened:
                log.rotate()
        self.settle()

    def leave(self) -> None:
        """End at the next line's end, leaving the rest in the pipe."""
        self._is_leaving = True
        if self._unopened:
            self._close()
        else:
            self.settle()

    def _close(self) -> None:
        self._read_on(False)
        self._is_open = False
        if self._timer:
            self._timer.cancel()
        for log in self._logs:
            log.close()
        posix.close(self._pipe)
        self._on_end(self, not self._is_leaving)


class Server:
    """All streams of the process, and the socket to PID 1."""

    def __init__(self, loop: Loop, control: "socket") -> None:
        self.name = PROG
        self._loop = loop
        self._control = control
        self._outlet = Outlet(loop, 1)
        self._outlet.on_room = self._resume
        self._streams: dict[Stream, int] = {}
        self._is_closing = False
        loop.after_turn = self._leave_when_done
        loop.on_readable(control.fileno(), self._receive)
        loop.on_signal(SIGTERM, self._leave)
        loop.on_signal(SIGALRM, self._rotate)

    def _receive(self) -> None:
        packet, rights, _, _ = self._control.recvmsg(PACKET, 64)
        if not packet:
            self._loop.forget(self._control.fileno())
            self._is_closing = True
        elif packet == ROTATE:
            self._rotate()
        else:
            pipe = next(
                int.from_bytes(data[:4], sys.byteorder) for level, kind, data in rights if _is_right(level, kind)
            )
            number, name, scripts = unpack(packet)
            stream = Stream(self._loop, name, pipe, scripts, self._outlet, self._ended)
            self._streams[stream] = number
            stream.open()

    def _ended(self, stream: Stream, is_drained: bool) -> None:
        number = self._streams.pop(stream)
        if is_drained:
            self._control.send(b"%d" % number)

    def _resume(self) -> None:
        for stream in list(self._streams):
            stream.settle()

    def _rotate(self) -> None:
        for stream in list(self._streams):
            stream.rotate()

    def _leave(self) -> None:
        self._is_closing = True
        for stream in list(self._streams):
            stream.leave()

    def _leave_when_done(self) -> None:
        if self._is_closing and not self._streams and self._outlet.is_empty:
            self._loop.stop(0)


def _is_right(level: int, kind: int) -> bool:
    return (level, kind) == (SOL_SOCKET, SCM_RIGHTS)


def serve(control: "socket") -> int:
    """The logging process, after the fork; returns its exit code. `control` is the socket to PID 1."""
    for number in (SIGHUP, SIGINT, SIGQUIT, SIGTSTP):  # a terminal's: they are for the foreground
        set_signal(number, SIG_IGN)
    posix.umask(0o022)
    report.write = Console().write
    loop = Loop(PROG)
    Server(loop, control)
    return loop.run()
