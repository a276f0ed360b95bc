"""The process on top: signals, orphans, going down in order, the exit code.

It runs a Scanner, as PID 1 of a container or anywhere else as a subreaper. TERM, INT and QUIT bring everything down,
HUP scans again. While it goes down, `_advance` looks at what is left after every turn of the loop: each wait ends in
the turn in which the last thing waited for is gone.
"""

import posix
from _signal import SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM
from time import monotonic

from pyinit import report
from pyinit.services.shutdown import Alive, decide
from pyinit.system.children import children, command_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from pyinit.services.scanner import Scanner
    from pyinit.system.loop import Loop

    class Logger(Protocol):
        """A process of this program's own that logs, and ends by itself once its pipes have."""

        @property
        def pid(self) -> int:
            """Its pid, 0 when it does not run."""

        def finish(self) -> None:
            """Let it end when the pipes it has are drained."""


class Init:
    """`prog` is the name in messages; `patience` the seconds from the stop to the kill."""

    def __init__(
        self, prog: bytes, loop: "Loop", scanner: "Scanner", patience: float, logger: "Logger | None" = None
    ) -> None:
        self.name = prog
        self._loop = loop
        self._scanner = scanner
        self._patience = patience
        self._logger = logger
        self._asked: set[int] = set()
        self._killed: set[int] = set()
        self._began = 0.0
        self._wake = 0.0

    def run(self) -> int:
        """Take signals, turn until everything is down; the exit code."""
        for number in (SIGTERM, SIGINT, SIGQUIT):
            self._loop.on_signal(number, self.stop)
        self._loop.on_signal(SIGHUP, self._scanner.scan)
        return self._loop.run()

    def stop(self) -> None:
        """Begin to go down; a second call changes nothing."""
        if self._began:
            return
        self._began = monotonic()
        self._loop.after_turn = self._advance
        self._scanner.stop()

    def _advance(self) -> None:
        """Look at what is left and do what that calls for."""
        now = monotonic()
        alive = self._look()
        if not alive.services and self._logger:
            self._logger.finish()
        orders = decide(alive, self._asked, self._began + self._patience, now)
        if orders.is_over:
            self._loop.stop(0)
            return
        self._asked |= orders.ask
        for pid in orders.ask:
            _signal(pid, SIGTERM, SIGCONT)
        self._kill(set(orders.kill), now)
        if orders.wake is not None and orders.wake != self._wake:
            self._wake = orders.wake
            self._loop.at(orders.wake, _nothing)

    def _look(self) -> Alive:
        pairs = list(self._scanner.everything())
        services = {pair.service.pid for pair in pairs if pair.service} - {0}
        loggers = {pair.log.pid for pair in pairs if pair.log} - {0}
        if self._logger:
            loggers |= {self._logger.pid} - {0}
        undrained = sum(not pair.gone for pair in pairs)
        if services and monotonic() < self._began + self._patience:
            return Alive(services, loggers, frozenset(), undrained)
        try:
            return Alive(services, loggers, children() - services - loggers, undrained)
        except OSError:  # no /proc: what is not known can't be asked
            return Alive(services, loggers, frozenset(), undrained)

    def _kill(self, pids: set[int], now: float) -> None:
        """Kill each, and say once whom."""
        for pid in sorted(pids - self._killed):
            waited = b" after %.1f seconds: it did not end on TERM" % (now - self._began)
            report.warn(self.name, b"killed %b (pid %d)%b" % (self._name_of(pid), pid, waited))
        self._killed |= pids
        for pid in pids:
            _signal(pid, SIGKILL)

    def _name_of(self, pid: int) -> bytes:
        for pair in self._scanner.everything():
            if pair.service and pair.service.pid == pid:
                return pair.name
            if pair.log and pair.log.pid == pid:
                return pair.name + b"/log"
        return b"process " + command_name(pid)


def _signal(pid: int, *numbers: int) -> None:
    for number in numbers:
        try:
            posix.kill(pid, number)
        except OSError:
            return


def _nothing() -> None:
    """What a deadline calls that only has to wake the loop."""
