"""A service and its logger, joined by a pipe.

Both ends of the pipe stay open here, so that either side may die and be started again and nothing in it is lost. To
say goodbye the write end is closed once the service is gone: its logger then reads to the end and leaves by itself. A
logger that dies before the end is started again, even while the rest is going down.
"""

import posix
import select

from pyinit.services.context import Host
from pyinit.services.statedir import has_log, has_logger
from pyinit.services.supervisor import Supervisor
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.descriptors import Descriptors, Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Sink(Protocol):
        """What logs the services that bring no log/run."""

        def attach(self, name: bytes, parent: int, pipe: Descriptors, drained: Callable[[], None]) -> None:
            """Read the pipe, which stays the caller's, until its end is written; then call `drained`, once.

            `parent`, the directory that the service is in, may be looked at before this returns.
            """


RESERVE = 16
"""Descriptors that no new service may take: those that are up need some to be started again, and to be told of."""


class Wiring:
    """How pairs are made. `sink` is None where only a `log` directory makes a pair, as in daemontools.

    `captured`: the descriptors of run that go into the pipe. `stdin`: a descriptor for run's input, -1 to inherit.
    `log_name`: what messages call the log directory of a service.
    """

    __slots__ = ("captured", "log_name", "sink", "stdin")

    def __init__(
        self, sink: "Sink | None", captured: tuple[int, ...], stdin: int, log_name: "Callable[[bytes], bytes]"
    ) -> None:
        self.sink = sink
        self.captured = captured
        self.stdin = stdin
        self.log_name = log_name

    @classmethod
    def of_daemontools(cls) -> "Wiring":
        """As svscan does it: standard output into `log`, if there is one."""
        return cls(None, (1,), -1, lambda name: b"log")


class Pair:
    """One service, listed or not, with all that belongs to it. `listed`: whether the last scan saw it.

    `on_change` is called when something of it has left.
    """

    __slots__ = (
        "_host",
        "_inlet",
        "_outlet",
        "_retiring",
        "_sink",
        "_wiring",
        "listed",
        "log",
        "logged",
        "name",
        "on_change",
        "service",
    )

    def __init__(self, host: Host, wiring: Wiring, name: bytes, on_change: "Callable[[Pair], None]") -> None:
        self.name = name
        self.on_change = on_change
        self.listed = True
        self.service: Supervisor | None = None
        self.log: Supervisor | None = None
        self.logged = False
        self._host = host
        self._wiring = wiring
        self._sink: Sink | None = None
        self._outlet, self._inlet = Descriptors(), Descriptors()
        """The read end of the pipe, and its write end."""
        self._retiring = False

    def make_pipe(self, parent: int) -> None:
        """Decide, once, who logs the service. Raises OSError when that can't be told or no pipe be had."""
        sink = self._wiring.sink
        self.logged = has_log(self.name, parent) if sink is None else has_logger(self.name, parent)
        if not self.logged and sink is None:
            return
        self._outlet, self._inlet = map(Descriptors, _pipe())
        if sink and not self.logged:
            self._sink = sink
            sink.attach(self.name, parent, self._outlet, self._drained)

    def start(self, parent: int, name: bytes) -> None:
        """Take up what is not supervised now: the service, and its `log`. `name`: what it is listed as.

        Raises CannotOpen; the one that can't be taken up does not keep the other from it.
        """
        if self.service is None or (self.logged and self.log is None):
            self.name = name  # which may be another one than it had when it was last opened
        try:
            if self.service is None:
                self.service = self._open(parent, self.name, self.name, self._service_streams())
                self.service.on_leave = self._service_left
                self.service.on_death = self._service_died
        finally:
            if self.logged and self.log is None:
                path = self.name + b"/log"
                self.log = self._open(parent, path, self._wiring.log_name(self.name), Streams(self._outlet, (0,)))
                self.log.on_leave = self._log_left
                self.log.on_death = self._log_died
            for end in self._outlet, self._inlet:
                end.store(self._host.storage)

    def _open(self, parent: int, path: bytes, name: bytes, streams: Streams) -> Supervisor:
        try:
            directory = files.open_directory(path, parent)
        except OSError as error:
            raise CannotOpen(b"unable to chdir to " + name, error) from None
        supervisor = Supervisor(self._host, name, directory, streams)
        supervisor.open()
        return supervisor

    def _service_streams(self) -> Streams:
        stdin = self._wiring.stdin
        return Streams(self._inlet, self._wiring.captured, [(stdin, 0)] if stdin >= 0 else [])

    @property
    def is_as_wanted(self) -> bool:
        """Whether what should be up is: the service, and a logger of its own."""
        for supervisor, is_expected in ((self.service, True), (self.log, self.logged)):
            if is_expected and (supervisor is None or (supervisor.wanted_up and not supervisor.pid)):
                return False
        return True

    def retire(self) -> None:
        """Bring both down for good: the service now, its logger when it has read everything. TERM, then CONT."""
        self._retiring = True
        if self.service:
            self.service.command(b"dx")
        else:
            self._hang_up()

    @property
    def gone(self) -> bool:
        """Whether nothing of it is left: no service, no logger, nothing undrained in its pipe."""
        return self.service is None and self.log is None and not self._outlet

    def forget(self) -> None:
        """Close the pipe of a pair that has neither process; what a sink has still to read stays until it has."""
        self._hang_up()

    def _service_died(self) -> None:
        if not self.listed:
            self.on_change(self)

    def _service_left(self) -> None:
        self.service = None
        if self._retiring:
            self._hang_up()
        self.on_change(self)

    def _hang_up(self) -> None:
        """Close the write end; the logger, if it runs, now comes to the end of its input."""
        if not self._inlet:
            return
        self._inlet.close()
        if self.log is None:
            if self._sink is None:
                self._drained()
        elif self.log.pid == 0 and (not self.log.wanted_up or self._is_at_end()):
            self.log.command(b"dx")

    def _log_died(self) -> None:
        """After the end of its input a logger is not started again."""
        if self.log and not self._inlet and self._is_at_end():
            self.log.command(b"x")

    def _log_left(self) -> None:
        self.log = None
        if not self._inlet:
            self._drained()
        self.on_change(self)

    def _is_at_end(self) -> bool:
        """Whether the pipe is empty and has no writer any more."""
        poller = select.poll()
        with self._outlet as (outlet,):
            poller.register(outlet, select.POLLIN)
            return [events for _, events in poller.poll(0)] == [select.POLLHUP]

    def take_out(self) -> None:
        """Have everything at hand that was put away. Raises OSError where there is no room."""
        for supervisor in self.service, self.log:
            if supervisor:
                supervisor.take_out()
        self._outlet.take_out()
        self._inlet.take_out()

    def _drained(self) -> None:
        self._outlet.close()
        self.on_change(self)


def _pipe() -> tuple[int, int]:
    """A new pipe, if RESERVE more descriptors could be opened after it: the lowest free numbers are given out."""
    ends = posix.pipe2(posix.O_CLOEXEC)
    if 0 < posix.sysconf("SC_OPEN_MAX") <= ends[1] + RESERVE:
        from errno import EMFILE

        files.close_all(*ends)
        raise OSError(EMFILE, "")
    return ends
