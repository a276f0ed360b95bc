"""How long the flows of PID 1 are, in calls of functions of the package, on their usual path. And that none grows.

A failure prints the path. Seconds would not tell: a machine is busy, and a call is a call.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from signal import SIGCONT, SIGTERM

import pytest
from kernel import World, make_service
from tracing import traced

import pyinit.init.ending  # loaded when a stop begins: its import is no part of the flow
from pyinit.init.init import Init
from pyinit.init.options import Options
from pyinit.services.pair import LoggingPolicy
from pyinit.services.scanner import Scanner
from pyinit.system import mounts

assert pyinit.init.ending

LOOP_WAITS = ("Loop._turn", "Loop._timeout")
"""The next turn begins, and asks how long to wait: there a flow is over."""


@pytest.fixture(autouse=True)
def _tells_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "tells_changes", lambda fd: True)


class Container:
    """A PID 1 with services that are up, and its loop at rest."""

    def __init__(self, top: Path, count: int = 1) -> None:
        for number in range(count):
            make_service(top / "service", f"s{number:04}")
        self.world = World(top / "runtime")
        self.services = Scanner(self.world.context, LoggingPolicy.of_daemontools(), bytes(top / "service"))
        self.services.open()
        self.init = Init(self.world.loop, self.services, Options(), 0.0, runtime=self.world.context.runtime)
        self.world.loop.add_signal_handler(SIGTERM, self.init.stop)
        self.init._await_ready()
        self.world.run(10)

    @property
    def pids(self) -> list[int]:
        return [pair.service.pid for pair in self.services.pairs.values() if pair.service]

    def close(self) -> None:
        self.world.kernel.obeys = (SIGTERM,)
        self.init.stop()
        self.world.run(10)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path)
    yield container
    container.close()


def test_a_death_is_followed_by_the_next_start_in_14_calls(container: Container, tmp_path: Path) -> None:
    world, (pid,) = container.world, container.pids
    world.kernel.die(pid, 1)
    with traced("Loop._reap", LOOP_WAITS) as calls:
        world.run()
    assert world.spawner.names == ["s0000", "s0000"]
    assert container.pids != [pid]
    status = (tmp_path / "service/s0000/supervise/status").read_bytes()
    assert int.from_bytes(status[12:16], "little") == container.pids[0], "it is published"
    flow = calls.until("StateDir.publish")  # after that it is told
    assert len(flow) <= 14, flow.path()


def test_a_control_byte_is_obeyed_in_10_calls(container: Container, tmp_path: Path) -> None:
    control_fd = os.open(tmp_path / "service/s0000/supervise/control", os.O_WRONLY | os.O_NONBLOCK)
    os.write(control_fd, b"t")
    os.close(control_fd)
    with traced("Loop._call", LOOP_WAITS) as calls:
        container.world.run()
    assert container.world.kernel.kills == [(container.pids[0], SIGTERM)]
    assert len(calls) <= 10, calls.path()


def test_a_stop_decides_on_the_first_signal_within_10_calls(container: Container) -> None:
    """Up to the `step` that decides; the decision is then carried out by the supervisor, as after a control byte."""
    world = container.world
    world.kernel.ring(SIGTERM)
    with traced("Init.stop", LOOP_WAITS) as calls:
        world.run()
    assert world.kernel.kills == [(container.pids[0], SIGTERM), (container.pids[0], SIGCONT)]
    decision = calls.until("step")
    assert len(decision) <= 10, decision.path()


def stop_calls(top: Path, count: int, is_stubborn: bool) -> int:
    """The calls of a stop of so many services, from the signal to the end of the loop."""
    container = Container(top, count)
    world = container.world
    world.kernel.obeys = () if is_stubborn else (SIGTERM,)
    world.kernel.ring(SIGTERM)
    with traced() as calls:
        assert world.run(30) == 0
    assert len(world.spawner.starts) == count
    assert not world.kernel.living
    return len(calls)


@pytest.mark.parametrize("is_stubborn", [False, True], ids=["well-behaved", "stubborn"])
def test_a_stop_costs_each_service_the_same(
    tmp_path: Path, is_stubborn: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    counts = {count: stop_calls(tmp_path / str(count), count, is_stubborn) for count in (250, 500, 1000)}
    each = {count: calls / count for count, calls in counts.items()}
    assert max(each.values()) <= 1.1 * min(each.values()), each
    assert ("killed" in capfd.readouterr().err) == is_stubborn
