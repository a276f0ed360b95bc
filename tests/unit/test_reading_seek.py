"""A window of time in files too large to read: what seeking leaves out, held against a search through all lines."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyinit import tai
from pyinit.logs.reading import seeking, window
from pyinit.logs.reading.logfile import LogFile, Reporter
from pyinit.logs.reading.reader import LogReader
from pyinit.logs.reading.stamps import key_of, stamp_length

STEP = 64


@pytest.fixture(autouse=True)
def large_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as a large one."""
    monkeypatch.setattr(seeking, "SCANNED", 0)
    monkeypatch.setattr(seeking, "STEP", STEP)
    monkeypatch.setattr(seeking, "BLOCK", 100)
    monkeypatch.setattr(seeking, "PROBE_SIZES", (40, 400))


def key(time: int) -> bytes:
    return tai.label(time) + b" "


def sought(content: bytes, bound: bytes) -> int:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return seeking.first_from(file.fileno(), len(content), bound)


def starts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each stamped line begins, and its key."""
    at = 0
    for line in content.split(b"\n"):
        if found := key_of(line):
            yield at, found
        at += len(line) + 1


LINES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 20, 300]), st.booleans()), max_size=40)


def text(lines: list[tuple[int, int, bool]]) -> bytes:
    """Lines whose stamps rise by so much, with so long a message; some have no stamp."""
    time, content = 0, b""
    for rise, length, is_bare in lines:
        time += rise
        content += (b"" if is_bare else key(time)) + b"m" * length + b"\n"
    return content


@settings(max_examples=300, deadline=None)
@given(lines=LINES, bound=st.integers(0, 60), is_cut=st.booleans())
def test_the_first_from_is_found_where_stamps_rise(
    lines: list[tuple[int, int, bool]], bound: int, is_cut: bool
) -> None:
    content = text(lines)
    content = content[:-1] if is_cut else content
    expected = next((at for at, found in starts(content) if found >= key(bound)), len(content))
    assert sought(content, key(bound)) == expected


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90)), max_size=60),
    bound=st.integers(0, 60),
)
def test_late_lines_between_early_ones_are_lost_only_if_they_are_few(lines: list[tuple[int, int]], bound: int) -> None:
    """Stamps in any order: before the place found, late lines take fewer bytes in a row than a step and two lines."""
    content = b"".join(key(time) + b"m" * length + b"\n" for time, length in lines)
    found = sought(content, key(bound))
    late = at = 0
    for line in content[:found].splitlines(True):
        late = late + len(line) if line[:26] >= key(bound) else 0
        assert late < STEP + 2 * (26 + 90 + 1)
        at += len(line)
    assert found == at


def test_a_clock_set_back_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a binary search would find the second hour of a time that was there twice."""
    monkeypatch.undo()
    first, again = range(100_000), range(50_000, 120_000)
    content = b"".join(key(time) + b"a message\n" for time in (*first, *again))
    assert len(content) > 4 * seeking.SCANNED
    found = sought(content, key(90_000))
    assert found == 90_000 * 36


def test_a_large_file_without_stamps_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"no stamp\n" * 1000
    monkeypatch.setattr(seeking, "_scan", None)
    assert sought(content, key(1)) == len(content)


def test_a_file_that_is_early_by_its_name_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But no more than the newest of them, and none that is compressed."""
    monkeypatch.undo()
    old = tmp_path / f"{tai.label(40).decode()}.s"
    old.write_bytes(key(10) + b"a\n" + key(90) + b"before the clock was set back\n" + key(40) + b"b\n")
    (tmp_path / f"{tai.label(41).decode()}.s").write_bytes(b"\x1f\x8b no gzip")
    (tmp_path / "current").write_bytes(key(42) + b"c\n")
    assert read(tmp_path, 80) == [b"before the clock was set back", b"b", b"\x1f\x8b no gzip", b"c"]
    for number in range(window.SUSPECTS):
        (tmp_path / f"{tai.label(50 + number).decode()}.s").write_bytes(key(43) + b"d\n")
    assert read(tmp_path, 80) == []


def read(directory: Path, since: int) -> list[bytes]:
    """The messages of the window, plain bytes where a file cannot be unpacked."""
    reader = LogReader(b"web", bytes(directory), key(since), Reporter(lambda message, error: None))
    (directory / "current").touch()
    reader.refresh()
    files, reader._queue = reader._queue, []
    lines: list[bytes] = []
    for file in files:
        content = Path(os.fsdecode(file.path)).read_bytes()
        end = len(content) if file.end < 0 or content[:2] == b"\x1f\x8b" else file.end
        lines += content[file.start : end].splitlines()
        file.close()
    return [line[stamp_length(line) :] if key_of(line) else line for line in lines]


@pytest.mark.parametrize("is_large", [False, True])
def test_lines_behind_the_last_stamp_belong_to_the_end_of_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    """Where stamps were switched off in the middle of a file. A stack trace is too short for that."""
    if not is_large:
        monkeypatch.undo()
    stamped = key(10) + b"a\n" + key(11) + b"long" * 100 + b"\n"
    for bare, is_found in ((b"bare line\n" * 500, True), (b"short\n", False)):
        current = tmp_path / "current"
        current.write_bytes(stamped + bare)
        file = LogFile(bytes(current))
        file.hold()
        assert file.find_bare_end(key(10**6)) == (len(stamped) if is_found else file.end)
        assert file.find_bare_end(key(10**19)) == file.end
        file.close()
        assert read(tmp_path, 10**6) == ([b"bare line"] * 500 if is_found else [])


@pytest.mark.parametrize("length", [0, 10, 500])
def test_a_last_line_that_may_go_on_is_kept_with_its_stamp(tmp_path: Path, length: int) -> None:
    current = tmp_path / "current"
    ended = key(1) + b"x" * length + b"\n"
    current.write_bytes(ended)
    file = LogFile(bytes(current))
    file.skip()
    assert file.start == file.end == len(ended)
    current.write_bytes(ended + key(2) + b"begun")
    file = LogFile(bytes(current))
    file.skip()
    assert (file.start, file.end) == (len(ended), len(ended) + 31)


def test_stamps_of_both_kinds_are_the_same_keys() -> None:
    moment = 935467445787492500
    assert key_of(b"1999-08-24T04:04:05.787492500Z x") == key_of(b"1999-08-24T04:04:05.7874925Z x") == key(moment)
    assert key_of(b"1970-01-01T00:00:00Z ") == key(0)
    assert key_of(b"2024-02-29T23:59:59Z x") == key(1709251199 * 10**9)
    assert stamp_length(b"1970-01-01T00:00:00.5Z x") == 23


@pytest.mark.parametrize(
    "line",
    [
        b"1999-08-24T04:04:05x",
        b"1999-08-24T04:04:05Z",
        b"1999-08-24 04:04:05Z x",
        b"1999-08-24T04:04:05.Z x",
        b"1999-08-24T04:04:05.1x3Z x",
        b"1999-08-24T04:04:05,1Z x",
        b"1999-08-24T04:04:05.1234567890Z x",
        b"1999-08-24T04:04:05+00:00 x",
        b"1999-13-24T04:04:05Z x",
        b"1999-08-32T04:04:05Z x",
        b"1999-08-24T24:04:05Z x",
        b"1999-08-24T04:60:05Z x",
        b"1999-08-24T04:04:61Z x",
        b"1999-08-24T04.04:05Z x",
        b"19 9-08-24T04:04:05Z x",
        b"",
    ],
)
def test_what_is_no_time_is_no_stamp(line: bytes) -> None:
    assert key_of(line) == b""
