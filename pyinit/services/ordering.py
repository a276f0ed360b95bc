"""Lets services start, and stop, in the order that their directories ask for. `life/order.py` decides.

Loaded with the first service that says `needs`, `after` or `before`. It follows the changes of all services. One change
may let others start, whose change lets others start: they wait in a queue, so that a long chain is no deep recursion.
"""

from pyinit import report
from pyinit.services.life.events import Allowed, Refused
from pyinit.services.life.moment import FAILED, HELD, OPEN
from pyinit.services.life.order import Graph, gate, hopeless, is_free

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.services.life.moment import State
    from pyinit.services.life.policy import Policy
    from pyinit.services.pair import Pair
    from pyinit.system.loop import Loop

PROG = b"pyinit"


class Ordering:
    """The order of the services of one Scanner. `name`: whose warnings of the guard are."""

    def __init__(self, loop: "Loop") -> None:
        self.name = PROG
        self._loop = loop
        self._pairs: dict[bytes, Pair] = {}
        self._states: dict[bytes, State] = {}
        self._policies: dict[bytes, Policy] = {}
        self._targets: set[bytes] = set()
        self._graph = Graph({})
        self._queue: list[bytes] = []
        self._is_busy = False
        self._said: set[tuple[bytes, bytes, bytes]] = set()
        self._to_stop: set[bytes] | None = None
        """The services that have not been told to stop yet, once the end has begun."""
        self._alive: set[bytes] = set()
        """Then: the services that are still there."""

    def expect(self, name: bytes, policy: "Policy") -> int:
        """The gate of a service that is about to be opened. It is settled at the end of the scan."""
        self._policies[name] = policy
        self._targets.update(policy.before)
        return HELD if policy.needs or policy.after or name in self._targets else OPEN

    def settle(self, pairs: "Iterable[Pair]") -> None:
        """These are the services now: refuse circles, and let everybody know how it stands."""
        self._pairs = {pair.name: pair for pair in pairs}
        for name in [name for name in self._policies if name not in self._pairs]:
            del self._policies[name]
        self._said = {said for said in self._said if said[0] in self._pairs}
        self._graph = Graph(self._policies)
        self._states = {}
        for name, pair in self._pairs.items():
            self._look(name, pair)
        self._is_busy = True  # nobody may start because a member of its circle is refused
        for ring in self._graph.rings():
            self._refuse(ring)
        self._is_busy = False
        self._queue += self._policies
        self._work(self._tell)

    def _look(self, name: bytes, pair: "Pair") -> None:
        """Remember how a service is."""
        if pair.service:
            self._states[name] = pair.service.state
        else:
            self._states.pop(name, None)

    def _refuse(self, ring: tuple[bytes, ...]) -> None:
        """Refuse those in a circle that do not run: none of them could ever start."""
        text = " → ".encode().join((*ring, ring[0]))
        self._say(ring[0], b"in a circle", b"warning: services wait for each other: " + text)
        for name in ring:
            service = self._pairs[name].service if name in self._pairs else None
            if service and not service.pid and service.state.phase != FAILED:
                service.handle(Refused(b"waits for itself: " + text, service.state.policy))
                self._states[name] = service.state

    def changed(self, pair: "Pair") -> None:
        """Something of a service has changed: who waits for it may start now, or is blocked."""
        self._look(pair.name, pair)
        if self._to_stop is None:
            self._queue += self._graph.dependents(pair.name)
            self._work(self._tell)
        elif not pair.service and pair.name in self._alive:
            self._alive.discard(pair.name)
            self._queue += self._graph.waits_for(pair.name)
            self._work(self._release)

    def _work(self, what: "Callable[[bytes, Pair], None]") -> None:
        """Do it for each service in the queue. What follows from that comes into the same queue."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._queue:
                name = self._queue.pop()
                if name in self._pairs:
                    self._loop.guard(what, name, self._pairs[name], owner=name)
        finally:
            self._is_busy = False

    def _tell(self, name: bytes, pair: "Pair") -> None:
        service = pair.service
        self._look(name, pair)
        if not service:
            return
        now = gate(self._graph, name, self._states)
        if now != service.state.gate:
            service.handle(Allowed(now))
            self._look(name, pair)
        if now == HELD:
            for need, why in hopeless(self._graph, name, self._states):
                self._say(name, need, b"warning: %b waits for %b: %b" % (name, need, why))

    def hopeless(self, name: bytes) -> list[tuple[bytes, bytes]]:
        """(need, why) of the needs of a service that nothing but a person brings up."""
        return hopeless(self._graph, name, self._states)

    def _say(self, name: bytes, about: bytes, text: bytes) -> None:
        """Say a trouble once."""
        if (name, about, text) not in self._said:
            self._said.add((name, about, text))
            report.say(PROG, text)

    def stop(self, pairs: "Iterable[Pair]") -> None:
        """Retire every service, each when nothing that waits for it is left."""
        self._pairs = {pair.name: pair for pair in pairs}
        self._to_stop = set(self._pairs)
        self._alive = {name for name, pair in self._pairs.items() if pair.service}
        self._queue = list(self._pairs)
        self._work(self._release)

    def stop_all(self) -> None:
        """The time for an order is over: retire all that are left."""
        self._alive.clear()
        self._queue += self._to_stop or ()
        self._work(self._release)

    def _release(self, name: bytes, pair: "Pair") -> None:
        """Retire a service, if nothing that waits for it is there."""
        if self._to_stop and name in self._to_stop and is_free(self._graph, name, self._alive):
            self._to_stop.discard(name)
            pair.retire()
