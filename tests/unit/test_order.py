"""Who waits for whom: every graph of needs of four services, against random deaths, and what is said of it."""

from itertools import combinations, permutations
from random import Random
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import World

from pyinit.formats.control import DOWN as WANT_DOWN
from pyinit.formats.control import UP
from pyinit.services.life.events import Commanded, Exited, Opened, Ready, Start, Started
from pyinit.services.life.moment import (
    BLOCKED,
    CLOSED,
    DONE,
    FAILED,
    HELD,
    OPEN,
    RUNNING,
    STARTING,
    STOPPING,
    WAITING,
    State,
)
from pyinit.services.life.order import DOWN, UNKNOWN, Graph, gate, hopeless, is_free
from pyinit.services.life.policy import NEVER, Policy
from pyinit.services.life.readiness import FD, Readiness
from pyinit.services.life.state import step
from pyinit.services.ordering import Ordering

if TYPE_CHECKING:
    from pyinit.services.life.events import Event
    from pyinit.services.pair import Pair

Edges = dict[str, str]


def names(text: str) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in text.split())


def policy(needs: str = "", after: str = "", before: str = "", restart: bytes = b"always") -> Policy:
    made = Policy()
    made.needs, made.after, made.before, made.restart = names(needs), names(after), names(before), restart
    return made


def at(phase: bytes, want: int = UP, last_start: float = float("-inf")) -> State:
    state = State(want, 0)
    state.phase, state.last_start = phase, last_start
    return state


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(RUNNING, OPEN), (DONE, OPEN), (STARTING, HELD), (WAITING, HELD), (FAILED, CLOSED), (BLOCKED, CLOSED)],
)
def test_a_need_opens_holds_or_closes(phase: bytes, expected: int) -> None:
    graph = Graph({b"web": policy("db")})
    assert gate(graph, b"web", {b"web": at(WAITING), b"db": at(phase)}) == expected
    assert gate(graph, b"web", {b"web": at(WAITING, last_start=5.0), b"db": at(phase)}) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (at(RUNNING), OPEN),
        (at(FAILED), OPEN),
        (at(DONE), OPEN),
        (at(b"down", WANT_DOWN), OPEN),
        (at(b"down", UP), HELD),
        (at(STARTING), HELD),
        (None, OPEN),
    ],
)
@pytest.mark.parametrize("policies", [{b"a": policy(after="b")}, {b"b": policy(before="a"), b"a": policy()}])
def test_an_order_holds_until_the_first_start(
    policies: dict[bytes, Policy], state: State | None, expected: int
) -> None:
    graph = Graph(policies)
    states = {b"a": at(WAITING), **({b"b": state} if state else {})}
    assert gate(graph, b"a", states) == expected
    assert gate(graph, b"a", {**states, b"a": at(WAITING, last_start=7.0)}) == OPEN


def test_what_only_a_person_brings_is_told() -> None:
    graph = Graph({b"web": policy("gone down up left")})
    states = {b"web": at(WAITING), b"down": at(b"down", WANT_DOWN), b"up": at(STARTING), b"left": at(b"left")}
    assert hopeless(graph, b"web", states) == [(b"gone", UNKNOWN), (b"down", DOWN), (b"left", UNKNOWN)]


def test_circles_are_found_whatever_they_are_made_of() -> None:
    policies = {b"a": policy("b"), b"b": policy(after="c"), b"a2": policy("a"), b"c": policy(), b"self": policy("self")}
    assert Graph(policies).rings() == [(b"self",)]
    policies[b"c"] = policy("a")
    assert Graph(policies).rings() == [(b"a", b"b", b"c"), (b"self",)]
    assert Graph({b"b": policy("x"), b"x": policy(before="b")}).rings() == []


def test_one_is_stopped_when_nothing_waits_for_it_any_more() -> None:
    graph = Graph({b"web": policy("db"), b"log": policy(after="db")})
    assert not is_free(graph, b"db", {b"db", b"log"})
    assert is_free(graph, b"db", {b"db"})
    assert is_free(graph, b"web", {b"db", b"web", b"log"})


class FakeService:
    """A service that starts when it is told to, and is ready when `be_ready` says so."""

    def __init__(self, pair: "FakePair", says: Policy) -> None:
        self.pair = pair
        self.state = State(UP, 0)
        self.says = says

    @property
    def pid(self) -> int:
        return self.state.pid

    def handle(self, event: "Event") -> None:
        world, before = self.pair.world, self.state
        self.state, actions = step(self.state, event, (world.now, int(world.now)))
        if any(isinstance(action, Start) for action in actions):
            world.check_start(self.pair.name)
            world.now += 1
            self.state, _ = step(self.state, Started(int(world.now), self.says), (world.now, int(world.now)))
        if self.state.phase != before.phase:
            world.ordering.changed(self.pair.as_pair)


class FakePair:
    def __init__(self, world: "Model", name: bytes, says: Policy) -> None:
        self.world = world
        self.name = name
        self.service: FakeService | None = FakeService(self, says)

    @property
    def as_pair(self) -> "Pair":
        """As an Ordering takes it: that asks for no more than is here."""
        return cast("Pair", self)

    def retire(self) -> None:
        self.world.stopped.append(self.name)


class Model:
    """A set of services under a real Ordering. Every start is checked against the graph."""

    def __init__(self, policies: dict[bytes, Policy]) -> None:
        self.now = 10.0
        self.policies = policies
        self.ordering = Ordering(World().loop)
        self.stopped: list[bytes] = []
        self.pairs: dict[bytes, FakePair] = {}
        for name, says in policies.items():
            says.readiness = Readiness(FD, number=3)
            self.pairs[name] = FakePair(self, name, says)
            service = self.service(name)
            service.state.gate = self.ordering.expect(name, says)
            service.handle(Opened(says))
        self.ordering.settle(self.all)

    @property
    def all(self) -> "list[Pair]":
        return [pair.as_pair for pair in self.pairs.values()]

    def service(self, name: bytes) -> FakeService:
        service = self.pairs[name].service
        assert service
        return service

    def phase(self, name: bytes) -> bytes:
        return self.service(name).state.phase

    def check_start(self, name: bytes) -> None:
        for need in self.policies[name].needs:
            assert need in self.pairs, "an unknown need"
            assert self.phase(need) in (RUNNING, DONE), f"{name!r} started before {need!r} was ready"

    def check(self) -> None:
        """What is always true."""
        for name, says in self.policies.items():
            phases = [self.phase(need) for need in says.needs if need in self.pairs]
            is_shut = FAILED in phases or BLOCKED in phases
            if is_shut:
                assert self.phase(name) in (BLOCKED, FAILED, STOPPING, DONE, b"down"), (name, self.phase(name), phases)
            else:
                assert self.phase(name) != BLOCKED, (name, phases)

    def live(self, random: Random, moves: int) -> None:
        for _ in range(moves):
            name = random.choice(list(self.pairs))
            service = self.service(name)
            self.now += 2
            match service.state.phase:
                case b"starting" if random.random() < 0.8:
                    service.handle(Ready())
                case b"up" | b"starting" | b"stopping":
                    service.handle(Exited(random.choice([0, 1])))
                case b"failed" if not service.state.is_refused and random.random() < 0.3:
                    service.handle(Commanded(UP))
            self.check()

    def settle_down(self) -> None:
        """Nobody dies any more, and everything that starts becomes ready."""
        for _ in range(8 * len(self.pairs)):
            for name in self.pairs:
                service = self.service(name)
                self.now += 2
                if service.state.phase == STOPPING:
                    service.handle(Exited(0))
                elif service.state.phase == STARTING:
                    service.handle(Ready())
                elif service.state.phase == FAILED and not service.state.is_refused:
                    service.handle(Commanded(UP))
        self.check()


def graphs_of_four() -> list[frozenset[tuple[int, int]]]:
    """All directed graphs of four nodes, one of each kind."""
    arrows = [(one, other) for one in range(4) for other in range(4) if one != other]
    seen: set[frozenset[tuple[int, int]]] = set()
    kinds = []
    for count in range(len(arrows) + 1):
        for chosen in combinations(arrows, count):
            graph = frozenset(chosen)
            if graph not in seen:
                kinds.append(graph)
                for order in permutations(range(4)):
                    seen.add(frozenset((order[one], order[other]) for one, other in graph))
    return kinds


def reaches(graph: frozenset[tuple[int, int]], start: int) -> set[int]:
    found, left = set[int](), [start]
    while left:
        left += [other for one, other in graph if one == left[0] and other not in found]
        found.update(other for one, other in graph if one == left[0])
        left.pop(0)
    return found


def test_every_graph_of_needs_up_to_four_services(capfd: pytest.CaptureFixture[str]) -> None:
    graphs = graphs_of_four()
    assert len(graphs) == 218
    for seed, graph in enumerate(graphs):
        random = Random(seed)
        policies = {
            b"%d" % one: policy(
                " ".join(str(other) for start, other in sorted(graph) if start == one),
                restart=random.choice([b"always", NEVER]),
            )
            for one in range(4)
        }
        model = Model(policies)
        in_ring = {one for one in range(4) if one in reaches(graph, one)}
        model.live(random, 40)
        model.settle_down()
        for one in range(4):
            is_behind = one in in_ring or bool(reaches(graph, one) & in_ring)
            assert (model.phase(b"%d" % one) in (RUNNING, DONE)) == (not is_behind), (graph, one)
    assert " → " in capfd.readouterr().err


@settings(deadline=None, max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(1, 200))
def test_large_graphs_come_up_whatever_dies(random: Random, count: int) -> None:
    """Edges lead to smaller numbers only: no circles. All comes up, and goes down in the reverse order."""
    policies = {
        b"%d" % one: policy(
            " ".join(str(random.randrange(one)) for _ in range(random.randrange(3)) if one),
            " ".join(str(random.randrange(one)) for _ in range(random.randrange(2)) if one),
        )
        for one in range(count)
    }
    model = Model(policies)
    model.live(random, 100)
    model.settle_down()
    assert {model.phase(name) for name in model.pairs} == {RUNNING}
    graph = Graph(policies)
    model.ordering.stop(model.all)
    gone: set[bytes] = set()
    while len(gone) < count:
        name = next(name for name in model.stopped if name not in gone)
        assert graph.dependents(name) <= gone, "a need goes after all that wait for it"
        gone.add(name)
        pair = model.pairs[name]
        pair.service = None
        model.ordering.changed(pair.as_pair)
    assert len(model.stopped) == count


def test_a_long_chain_is_no_deep_recursion() -> None:
    model = Model({b"%04d" % one: policy(f"{one - 1:04}" if one else "") for one in range(2000)})
    for one in range(2000):
        model.service(b"%04d" % one).handle(Ready())
    assert {model.phase(name) for name in model.pairs} == {RUNNING}


def test_when_the_time_for_order_is_over_everybody_goes() -> None:
    model = Model({b"web": policy("db"), b"db": policy()})
    model.ordering.stop(model.all)
    assert model.stopped == [b"web"]
    model.ordering.stop_all()
    assert model.stopped == [b"web", b"db"]


def test_what_waits_for_nothing_that_comes_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    model = Model({b"web": policy("db")})
    model.ordering.settle(model.all)
    assert capfd.readouterr().err.count("pyinit: warning: web waits for db: no such service\n") == 1


def test_it_is_said_again_of_a_service_that_left_and_came_back(capfd: pytest.CaptureFixture[str]) -> None:
    model = Model({b"web": policy("db")})
    model.ordering.settle([])
    model.ordering.expect(b"web", model.policies[b"web"])
    model.ordering.settle(model.all)
    assert capfd.readouterr().err.count("web waits for db: no such service") == 2
