"""Going down: asks, waits and kills as `services/life/shutdown.py` decides, and says who was killed.

It follows the changes of the services, and looks at what is left once a turn in which something changed. So each wait
ends in the turn in which the last thing waited for is gone, and a stop costs each service the same.

Loaded when a stop begins: a command that ends by itself never needs it.
"""

from _signal import SIGCONT, SIGKILL, SIGTERM

from pyinit import report
from pyinit.services.life.shutdown import Alive, decide
from pyinit.system.processes import children, command_name, group, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from collections.abc import Set as AbstractSet

    from pyinit.init.command import Command
    from pyinit.init.parts import Logger, Services
    from pyinit.services.pair import Pair
    from pyinit.system.loop import Loop

HURRY = 1.0
"""Seconds that a second stopping signal leaves of the deadline."""


UNORDERED = 2.0
"""Seconds before the deadline at which nobody waits for an order any more. Without so many there is none."""


class Ending:
    """The end of everything that process 1 runs. `over` is called when nothing is left."""

    def __init__(
        self,
        loop: "Loop",
        services: "Services",
        logger: "Logger | None",
        command: "Command | None",
        over: "Callable[[], None]",
    ) -> None:
        self.name = loop.prog
        self._loop = loop
        self._services = services
        self._logger = logger
        self._command = command
        self._over = over
        self._running: dict[Pair, int] = {}
        """The pid of each service that still runs."""
        self._logging: dict[Pair, int] = {}
        """The pid of each logger that a service brought, while it runs."""
        self._finishing: dict[Pair, None] = {}
        """Services of which something has ended, and is not finished."""
        self._undrained: dict[Pair, None] = {}
        self._orphans: set[int] = set()
        self._asked: set[int] = set()
        self._killed: set[int] = set()
        self._groups: dict[int, bytes] = {}
        self._began = self._deadline = loop.kernel.monotonic()
        self._wake = 0.0
        self._is_to_look = False

    def begin(self, stop_timeout: float) -> None:
        """Ask the command and the services to end; after `stop_timeout` seconds they are killed."""
        self._deadline = self._began + stop_timeout
        if self._command:
            self._command.signal(SIGTERM)
            self._command.signal(SIGCONT)
        self._services.stop(self._deadline, self._deadline - UNORDERED)
        for pair in self._services.everything():
            self._pair_changed(pair)
            if pair.service and pair.service.pid:
                self._groups[pair.service.pid] = pair.name
        self._services.subscribe(self._pair_changed)
        self._loop.on_orphan.append(self._orphan_reaped)
        if self._logger:
            self._logger.subscribe(self.look_soon)
            self._logger.finish_by(self._deadline)
        self._send(self._loggers(), SIGCONT)
        self.look_soon()

    def hurry(self) -> None:
        """Leave no more than a second of what is left of the deadline."""
        self._deadline = min(self._deadline, self._loop.kernel.monotonic() + HURRY)
        self._services.finish_by(self._deadline)
        if self._logger:
            self._logger.finish_by(self._deadline)
        self.look_soon()

    def look_soon(self) -> None:
        """Look at what is left, once, in this turn."""
        if not self._is_to_look:
            self._is_to_look = True
            self._loop.call_at(self._began, self._look)

    def _pair_changed(self, pair: "Pair") -> None:
        if pair in self._finishing:
            del self._finishing[pair]
            self._orphans.clear()  # its `finish` may be one of them, whose end is not told here
        for table, supervisor in ((self._running, pair.service), (self._logging, pair.log)):
            if supervisor and supervisor.state.is_finishing:
                self._finishing[pair] = None
            if supervisor and supervisor.pid:
                table[pair] = supervisor.pid
            else:
                table.pop(pair, None)
        if pair.is_gone:
            self._undrained.pop(pair, None)
        else:
            self._undrained[pair] = None
        self.look_soon()

    def _orphan_reaped(self, pid: int, outcome: int) -> None:
        self._orphans.discard(pid)
        self.look_soon()

    def _look(self) -> None:
        """Look at what is left and do what that calls for."""
        self._is_to_look = False
        now = self._loop.kernel.monotonic()
        alive = self._alive(now)
        if not (alive.services or alive.finishing) and self._logger:
            self._logger.finish()
        orders = decide(alive, self._asked, self._deadline, now)
        if orders.is_over:
            self._over()
            return
        self._asked |= orders.ask
        self._send(orders.ask, SIGTERM, SIGCONT)
        self._kill(orders.kill - self._killed, now)
        if orders.wake is not None and orders.wake != self._wake:
            self._wake = orders.wake
            self._loop.call_at(orders.wake, self.look_soon)

    def _alive(self, now: float) -> Alive:
        """What still runs. Orphans are looked for when no service keeps us, and none of those known is left."""
        services: Collection[int] = self._running.values()
        if self._command and self._command.pid:
            services = [*services, self._command.pid]
        is_busy = bool(services or self._finishing)
        if (not is_busy or now >= self._deadline) and (not self._orphans or now >= self._wake):
            self._orphans = _children() - {*services, *self._loggers(), self._services.worker}
        return Alive(services, self._loggers(), self._orphans, len(self._undrained), len(self._finishing))

    def _loggers(self) -> "list[int]":
        own = [self._logger.pid] if self._logger and self._logger.pid else []
        return [*self._logging.values(), *own]

    def _kill(self, pids: "AbstractSet[int]", now: float) -> None:
        """Kill each, and say who it was."""
        names = self._names() if pids else {}
        for pid in sorted(pids):
            waited = b" after %.1f seconds: it did not end on TERM" % (now - self._began)
            report.warn(self.name, b"killed %b (pid %d)%b" % (names.get(pid) or self._origin(pid), pid, waited))
        self._killed |= pids
        self._send(pids, SIGKILL)

    def _names(self) -> dict[int, bytes]:
        """What to call each process that is ours."""
        names = {pid: pair.name for pair, pid in self._running.items()}
        names.update((pid, pair.name + b"/log") for pair, pid in self._logging.items())
        if self._command:
            names[self._command.pid] = self._command.name
        if self._logger:
            names[self._logger.pid] = b"the log collector"
        return names

    def _origin(self, pid: int) -> bytes:
        """What to call an orphan: its program, and the service that it came from, if that can be told."""
        origin = variable(pid, b"SERVICE_NAME") or self._groups.get(group(pid), b"")
        return b"process " + command_name(pid) + (b" of service " + origin if origin else b"")

    def _send(self, pids: "Iterable[int]", *numbers: int) -> None:
        """Send signals to each process, as long as it is there to get them."""
        for pid in pids:
            for number in numbers:
                try:
                    self._loop.kernel.kill(pid, number)
                except OSError:
                    break


def _children() -> set[int]:
    """The pids of our children; none where /proc does not tell, since nobody can ask an unknown process."""
    try:
        return children()
    except OSError:
        return set()
