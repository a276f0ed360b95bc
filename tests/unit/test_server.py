"""The logging process keeps its accounts behind the lines that they count."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyinit.logs.collector.server import LINES_FIRST, Server


class Loop:
    """Notes when it is to turn, and turns when a test says so."""

    def __init__(self) -> None:
        self.due: list[float] = []
        self.after_turn: Callable[[], None] = lambda: None

    def on_readable(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Nothing comes."""

    on_signal = on_readable

    def at(self, when: float, callback: Callable[[], None]) -> None:
        self.due.append(when)


@pytest.fixture
def control() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours


def test_the_first_accounts_wait_for_the_lines_that_are_there_already(tmp_path: Path, control: socket.socket) -> None:
    loop = Loop()
    began = time.monotonic()
    Server(loop, control, os.fsencode(tmp_path), is_first=True)  # type: ignore[arg-type]
    loop.after_turn()
    assert not list(tmp_path.iterdir()), "the first turn opens the logs, the next writes lines"
    (due,) = loop.due
    assert began + LINES_FIRST <= due <= time.monotonic() + LINES_FIRST
    time.sleep(max(0, due - time.monotonic()))
    loop.after_turn()
    assert (tmp_path / "logs").read_bytes().startswith(b"lines_in ")
