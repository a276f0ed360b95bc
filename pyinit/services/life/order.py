"""Who may start now, and who may be stopped now, over the graph of what services say of each other. Pure.

An edge leads from a service to one that it waits for. A hard one (`needs`) holds at every start. A soft one (`after`,
and `before` the other way round) holds until a service has been started for the first time.
"""

from pyinit.formats.control import UP
from pyinit.services.life.moment import BLOCKED, CLOSED, DONE, FAILED, HELD, IDLE, LEFT, OPEN, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyinit.services.life.moment import State
    from pyinit.services.life.policy import Policy

UNKNOWN, DOWN = b"no such service", b"down"
"""Why a need may never come by itself."""


class Graph:
    """The edges of a set of services. `needs`, `follows`: of each service, the hard and the soft ones.

    `needed_by`, `followed_by`: the same edges from the other end; their names may be unknown.
    """

    __slots__ = ("followed_by", "follows", "needed_by", "needs")

    def __init__(self, policies: "Mapping[bytes, Policy]") -> None:
        edges: dict[bytes, set[bytes]] = {}
        self.needed_by: dict[bytes, set[bytes]] = {}
        self.followed_by: dict[bytes, set[bytes]] = {}
        self.needs = {name: policy.needs for name, policy in policies.items()}
        for name, policy in policies.items():
            for other in policy.needs:
                self.needed_by.setdefault(other, set()).add(name)
            edges.setdefault(name, set()).update(policy.after)
            for other in policy.before:
                edges.setdefault(other, set()).add(name)
        self.follows = {name: tuple(sorted(others)) for name, others in edges.items()}
        for name, others in self.follows.items():
            for other in others:
                self.followed_by.setdefault(other, set()).add(name)

    def waits_for(self, name: bytes) -> tuple[bytes, ...]:
        """All that a service waits for at its first start."""
        return (*self.needs.get(name, ()), *self.follows.get(name, ()))

    def dependents(self, name: bytes) -> set[bytes]:
        """All that wait for a service."""
        return self.needed_by.get(name, set()) | self.followed_by.get(name, set())

    def rings(self) -> list[tuple[bytes, ...]]:
        """The circles of services that wait for each other, each once, from its smallest name on."""
        found, finished = [], set[bytes]()
        for start in sorted(self.follows.keys() | self.needs):
            path: list[bytes] = []
            stack = [(start, iter(sorted(self.waits_for(start))))]
            while stack:
                name, others = stack[-1]
                if len(path) < len(stack):
                    path.append(name)
                other = next((each for each in others if each not in finished), None)
                if other is None:
                    finished.add(name)
                    stack.pop()
                    path.pop()
                elif other in path:
                    ring = path[path.index(other) :]
                    least = ring.index(min(ring))
                    found.append(tuple(ring[least:] + ring[:least]))
                else:
                    stack.append((other, iter(sorted(self.waits_for(other)))))
        return list(dict.fromkeys(found))


def gate(graph: Graph, name: bytes, states: "Mapping[bytes, State]") -> int:
    """Whether the service may start now. `states`: of all services that are known."""
    is_held = False
    for other in graph.needs.get(name, ()):
        state = states.get(other)
        if state and state.phase in (FAILED, BLOCKED):
            return CLOSED
        is_held = is_held or not (state and state.phase in (RUNNING, DONE))
    if not is_held and states[name].last_start < 0:
        is_held = any(not _is_over(states.get(other)) for other in graph.follows.get(name, ()))
    return HELD if is_held else OPEN


def _is_over(state: "State | None") -> bool:
    """Whether a soft edge to this service lets the other one start."""
    if state is None or state.phase in (RUNNING, DONE, FAILED, BLOCKED, LEFT):
        return True
    return state.phase == IDLE and state.want != UP


def hopeless(graph: Graph, name: bytes, states: "Mapping[bytes, State]") -> "list[tuple[bytes, bytes]]":
    """(need, why) of the needs that nothing but a person brings up."""
    found = []
    for other in graph.needs.get(name, ()):
        state = states.get(other)
        if state is None or state.phase == LEFT:
            found.append((other, UNKNOWN))
        elif state.phase == IDLE and state.want != UP:
            found.append((other, DOWN))
    return found


def is_free(graph: Graph, name: bytes, alive: "frozenset[bytes] | set[bytes]") -> bool:
    """Whether a service may be stopped: nothing that waits for it is among those that are still there."""
    return graph.dependents(name).isdisjoint(alive)
