"""The pipes of one service in the collector: several at once, and a text that is watched for."""

import os
from collections.abc import Iterator

import pytest

from pyinit.logs.collector.pipe import Inlet, Inlets, Pipe


class Pipes:
    """Inlets with the other ends of their pipes, by number, and what they told."""

    def __init__(self) -> None:
        self.drained: list[int] = []
        self.found: list[int] = []
        self.inlets = Inlets(self.drained.append, self.found.append)
        self.write_fds: dict[int, int] = {}

    def add(self, number: int, watched: bytes = b"") -> None:
        read_fd, self.write_fds[number] = os.pipe()
        self.inlets.add(Inlet(read_fd, number, watched))

    def write(self, number: int, text: bytes) -> bytes | None:
        os.write(self.write_fds[number], text)
        return self.read()

    def read(self) -> bytes | None:
        return self.inlets.read(self.inlets.fd, 65536)

    def hang_up(self, number: int) -> None:
        os.close(self.write_fds.pop(number))


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    before = len(os.listdir("/proc/self/fd"))
    pipes = Pipes()
    yield pipes
    pipes.inlets.close()
    for number in list(pipes.write_fds):
        pipes.hang_up(number)
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_oldest_is_read_first_and_the_last_end_is_the_end(pipes: Pipes) -> None:
    pipes.add(1)
    pipes.add(2)
    os.write(pipes.write_fds[2], b"two\n")
    assert pipes.write(1, b"one\n") == b"one\n"
    assert pipes.read() == b"two\n"
    assert pipes.read() is None
    pipes.hang_up(1)
    assert pipes.read() is None
    assert (pipes.drained, pipes.inlets.numbers, pipes.inlets.is_over) == ([1], [2], False)
    pipes.hang_up(2)
    assert pipes.read() == b""
    assert (pipes.drained, pipes.inlets.numbers, pipes.inlets.is_over) == ([1], [2], True)


def test_bytes_of_two_pipes_share_no_line(pipes: Pipes) -> None:
    pipes.add(1)
    pipes.add(2)
    assert pipes.write(1, b"begun") == b"begun"
    assert pipes.write(1, b", still") == b", still"
    assert pipes.write(2, b"other\n") == b"\nother\n"
    assert pipes.write(1, b" going on\n") == b" going on\n"
    assert pipes.write(2, b"last\n") == b"last\n"


def test_a_line_that_is_read_byte_by_byte_is_read_to_its_end(pipes: Pipes) -> None:
    pipes.add(1)
    pipes.add(2)
    assert pipes.write(2, b"be") == b"be"
    os.write(pipes.write_fds[1], b"other\n")
    os.write(pipes.write_fds[2], b"gun\nx")
    assert [pipes.inlets.read(pipes.inlets.fd, 1) for _ in range(4)] == [b"g", b"u", b"n", b"\n"]
    assert pipes.inlets.read(pipes.inlets.fd, 1) == b"o"


def test_an_end_within_a_line_is_the_end_of_the_line(pipes: Pipes) -> None:
    pipes.add(1)
    pipes.add(2)
    assert pipes.write(1, b"begun") == b"begun"
    pipes.hang_up(1)
    assert pipes.write(2, b"new\n") == b"\nnew\n"


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([b"now ready to accept\n"], 1),
        ([b"now rea", b"dy to accept\n"], 2),
        ([*(bytes((byte,)) for byte in b"ready to")], 8),
        ([b"ready", b" to", b"day"], 2),
        ([b"ready\n to\n"], 0),
        ([b"xready to ready to\n", b"ready to\n"], 1),
        ([b"almost read", b"ready t", b"o"], 3),
        ([b"nothing\n"], 0),
    ],
)
def test_a_text_is_told_of_once(pipes: Pipes, blocks: list[bytes], expected: int) -> None:
    pipes.add(7, b"ready to")
    told = 0
    for count, block in enumerate(blocks, 1):
        pipes.write(7, block)
        if pipes.found and not told:
            told = count
    assert (told, pipes.found) == (expected, [7] if expected else [])


def test_each_pipe_has_its_own_text(pipes: Pipes) -> None:
    pipes.add(1, b"up")
    pipes.add(2, b"up")
    pipes.write(2, b"up\n")
    assert pipes.found == [2]
    pipes.write(1, b"u")
    pipes.write(2, b"p")
    assert pipes.found == [2]


def test_what_is_unread_is_counted(pipes: Pipes) -> None:
    pipes.add(1)
    pipes.add(2)
    os.write(pipes.write_fds[1], b"a\nb")
    os.write(pipes.write_fds[2], b"c\n")
    assert pipes.inlets.unread() == 3


def test_one_pipe_is_just_that() -> None:
    read_fd, write_fd = os.pipe()
    pipe = Pipe(read_fd)
    os.write(write_fd, b"x\ny")
    assert pipe.read(pipe.fd, 1) == b"x"
    assert pipe.unread() == 2
    os.close(write_fd)
    assert pipe.read(pipe.fd, 1) == b""
    pipe.close()
