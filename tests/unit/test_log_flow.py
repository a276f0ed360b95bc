"""A stream of the collector: how far a block of lines has to go, its phases, and the file of its counters."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from pyinit.formats import counters
from pyinit.formats.counters import Counters
from pyinit.formats.wire import NOTHING, TEXT, Job
from pyinit.logs.collector.outlet import CAPACITY, Outlet
from pyinit.logs.collector.phases import CLOSED, ENDED, HELD, LEAVING, OPENING, READING, next_phase
from pyinit.logs.collector.pipe import Pipe
from pyinit.logs.collector.publishing import LINES_FIRST, PAUSE, CountersFile
from pyinit.logs.collector.stream import Stream
from pyinit.system.deadlines import Deadline

MOST_CALLS = 9
"""From the loop's callback to the write into the directory. The flow in ARCHITECTURE.md names them."""


class FakeLoop:
    """Keeps what is asked of a loop, and calls it when a test says so."""

    def __init__(self) -> None:
        self.readers: dict[int, Callable[[], None]] = {}
        self.writers: dict[int, Callable[[], None]] = {}
        self.deadlines: list[tuple[float, Deadline]] = []

    def add_reader(self, fd: int, callback: Callable[[], None]) -> None:
        self.readers[fd] = callback

    def remove_reader(self, fd: int) -> None:
        self.readers.pop(fd, None)

    def add_writer(self, fd: int, callback: Callable[[], None]) -> None:
        self.writers[fd] = callback

    def remove_writer(self, fd: int) -> None:
        self.writers.pop(fd, None)

    def call_at(self, when: float, callback: Callable[[], None]) -> Deadline:
        self.deadlines.append((when, Deadline(callback)))
        return self.deadlines[-1][1]


class Logged:
    """A stream with its pipe, its counters, and a standard output that nobody reads."""

    def __init__(self, directory: Path, style: bytes, actions: list[bytes]) -> None:
        self.loop = FakeLoop()
        self.ends: list[bool] = []
        self.counters = Counters()
        self.counters_file = CountersFile(self.loop, os.fsencode(directory), is_first=True)  # type: ignore[arg-type]
        self.read_fd, self.write_fd = os.pipe()
        self.stdout_fds = os.pipe()
        outlet = Outlet(self.loop, self.stdout_fds[1])  # type: ignore[arg-type]
        job = Job(b"web", style, actions)
        self.stream = Stream(
            self.loop,  # type: ignore[arg-type]
            job,
            Pipe(self.read_fd),
            outlet,
            self.counters,
            self.counters_file,
            lambda stream, is_drained: self.ends.append(is_drained),
        )
        outlet.on_change = self.stream.reconcile
        self.stream.open()

    @property
    def is_reading(self) -> bool:
        return self.read_fd in self.loop.readers

    def write(self, text: bytes) -> None:
        os.write(self.write_fd, text)
        self.loop.readers[self.read_fd]()

    def hang_up(self) -> None:
        os.close(self.write_fd)
        self.loop.readers[self.read_fd]()

    def take_stdout(self) -> None:
        """Let standard output take one portion."""
        self.loop.writers[self.stdout_fds[1]]()
        os.read(self.stdout_fds[0], 65536)


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Callable[..., Logged]]:
    made: list[Logged] = []

    def make(style: bytes, actions: list[bytes]) -> Logged:
        made.append(Logged(tmp_path, style, actions))
        return made[-1]

    yield make
    for each in made:
        each.stream.leave()
        for fd in each.stdout_fds:
            os.close(fd)


class Calls:
    """Counts Python functions that are called, a generator once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._generators: set[int] = set()

    def note(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "call":
            return
        if frame.f_code.co_flags & 0x20:
            if id(frame) in self._generators:
                return
            self._generators.add(id(frame))
        self.names.append(frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name)


def test_a_block_of_lines_takes_few_calls_into_its_directory(tmp_path: Path, logged: Callable[..., Logged]) -> None:
    directory = tmp_path / "main"
    log = logged(NOTHING, [b"t", os.fsencode(directory)])
    log.write(b"warm\n")
    calls = Calls()
    os.write(log.write_fd, b"one\ntwo\n")
    read = log.loop.readers[log.read_fd]
    sys.setprofile(calls.note)
    try:
        read()
    finally:
        sys.setprofile(None)
    assert [line[26:] for line in (directory / "current").read_bytes().splitlines()] == [b"warm", b"one", b"two"]
    assert calls.names[0] == "Stream._read"
    assert "LogDirectory.write" in calls.names
    assert len(calls.names) <= MOST_CALLS, calls.names


@pytest.mark.parametrize(
    ("phase", "facts", "expected"),
    [
        (OPENING, "", READING),
        (OPENING, "leaving", ENDED),
        (READING, "pending goes", READING),
        (HELD, "", READING),
        (READING, "", READING),
        (READING, "pending", HELD),
        (READING, "blocked", HELD),
        (READING, "leaving inside", LEAVING),
        (READING, "leaving", ENDED),
        (READING, "leaving blocked", ENDED),
        (READING, "leaving inside blocked", HELD),
        (LEAVING, "leaving pending", HELD),
        (HELD, "leaving inside", LEAVING),
        (ENDED, "pending", ENDED),
        (ENDED, "", CLOSED),
        (ENDED, "blocked inside", CLOSED),
        (CLOSED, "", CLOSED),
    ],
)
def test_the_facts_decide_the_phase(phase: int, facts: str, expected: int) -> None:
    told = facts.split()
    flags = [name in told for name in ("pending", "blocked", "leaving", "inside", "goes")]
    assert next_phase(phase, *flags) == expected


def test_a_stream_waits_for_standard_output_and_counts_how_long(logged: Callable[..., Logged]) -> None:
    log = logged(TEXT, [])
    while log.is_reading:
        log.write(b"x" * 4000 + b"\n")
    assert log.counters.blocked == 0
    lines = log.counters.lines_in
    assert log.counters.lines_written == lines >= CAPACITY // 4100
    log.take_stdout()
    assert log.is_reading
    assert log.counters.blocked > 0
    log.hang_up()
    assert log.ends == [True]


def test_a_stream_that_leaves_ends_at_the_end_of_the_line(tmp_path: Path, logged: Callable[..., Logged]) -> None:
    log = logged(NOTHING, [os.fsencode(tmp_path / "main")])
    log.write(b"one\ntw")
    log.stream.leave()
    assert log.ends == []
    os.write(log.write_fd, b"o\nthree\n")
    log.loop.readers[log.read_fd]()
    log.loop.readers[log.read_fd]()
    assert log.ends == [False]
    assert (tmp_path / "main/current").read_bytes() == b"one\ntwo\n"


def test_lines_of_a_directory_in_trouble_are_not_counted_as_written(
    tmp_path: Path, logged: Callable[..., Logged], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyinit.logs.multilog import directory

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

        @staticmethod
        def write(fd: int, data: bytes) -> int:
            raise OSError(28, "")

    log = logged(NOTHING, [os.fsencode(tmp_path / "main")])
    monkeypatch.setattr(directory, "posix", Full())
    log.write(b"one\n")
    assert not log.is_reading
    assert (log.counters.lines_in, log.counters.lines_written, log.counters.held_lines) == (1, 0, 1)
    monkeypatch.undo()
    retry = log.loop.deadlines[-1][1].callback
    assert retry
    retry()
    assert log.is_reading
    assert (log.counters.lines_written, log.counters.held_lines) == (1, 0)


def test_the_first_counters_wait_for_the_lines_that_are_there_already(tmp_path: Path) -> None:
    loop = FakeLoop()
    began = time.monotonic()
    counters_file = CountersFile(loop, os.fsencode(tmp_path), is_first=True)  # type: ignore[arg-type]
    ((due, deadline),) = loop.deadlines
    assert began + LINES_FIRST <= due <= time.monotonic() + LINES_FIRST
    counters_file.of(b"web").lines_in = 3
    assert deadline.callback
    deadline.callback()
    assert counters.unpack((tmp_path / "logs").read_bytes())[b"web"].lines_in == 3


def test_counters_are_written_once_a_second_and_only_when_one_has_changed(tmp_path: Path) -> None:
    loop = FakeLoop()
    counters_file = CountersFile(loop, os.fsencode(tmp_path), is_first=True)  # type: ignore[arg-type]
    before = time.monotonic()
    for _, deadline in loop.deadlines:
        assert deadline.callback
        deadline.callback()
    assert not counters_file.is_armed
    counters_file.arm()
    counters_file.arm()
    assert len(loop.deadlines) == 2
    due, deadline = loop.deadlines[1]
    assert before + PAUSE <= due <= time.monotonic() + PAUSE
    (tmp_path / "logs").unlink()
    assert deadline.callback
    deadline.callback()
    assert not (tmp_path / "logs").exists(), "nothing was counted"


def test_a_successor_goes_on_from_the_counts_in_the_file(tmp_path: Path) -> None:
    each = Counters()
    each.lines_in = 7
    (tmp_path / "logs").write_bytes(counters.pack({b"web": each}))
    for is_first, lines in ((False, 7), (True, 0)):
        found = CountersFile(FakeLoop(), os.fsencode(tmp_path), is_first)  # type: ignore[arg-type]
        assert found.of(b"web").lines_in == lines
