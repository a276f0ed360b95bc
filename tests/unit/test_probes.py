"""Questions to ports, sockets, pages and files. The sockets are real; only the clock is not."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kernel import World
from waiting import until

from pyinit.services.checker.probes import (
    LONGEST_PAGE,
    Probe,
    connect_unix,
    file_exists,
    is_good,
    numeric,
    page_request,
)
from pyinit.services.checker.resolving import Resolution
from pyinit.system import files

if TYPE_CHECKING:
    from pyinit.services.checker.probes import Address


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def ask(world: World, addresses: "list[Address]", request: bytes = b"") -> list[bool]:
    answers: list[bool] = []
    Probe(world.loop, world.kernel.now + 10, request, answers.append).connect(addresses)
    return answers


def at(server: socket.socket) -> "list[Address]":
    host, port = server.getsockname()[:2]
    return numeric(host.encode(), port)


def test_a_port_that_accepts_is_told_at_once(world: World, listener: socket.socket) -> None:
    before = os.listdir("/proc/self/fd")
    assert ask(world, at(listener)) == [True]
    assert os.listdir("/proc/self/fd") == before
    with listener.accept()[0] as connection:
        assert connection.recv(1) == b"", "and nothing is said"


def test_a_port_that_nobody_has_is_told_at_once(world: World, listener: socket.socket) -> None:
    addresses = at(listener)
    listener.close()
    assert ask(world, addresses) == [False]
    assert ask(world, []) == [False]


def test_the_next_address_is_tried(world: World, listener: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = at(gone)
    assert ask(world, [*nobody, *at(listener)]) == [True]


def test_a_host_that_does_not_answer_is_given_up(world: World) -> None:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    full = [socket.socket() for _ in range(4)]
    for client in full:
        client.setblocking(False)
        client.connect_ex(server.getsockname())
    answers = ask(world, at(server))
    world.run(9)
    assert answers == []
    world.run(2)
    assert answers == [False]
    for each in (*full, server):
        each.close()


def test_a_unix_socket_by_a_relative_path(world: World, tmp_path: Path) -> None:
    directory = tmp_path / ("x" * 200)
    directory.mkdir()
    directory_fd = files.open_directory(bytes(directory))
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(directory)
        server.bind("sock")
        answers: list[bool] = []
        connect_unix(Probe(world.loop, 0, b"", answers.append), b"sock", directory_fd)
        server.listen()
        connect_unix(Probe(world.loop, 0, b"", answers.append), b"sock", directory_fd)
        connect_unix(Probe(world.loop, 0, b"", answers.append), b"none", directory_fd)
        os.chdir(here)
    assert answers == [False, True, False]
    assert file_exists(b"sock", directory_fd)
    assert not file_exists(b"none", directory_fd)
    os.close(directory_fd)


def serve(world: World, listener: socket.socket, answer: bytes, ends: bool = True) -> list[bool]:
    """Ask for a page, and answer."""
    answers = ask(world, at(listener), page_request(b"127.0.0.1", 80, b"/healthz"))
    connection = listener.accept()[0]
    world.run()
    assert connection.recv(4096).startswith(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:80\r\n")
    connection.sendall(answer)
    if ends:
        connection.close()
    world.run(1)
    if not ends:
        assert answers == []
        world.run(10)
        connection.close()
    return answers


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nfine", True),
        (b"HTTP/1.0 204\r\n", True),
        (b"HTTP/1.1 302 Found\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        (b"HTTP/1.1 503 Busy\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"SSH-2.0-x 200\r\n", False),
        (b"HTTP/1.1", False),
        (b"HTTP/1.1 2OO\r\n", False),
        (b"", False),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20000, True),
    ],
)
def test_a_page(world: World, listener: socket.socket, answer: bytes, expected: bool) -> None:
    assert is_good(answer) == expected
    assert serve(world, listener, answer) == [expected]


def test_a_page_that_does_not_end_in_time(world: World, listener: socket.socket) -> None:
    assert serve(world, listener, b"HTTP/1.1 200 OK\r\n\r\n", ends=False) == [False]


def test_a_page_without_end_is_read_so_far(world: World, listener: socket.socket) -> None:
    answers = ask(world, at(listener), page_request(b"::1", 80, b"/"))
    connection = listener.accept()[0]
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.setblocking(False)

    def more() -> bool:
        try:
            connection.send(b"x" * LONGEST_PAGE)
        except OSError:
            pass
        world.run()
        return bool(answers)

    until(more)
    assert answers == [True]
    connection.close()


def test_a_cancelled_question_is_not_answered(world: World, listener: socket.socket) -> None:
    answers: list[bool] = []
    probe = Probe(world.loop, world.kernel.now + 10, b"GET / HTTP/1.0\r\n\r\n", answers.append)
    probe.connect(at(listener))
    probe.cancel()
    probe.cancel()
    world.run(20)
    assert answers == []


def test_a_host_in_brackets_is_so_in_the_request() -> None:
    assert b"\r\nHost: [::1]:80\r\n" in page_request(b"::1", 80, b"/")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"127.0.0.1", [(socket.AF_INET, (b"127.0.0.1", 80))]),
        (b"::1", [(socket.AF_INET6, (b"::1", 80))]),
        (b"localhost", [(socket.AF_INET, (b"127.0.0.1", 80)), (socket.AF_INET6, (b"::1", 80))]),
        (b"db", []),
        (b"1.2.3", []),
        (b"\xff", []),
    ],
)
def test_hosts_that_need_no_resolver(host: bytes, expected: "list[Address]") -> None:
    assert numeric(host, 80) == expected


@pytest.fixture
def resolve(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], "list[list[Address]]"]:
    """Starts the resolution of a name; the child that does it is replaced by a write."""

    def start(said: bytes) -> "list[list[Address]]":
        def fork(worker: object, name: bytes, keep: int, function: object, write_fd: int, *rest: object) -> int:
            os.write(write_fd, said)
            world.kernel.living.add(77)
            return 77

        monkeypatch.setattr("pyinit.services.checker.resolving.fork", fork)
        found: list[list[Address]] = []
        Resolution(world.loop, world.kernel.now + 5, found.append).ask(b"db", 80)
        return found

    return start


def test_a_name_is_resolved_by_a_child(world: World, resolve: Callable[[bytes], "list[list[Address]]"]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    found = resolve(b"10.0.0.1 80\n::1 80\n")
    world.kernel.die(77, 0)
    world.run()
    assert found == [[(socket.AF_INET, (b"10.0.0.1", 80)), (socket.AF_INET6, (b"::1", 80))]]
    world.run(10)
    assert len(found) == 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_name_that_cannot_be_resolved(world: World, resolve: Callable[[bytes], "list[list[Address]]"]) -> None:
    found = resolve(b"")
    world.kernel.die(77, 1)
    world.run()
    assert found == [[]]


def test_a_resolver_that_hangs_is_killed(world: World, resolve: Callable[[bytes], "list[list[Address]]"]) -> None:
    found = resolve(b"")
    world.run(6)
    assert found == [[]]
    assert world.kernel.sent(77) == [9]
    world.run()
