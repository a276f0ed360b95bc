"""Going down: asks, waits, kills as `shutdown.py` decides, and tells whom.

After every turn of the loop it looks at what is left: each wait ends in the turn in which the last thing waited for is
gone.

Loaded once the services run, or when a stop begins: a container of one command that ends by itself never needs it.
"""

import posix
from _signal import SIGCONT, SIGKILL, SIGTERM
from time import monotonic

from pyinit import report
from pyinit.services.life.shutdown import Alive, decide
from pyinit.system.processes import children, command_name, group, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.init.command import Command
    from pyinit.init.init import Logger, NoServices
    from pyinit.services.scanner import Scanner
    from pyinit.system.loop import Loop

HURRY = 1.0
"""Seconds that a second stopping signal leaves of the deadline."""


class Ending:
    """The end of everything that the process on top runs. `over` is called when nothing is left."""

    def __init__(
        self,
        loop: "Loop",
        scanner: "Scanner | NoServices",
        logger: "Logger | None",
        command: "Command | None",
        over: "Callable[[], None]",
    ) -> None:
        self.name = loop.prog
        self._loop = loop
        self._scanner = scanner
        self._logger = logger
        self._command = command
        self._over = over
        self._asked: set[int] = set()
        self._killed: set[int] = set()
        self._groups = {pair.service.pid: pair.name for pair in scanner.everything() if pair.service}
        self._began = monotonic()
        self._deadline = self._began
        self._wake = 0.0

    def begin(self, patience: float) -> None:
        """Ask the command and the services to end; in `patience` seconds they are killed."""
        self._deadline = self._began + patience
        self._loop.after_turn = self._advance
        if self._command:
            self._command.signal(SIGTERM)
            self._command.signal(SIGCONT)
        for pid in self._loggers():
            send(pid, SIGCONT)
        self._scanner.stop()

    def hurry(self) -> None:
        """Leave no more than a second of what is left of the deadline."""
        self._deadline = min(self._deadline, monotonic() + HURRY)

    def _advance(self) -> None:
        """Look at what is left and do what that calls for."""
        now = monotonic()
        alive = self._look(now)
        if not alive.services and self._logger:
            self._logger.finish()
        orders = decide(alive, self._asked, self._deadline, now)
        if orders.is_over:
            self._over()
            return
        self._asked |= orders.ask
        for pid in orders.ask:
            send(pid, SIGTERM, SIGCONT)
        self._kill(set(orders.kill), now)
        if orders.wake is not None and orders.wake != self._wake:
            self._wake = orders.wake
            self._loop.at(orders.wake, nothing)

    def _look(self, now: float) -> Alive:
        pairs = list(self._scanner.everything())
        services = {pair.service.pid for pair in pairs if pair.service}
        loggers = self._loggers()
        services.add(self._command.pid if self._command else 0)
        services.discard(0)
        undrained = sum(not pair.gone for pair in pairs)
        if services and now < self._deadline:
            return Alive(services, loggers, frozenset(), undrained)
        try:
            return Alive(services, loggers, children() - services - loggers, undrained)
        except OSError:  # no /proc: what is not known can't be asked
            return Alive(services, loggers, frozenset(), undrained)

    def _loggers(self) -> set[int]:
        pids = {pair.log.pid for pair in self._scanner.everything() if pair.log}
        return (pids | {self._logger.pid if self._logger else 0}) - {0}

    def _kill(self, pids: set[int], now: float) -> None:
        """Kill each, and say once whom."""
        for pid in sorted(pids - self._killed):
            waited = b" after %.1f seconds: it did not end on TERM" % (now - self._began)
            report.warn(self.name, b"killed %b (pid %d)%b" % (self._name_of(pid), pid, waited))
        self._killed |= pids
        for pid in pids:
            send(pid, SIGKILL)

    def _name_of(self, pid: int) -> bytes:
        if self._command and self._command.pid == pid:
            return self._command.name
        for pair in self._scanner.everything():
            if pair.service and pair.service.pid == pid:
                return pair.name
            if pair.log and pair.log.pid == pid:
                return pair.name + b"/log"
        if self._logger and self._logger.pid == pid:
            return b"the logging process"
        origin = variable(pid, b"SERVICE_NAME") or self._groups.get(group(pid), b"")
        return b"process " + command_name(pid) + (b" of service " + origin if origin else b"")


def send(pid: int, *numbers: int) -> None:
    """Send signals, as long as there is anybody to get them."""
    for number in numbers:
        try:
            posix.kill(pid, number)
        except OSError:
            return


def nothing() -> None:
    """What a deadline calls that only has to wake the loop."""
