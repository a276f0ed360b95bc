"""Process 1's standard error: never waited for long, and nothing is lost untold."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from fcntl import F_GETPIPE_SZ, fcntl

import pytest
from waiting import until

from pyinit.system import console
from pyinit.system.console import Console


@pytest.fixture
def standard_error() -> Iterator[Callable[[int], None]]:
    """Puts a descriptor in the place of 2, until the end of the test."""
    kept = os.dup(2)

    def put(descriptor: int) -> None:
        os.dup2(descriptor, 2)

    yield put
    os.dup2(kept, 2)
    os.close(kept)


def full_pipe() -> tuple[int, int, int]:
    """Its ends, and how much is in it."""
    reader, writer = os.pipe()
    size = fcntl(writer, F_GETPIPE_SZ)
    assert os.write(writer, b"x" * size) == size
    return reader, writer, size


def test_what_a_full_pipe_does_not_take_is_counted_and_told_of(standard_error: Callable[[int], None]) -> None:
    reader, writer, filled = full_pipe()
    standard_error(writer)
    screen = Console()
    screen.write(b"one\n")
    screen.write(b"two\n")
    while filled:
        filled -= len(os.read(reader, filled))
    screen.write(b"three\n")
    screen.write(b"four\n")
    assert os.read(reader, 4096) == b"2 messages lost: standard error was blocked\nthree\nfour\n"
    os.close(reader)
    screen.write(b"five\n")  # to nobody
    os.close(writer)


def test_only_the_first_message_waits(standard_error: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PATIENCE", 300)
    reader, writer, _ = full_pipe()
    standard_error(writer)
    screen = Console()
    began = time.monotonic()
    for _ in range(100):
        screen.write(b"message\n")
    assert 0.3 <= time.monotonic() - began < 3
    os.close(reader)
    os.close(writer)


def test_somebody_else_who_writes_to_the_terminal_is_waited_for(
    standard_error: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "PATIENCE", 10_000)
    master, slave = os.openpty()
    long = b"x" * (1 << 20)
    other = threading.Thread(target=lambda: os.write(slave, long))
    other.start()
    until(lambda: os.read(master, 1) == b"x", "the other one to be writing")
    standard_error(slave)
    screen = Console()
    seen = bytearray()

    def read() -> None:
        while not seen.endswith(b"message\r\n"):
            seen.extend(os.read(master, 65536))

    reader = threading.Timer(0.1, read)
    reader.start()
    screen.write(b"message\n")
    other.join()
    reader.join(10)
    assert bytes(seen).strip(b"x") == b"message\r\n"
    os.close(master)
    os.close(slave)
