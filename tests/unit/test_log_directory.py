"""Log directories: what is in the files, after every crash and through every failure that a system call can bring."""

import errno
import itertools
import os
import posix
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyinit.logs.multilog import directory, folder, oldfiles
from pyinit.logs.multilog.directory import LogDirectory
from pyinit.logs.multilog.retry import CannotOpenLog, Trouble
from pyinit.logs.multilog.script import Directory
from pyinit.system import files

SLACK = 2000
SIZE = 4096
CALLS = ("open", "write", "fsync", "fchmod", "chmod", "rename", "link", "unlink", "stat", "listdir", "mkdir")


class Crash(BaseException):
    """The process is gone: it makes no more system calls."""


class Calls:
    """Stands for the module `posix`: counts the calls of CALLS and has something happen at one of them."""

    def __init__(self, at: int, happens: Callable[..., Any]) -> None:
        self.at = at
        self.happens = happens
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(posix, name)
        if name not in CALLS:
            return real

        def call(*args: Any, **named: Any) -> Any:
            self.count += 1
            if self.count >= self.at:
                return self.happens(self.count - self.at, lambda: real(*args, **named))
            return real(*args, **named)

        return call


class Recorder:
    """Stands for the module `posix`: writes down which functions are called."""

    def __init__(self, made: list[str]) -> None:
        self.made = made

    def __getattr__(self, name: str) -> Any:
        real = getattr(posix, name)
        if not callable(real):
            return real

        def call(*args: Any, **named: Any) -> Any:
            self.made.append(name)
            return real(*args, **named)

        return call


@pytest.fixture
def having(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[..., Any]], Calls]:
    """Have something happen at a system call."""

    def have(at: int, happens: Callable[..., Any]) -> Calls:
        calls = Calls(at, happens)
        for module in (directory, folder, oldfiles, files):
            monkeypatch.setattr(module, "posix", calls)
        return calls

    return have


Having = Callable[[int, Callable[..., Any]], Calls]


class Log:
    """A LogDirectory on a path, with its warnings, and a processor that is run when asked for its end."""

    def __init__(self, path: Path, size: int = SIZE, count: int = 1000, processor: bytes | None = None) -> None:
        self.path = path
        self.warnings: list[bytes] = []
        self.clock = itertools.count(1_700_000_000_000_000_000)
        limits = Directory(os.fsencode(path), size, count, processor)
        self.log = LogDirectory(limits, lambda: next(self.clock), self._warn, self._start)
        self.runs: list[tuple[int, bytes]] = []
        self.failures: list[OSError] = []

    def _warn(self, trouble: Trouble) -> None:
        self.warnings.append(trouble.message)

    def _start(self, descriptor: int, command: bytes) -> int:
        if self.failures:
            raise self.failures.pop()
        self.runs.append((descriptor, command))
        for name, source in (("processed", "previous"), ("newstate", "state")):
            data = (self.path / source).read_bytes()
            file = posix.open(name, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o644, dir_fd=descriptor)
            posix.write(file, data if name == "processed" else data + b".")
            posix.close(file)
        return 99999

    def settle(self) -> None:
        while self.log.is_busy:
            assert bool(self.log.trouble) != bool(self.log.pid)
            if self.log.trouble:
                self.log.retry()
            else:
                self.log.reaped(0)

    def run(self, *pieces: bytes, is_last: bool = True) -> None:
        self.log.open()
        self.settle()
        for piece in pieces:
            self.log.write(piece, 0, len(piece))
            self.settle()
        if is_last:
            self.log.finish()
            self.settle()
            self.log.close()


def old_files(path: Path) -> list[Path]:
    return sorted(path.glob("@*"))


def content(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in [*old_files(path), path / "current"])


def modes(path: Path) -> dict[str, int]:
    return {
        "@" + file.name[-2:] if file.name[0] == "@" else file.name: stat.S_IMODE(file.stat().st_mode)
        for file in path.iterdir()
    }


CLEAN = {"current": 0o744, "lock": 0o600, "state": 0o644}


def test_a_new_directory(tmp_path: Path) -> None:
    Log(tmp_path / "d").run(b"one\n", b"two\n")
    assert modes(tmp_path / "d") == CLEAN
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700
    assert (tmp_path / "d/current").read_bytes() == b"one\ntwo\n"


def test_a_clean_end_is_continued(tmp_path: Path) -> None:
    Log(tmp_path).run(b"one\n")
    (tmp_path / "state").write_bytes(b"s")
    Log(tmp_path).run(b"two\n")
    assert modes(tmp_path) == CLEAN
    assert content(tmp_path) == b"one\ntwo\n"
    assert (tmp_path / "state").read_bytes() == b"s"


def test_a_crash_is_kept(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run(b"one\n", is_last=False)
    assert modes(tmp_path)["current"] == 0o644
    log.log.close()
    Log(tmp_path).run(b"two\n")
    assert modes(tmp_path) == {**CLEAN, "@.u": 0o644}
    assert [file.read_bytes() for file in old_files(tmp_path)] == [b"one\n"]


def test_the_lock_is_held_until_close(tmp_path: Path) -> None:
    first, second = Log(tmp_path), Log(tmp_path)
    first.log.open()
    with pytest.raises(CannotOpenLog) as caught:
        second.log.open()
    assert caught.value.message == b"unable to lock directory " + os.fsencode(tmp_path)
    assert caught.value.error.errno == errno.EAGAIN
    second.log.close()
    first.log.close()
    second.run()


@pytest.mark.parametrize("used", [b"", b"x"])
def test_rotation_on_demand_if_there_is_anything(tmp_path: Path, used: bytes) -> None:
    log = Log(tmp_path)
    log.log.open()
    if used:
        log.log.write(used, 0, len(used))
    log.log.rotate()
    assert [file.read_bytes() for file in old_files(tmp_path)] == ([used] if used else [])
    assert (tmp_path / "current").read_bytes() == b""
    assert modes(tmp_path)["current"] == 0o644


lines = st.lists(
    st.tuples(st.sampled_from([1, 20, 500, 1999, 2000, 2001, 4095, 4096, 9000]), st.integers(1, 8)),
    min_size=1,
    max_size=6,
).map(lambda runs: b"".join((b"x" * (length - 1) + b"\n") * count for length, count in runs))


@settings(max_examples=60, deadline=None)
@given(lines, st.lists(st.integers(1, 9000), max_size=20), st.sampled_from([4096, 5000, 8192]))
def test_the_three_rules_of_rotation(data: bytes, cuts: list[int], size: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        pieces = []
        rest = data
        for cut in cuts:
            pieces.append(rest[:cut])
            rest = rest[cut:]
        log = Log(path, size)
        log.run(*(piece for piece in [*pieces, rest] if piece))
        assert content(path) == data
        for file in old_files(path):
            data = file.read_bytes()
            assert len(data) <= size
            if data.endswith(b"\n"):
                assert len(data) >= size - SLACK
            else:
                assert len(data) == size
                assert b"\n" not in data[-SLACK:]
        current = (path / "current").read_bytes()
        assert len(current) < size - SLACK or not current.endswith(b"\n")
        assert modes(path).get("@.s", 0o744) == 0o744


@pytest.mark.parametrize("count", [2, 3, 7])
def test_surplus_files_are_removed_oldest_first(tmp_path: Path, count: int) -> None:
    log = Log(tmp_path, count=count)
    log.run(*(b"%d\n" % number * 1200 for number in range(10)))
    contents = [file.read_bytes()[:1] for file in old_files(tmp_path)]
    assert contents == [b"%d" % number for number in range(10 - count + 1, 10)]


def test_names_that_are_not_ours_stay(tmp_path: Path) -> None:
    short, directory_ = tmp_path / ("@" + "0" * 23), tmp_path / ("@" + "0" * 24 + ".s")
    short.write_bytes(b"")
    directory_.mkdir()
    log = Log(tmp_path, count=2)
    log.run(b"a\n" * 1200, b"b\n" * 1200)
    assert short.exists()
    assert directory_.exists()
    assert [file.read_bytes()[:1] for file in old_files(tmp_path) if file.stat().st_size > 1000 and file.is_file()] == [
        b"b"
    ]
    assert not log.warnings


@pytest.mark.parametrize("count", [2, 3, 9])
def test_the_oldest_is_the_first_in_the_order_of_bytes_whatever_follows_the_label(tmp_path: Path, count: int) -> None:
    endings = [b".s", b".\xff", b".\xee\x80\x80", b".\xf0\x90\x80\x80", b"\n", b".\xc3\xa9", b"." + b"\xc3\xa9" * 9]
    names = sorted(b"@" + b"0" * 24 + ending for ending in endings)
    at = os.fsencode(tmp_path) + b"/"
    accented = b"@" + b"\xc3\xa9" * 12
    for name in [*names, accented, b"x" + b"0" * 30]:
        Path(os.fsdecode(at + name)).touch()
    log = Log(tmp_path, count=count)
    log.run(b"a\n" * 1200)
    kept = [b"ours" if name[:2] == b"@4" else name for name in sorted(os.listdir(at)) if name[:1] == b"@"]
    assert kept == [*names, b"ours", accented][1 - count :]
    assert os.path.exists(at + b"x" + b"0" * 30)


def test_a_file_that_somebody_linked_elsewhere_does_not_become_an_old_file(tmp_path: Path) -> None:
    """As in the C program, which takes the second link for an old file's."""
    log = Log(tmp_path)
    log.run(b"a\n" * 100, is_last=False)
    (tmp_path / "mine").hardlink_to(tmp_path / "current")
    log.log.rotate()
    log.log.write(b"b\n", 0, 2)
    log.log.rotate()
    assert [file.read_bytes() for file in old_files(tmp_path)] == [b"b\n"]
    assert (tmp_path / "mine").read_bytes() == b"a\n" * 100
    assert not (tmp_path / "previous").exists()
    assert not log.warnings


def test_the_processor_has_its_files_and_keeps_its_state(tmp_path: Path) -> None:
    log = Log(tmp_path, processor=b"command")
    log.run(b"a\n" * 1200, b"b\n" * 1200)
    assert [command for _, command in log.runs] == [b"command"] * 2
    assert (tmp_path / "state").read_bytes() == b".."
    assert content(tmp_path) == b"a\n" * 1200 + b"b\n" * 1200
    assert modes(tmp_path) == {**CLEAN, "@.s": 0o744}


def test_the_processor_is_run_until_it_succeeds(tmp_path: Path) -> None:
    log = Log(tmp_path, processor=b"command")
    log.log.open()
    log.log.write(b"a\n" * 1200, 0, 2400)
    assert log.log.pid == 99999
    log.log.reaped(3)
    path = os.fsencode(tmp_path)
    assert log.warnings == [b"processor failed in %b, pausing" % path]
    log.log.write(b"kept\n", 0, 5)
    log.log.retry()
    log.log.reaped(-9)
    log.log.retry()
    assert log.warnings[1:] == [b"processor crashed in %b, pausing" % path, b"processor failed in %b, pausing" % path]
    log.log.retry()
    log.log.reaped(0)
    assert len(log.runs) == 3
    assert not log.log.is_busy
    assert (tmp_path / "current").read_bytes() == b"kept\n"


STREAM = [b"%d %b\n" % (number, b"x" * 150) for number in range(40)]
"""Rotates twice at 4096."""


def written_when_it_crashed(log: Log, having: Having, at: int, is_after: bool) -> bytes | None:
    """Write STREAM until the process is gone at a system call; what it had written, None if it was not gone."""
    done: list[bytes] = []

    def crash(later: int, call: Callable[[], Any]) -> Any:
        if is_after and not later:
            call()
        raise Crash

    having(at, crash)
    real_write = posix.write

    def write(descriptor: int, data: bytes) -> int:
        done.append(bytes(data))
        return real_write(descriptor, data)

    directory.posix.write = write  # type: ignore[attr-defined]
    try:
        log.run(*STREAM)
    except Crash:
        log.log.close()
        return b"".join(done)
    return None


@pytest.mark.parametrize("processor", [None, b"command"])
@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("is_new", [False, True])
def test_nothing_written_is_lost_or_doubled_by_a_crash_at_any_system_call(
    tmp_path: Path, having: Having, processor: bytes | None, is_after: bool, is_new: bool
) -> None:
    for at in itertools.count(1):
        path = tmp_path / str(at)
        if not is_new:
            path.mkdir(0o700)
        log = Log(path, processor=processor)
        written = written_when_it_crashed(log, having, at, is_after)
        having(10**9, lambda *_: None)
        if written is None:
            assert at > (25 if is_new else 30)
            break
        after = Log(path, processor=processor)
        after.clock = itertools.count(1_800_000_000_000_000_000)
        after.run(b"after\n")
        assert content(path) == written + b"after\n"
        assert {name: mode for name, mode in modes(path).items() if name[0] != "@"} == CLEAN
        assert not after.warnings


@pytest.mark.parametrize("processor", [None, b"command"])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_every_failing_system_call_is_tried_again(
    tmp_path: Path, having: Having, processor: bytes | None, times: int, number: int
) -> None:
    messages = set()
    for at in itertools.count(1):
        path = tmp_path / str(at)
        log = Log(path, processor=processor)
        log.log.open()

        def fail(later: int, call: Callable[[], Any]) -> Any:
            if later < times:
                raise OSError(number, "")
            return call()

        calls = having(at, fail)
        for line in STREAM:
            log.log.write(line, 0, len(line))
            log.settle()
        log.log.finish()
        log.settle()
        log.log.close()
        having(10**9, lambda *_: None)
        assert content(path) == b"".join(STREAM)
        assert {name: mode for name, mode in modes(path).items() if name[0] != "@"} == CLEAN
        if calls.count < at:
            assert at > 30
            break
        messages |= {message.replace(os.fsencode(path), b"DIR") for message in log.warnings}
        assert times - 1 <= len(log.warnings) <= times
    expected = {
        *(b"unable to write to DIR/current", b"unable to write DIR/current to disk"),
        *(b"unable to rename current to previous in directory DIR", b"unable to create DIR/current"),
        *(b"unable to set mode of DIR/current", b"unable to set mode of DIR/previous"),
    }
    if processor:
        expected |= {
            *(b"unable to create DIR/processed", b"unable to write DIR/processed to disk"),
            *(b"unable to set mode of DIR/processed", b"unable to create DIR/newstate"),
            *(b"unable to write DIR/newstate to disk", b"unable to rename newstate to state in directory DIR"),
            *(b"unable to remove DIR/previous", b"unable to stat DIR/processed", b"unable to remove DIR/processed"),
        }
    else:
        expected |= {b"unable to stat DIR/previous", b"unable to remove DIR/previous"}
    expected |= {b"unable to link to DIR/LABEL.s", b"unable to read DIR"}
    expected = {message + b", pausing" for message in expected}
    if times == 3:
        assert {re.sub(rb"@[0-9a-f]{24}", b"LABEL", message) for message in messages} == expected


A_ROTATION = ("fsync", "rename", "close", "open", "fchmod", "chmod", "stat", "link", "unlink", "listdir", "unlink")


def test_a_rotation_makes_no_more_system_calls_than_these_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path, count=2)
    log.run(b"a\n" * 2000, b"b\n", is_last=False)
    made: list[str] = []
    recorder = Recorder(made)
    for module in (directory, folder, oldfiles):
        monkeypatch.setattr(module, "posix", recorder)
    log.log.rotate()
    assert tuple(made) == A_ROTATION


def test_a_step_of_a_rotation_may_fail_for_hours(tmp_path: Path, having: Having) -> None:
    log = Log(tmp_path)
    log.run(b"a\n", is_last=False)

    def fail(later: int, call: Callable[[], Any]) -> Any:
        if later < 5000:
            raise OSError(errno.ENOSPC, "")
        return call()

    having(2, fail)
    log.log.rotate()
    log.settle()
    assert len(log.warnings) == 5000
    assert [file.read_bytes() for file in old_files(tmp_path)] == [b"a\n"]


def test_current_is_not_closed_twice_when_closing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path)
    log.run(b"a\n", is_last=False)
    closed: list[int] = []

    def close(descriptor: int) -> None:
        closed.append(descriptor)
        posix.close(descriptor)
        raise OSError(errno.EIO, "")

    calls = Calls(10**9, lambda *_: None)
    monkeypatch.setattr(calls, "close", close, raising=False)
    monkeypatch.setattr(directory, "posix", calls)
    log.log.rotate()
    assert log.warnings == [b"unable to create %b/current, pausing" % os.fsencode(tmp_path)]
    log.settle()
    assert len(closed) == 1
    assert [file.read_bytes() for file in old_files(tmp_path)] == [b"a\n"]
    monkeypatch.undo()
    log.log.close()


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(10**9, lambda *_: None)
    calls.write = lambda descriptor, data: posix.write(descriptor, bytes(data)[: len(data) // 2 + 1])  # type: ignore[attr-defined]
    monkeypatch.setattr(directory, "posix", calls)
    Log(tmp_path).run(*STREAM, b"".join(STREAM))
    assert content(tmp_path) == b"".join(STREAM) * 2


def test_a_fork_that_fails_is_tried_again(tmp_path: Path) -> None:
    log = Log(tmp_path, processor=b"command")
    log.failures = [OSError(errno.EAGAIN, "")] * 2
    log.run(*STREAM)
    assert log.warnings == [b"unable to fork for processor in %b, pausing" % os.fsencode(tmp_path)] * 2
    assert content(tmp_path) == b"".join(STREAM)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: path.write_bytes(b""), b"unable to open directory DIR"),
        (lambda path: (path / "lock").mkdir(parents=True), b"unable to lock directory DIR"),
        (lambda path: (path / "current").mkdir(parents=True), b"unable to append to DIR/current"),
        (lambda path: (path / "state").mkdir(parents=True), b"unable to write to DIR/state"),
    ],
)
def test_what_is_fatal_at_start_up(tmp_path: Path, prepare: Callable[[Path], object], message: bytes) -> None:
    path = tmp_path / "d"
    prepare(path)
    log = Log(path)
    with pytest.raises(CannotOpenLog) as caught:
        log.log.open()
    log.log.close()
    assert caught.value.message == message.replace(b"DIR", os.fsencode(path))


def test_trouble_while_recovering_is_waited_for(tmp_path: Path, having: Having) -> None:
    first = Log(tmp_path)
    first.run(b"one\n", is_last=False)
    first.log.close()
    failed: list[int] = []

    def fail(later: int, call: Callable[[], Any]) -> Any:
        if len(failed) < 1:
            failed.append(later)
            raise OSError(errno.EIO, "")
        return call()

    log = Log(tmp_path)
    having(11, fail)
    log.run(b"two\n")
    assert log.warnings
    assert content(tmp_path) == b"one\ntwo\n"


def test_work_given_while_other_waits_is_done_in_its_turn(tmp_path: Path, having: Having) -> None:
    log = Log(tmp_path)
    log.log.open()
    full = [True]

    def fail(later: int, call: Callable[[], Any]) -> Any:
        if full[0]:
            raise OSError(errno.ENOSPC, "")
        return call()

    having(1, fail)
    log.log.write(b"zero\none\ntwo\n", 5, 9)
    log.log.rotate()
    log.log.write(b"zero\none\ntwo\n", 9, 13)
    log.log.finish()
    log.log.retry()
    assert log.warnings == [b"unable to write to %b/current, pausing" % os.fsencode(tmp_path)] * 2
    full[0] = False
    log.log.retry()
    assert not log.log.is_busy
    assert [file.read_bytes() for file in old_files(tmp_path)] == [b"one\n"]
    assert (tmp_path / "current").read_bytes() == b"two\n"
    assert modes(tmp_path) == {**CLEAN, "@.s": 0o744}
