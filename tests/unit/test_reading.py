"""Logs read back: what svlog prints, held against a model that has all lines in memory and sorts them."""

import bz2
import gzip
import lzma
import os
import re
import shutil
import tempfile
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyinit import tai
from pyinit.logs.reading import logfile, merging, seeking
from pyinit.logs.reading.logfile import Reporter
from pyinit.logs.reading.merging import Batch, Cutter
from pyinit.logs.reading.printout import Printout
from pyinit.logs.reading.query import read_query
from pyinit.logs.reading.reader import LogReader
from pyinit.logs.reading.stamps import key_of

EPOCH = 1_700_000_000 * 10**9
"""Times in these tests are small numbers of nanoseconds since then."""


def head(time: int) -> bytes:
    return tai.label(EPOCH + time) + b" "


def stamp(time: int, kind: str) -> bytes:
    """What a line of this time begins with; a time of RFC 3339 with as few digits as it needs."""
    if kind == "tai64n":
        return head(time)
    seconds, nanoseconds = divmod(EPOCH + time, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanoseconds:09d}".rstrip("0").rstrip(".").encode() + b"Z "


def time_of(line: bytes) -> int | None:
    """The unix nanoseconds of a line's stamp, found by other means than ours; None for a line without."""
    if found := re.match(rb"(@[0-9a-f]{24}) ", line):
        return tai.parse(found[1])
    if found := re.match(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z ", line):
        seconds = int(datetime.fromisoformat(found[1].decode() + "+00:00").timestamp())
        return seconds * 10**9 + int((found[2] or b"").ljust(9, b"0"))
    return None


def shown(line: bytes) -> bytes:
    time = time_of(line)
    if time is None:
        return line
    seconds, nanoseconds = divmod(time, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{nanoseconds:09d}Z".encode() + line[line.index(b" ") :]


class File:
    """A file of a log: its lines, the time at which it was finished, how it is kept."""

    def __init__(self, lines: list[bytes], time: int, packing: str) -> None:
        self.lines = lines
        self.time = time
        self.packing = packing

    def __repr__(self) -> str:
        return f"File({self.lines}, {self.time}, {self.packing!r})"

    def content(self) -> bytes:
        text = b"".join(line + b"\n" for line in self.lines)
        match self.packing:
            case "gzip":
                return gzip.compress(text)
            case "bzip2":
                return bz2.compress(text)
            case "xz":
                return lzma.compress(text)
            case _:
                return text


MESSAGES = st.one_of(st.binary(max_size=30), st.just(b"x" * 120)).map(
    lambda text: text.replace(b"\n", b"") if time_of(text) is None else b""
)


@st.composite
def log(draw: st.DrawFn) -> list[File]:
    """Files of one log: stamps rise, but for a clock that is set back at times; the last file is `current`.

    The kind of stamps changes in the middle of files, too.
    """
    time = draw(st.integers(0, 5))
    kind = draw(st.sampled_from(["tai64n", "rfc3339"]))
    steps = draw(st.sampled_from([[0, 0, 1, 2, 5], [0, 0, 1, 2, 5, -1], [1, 2, -20]]))
    files: list[File] = []
    for _ in range(draw(st.integers(1, 4))):
        lines: list[bytes] = []
        has_stamps = draw(st.integers(0, 5)) > 0
        for _ in range(draw(st.integers(0, 12))):
            time += draw(st.sampled_from(steps))
            bare = lines and draw(st.integers(0, 4)) == 0
            if draw(st.integers(0, 6)) == 0:
                kind = "tai64n" if kind == "rfc3339" else "rfc3339"
            message = draw(MESSAGES)
            lines.append(stamp(time, kind) + message if has_stamps and not bare else message.replace(b"@", b"a"))
        time += 1 if min(steps) < 0 else 5
        files.append(File(lines, time, draw(st.sampled_from(["plain", "plain", "gzip", "bzip2", "xz"]))))
    files[-1].packing = "plain"
    if falls(files):  # compressed files are not looked into if their names are early
        for file in files:
            file.packing = "plain"
    old = {file.time: file for file in files[:-1]}  # the reader's order is that of the names
    return [*(old[time] for time in sorted(old)), files[-1]]


def falls(files: list[File]) -> bool:
    """Whether the clock was set back: keys at the end then depend on lines that -n does not read."""
    times = [time for file in files for line in file.lines if (time := time_of(line)) is not None]
    return times != sorted(times)


def write(directory: Path, files: list[File]) -> None:
    directory.mkdir()
    for file in files[:-1]:
        (directory / f"{tai.label(EPOCH + file.time).decode()}.s").write_bytes(file.content())
    current = directory / "current"
    current.write_bytes(files[-1].content())
    os.utime(current, ns=(EPOCH, EPOCH + files[-1].time))


def model(logs: list[list[File]], names: list[bytes], since: int | None, until: int | None) -> list[bytes]:
    """Every line, by key, log and place; in the window."""
    found = []
    for index, files in enumerate(logs):
        last = b""
        for file in files:
            if file.lines and all(time_of(line) is None for line in file.lines):
                last = max(last, head(file.time))
            for line in file.lines:
                time = time_of(line)
                last = last if time is None else max(last, head(time - EPOCH))
                found.append((last, index, shown(line)))
    found.sort(key=lambda entry: entry[:2])
    return [
        (names[index] + b": " if len(names) > 1 else b"") + line + b"\n"
        for key, index, line in found
        if (since is None or key >= head(since)) and (until is None or key <= head(until))
    ]


class Captured(Printout):
    """What would be printed, with small blocks."""

    block = 1 << 14

    def __init__(self, arguments: list[str]) -> None:
        query = read_query([os.fsencode(argument) for argument in ["--utc", *arguments]], time.time_ns())
        super().__init__(query, b"/nowhere", b"/nowhere")
        self.output = b""
        self._output = self  # type: ignore[assignment]

    @property
    def _block(self) -> int:
        return self.block

    def add(self, text: bytes) -> None:
        self.output += text

    def finish(self) -> None:
        pass


def capture(arguments: list[str], block: int = 1 << 14) -> bytes:
    printed = Captured(arguments)
    printed.block = block
    assert printed.run() == 0
    for reader in printed._readers.values():
        for file in reader._queue + reader._raw:
            file.close()
    return printed.output


TIMES = st.one_of(st.none(), st.integers(-60, 100))


@settings(max_examples=300, deadline=None)
@given(
    logs=st.lists(log(), min_size=1, max_size=4),
    since=TIMES,
    until=TIMES,
    lines=st.one_of(st.none(), st.integers(0, 40)),
    block=st.sampled_from([64, 100, 1000, 1 << 14]),
    tail_block=st.sampled_from([30, 70, 1000]),
    long=st.sampled_from([90, 1 << 16]),
    are_large=st.booleans(),
)
def test_what_is_printed_is_what_the_model_has(
    logs: list[list[File]],
    since: int | None,
    until: int | None,
    lines: int | None,
    block: int,
    tail_block: int,
    long: int,
    are_large: bool,
) -> None:
    """Windows are sought in what counts as large files, too, where stamps only rise."""
    top = Path(tempfile.mkdtemp())
    patch = pytest.MonkeyPatch()
    try:
        patch.setattr(logfile, "TAIL_BLOCK", tail_block)
        patch.setattr(merging, "LONG", long)
        if are_large and not any(map(falls, logs)):
            patch.setattr(seeking, "SCANNED", 0)
            patch.setattr(seeking, "STEP", 50)
            patch.setattr(seeking, "BLOCK", 80)
        arguments = []
        for index, files in enumerate(logs):
            write(top / str(index), files)
            arguments.append(str(top / str(index)))
        expected = model(logs, [argument.encode() for argument in arguments], since, until)
        arguments += [] if since is None else ["--since", head(since).decode().strip()]
        arguments += [] if until is None else ["--until", head(until).decode().strip()]
        if lines is not None and (len(logs) == 1 or not any(map(falls, logs))):
            arguments += ["-n", str(lines)]
            expected = expected[len(expected) - min(lines, len(expected)) :]
        assert capture(arguments, block) == b"".join(expected)
    finally:
        patch.undo()
        shutil.rmtree(top)


def flat(batches: list[Batch]) -> list[tuple[bytes, bytes]]:
    """Key and text of each line, the pieces of long ones put together."""
    lines: list[tuple[bytes, bytes]] = []
    for batch in batches:
        assert len(batch.keys) == len(batch.lines) > 0
        assert batch.keys == sorted(batch.keys)
        if batch.is_labelled:
            assert all(map(key_of, batch.lines))
        if batch.begins:
            lines += zip(batch.keys, batch.lines, strict=True)
        else:
            assert batch.lines == batch.lines[:1]
            assert batch.keys == [lines[-1][0]]
            lines[-1] = lines[-1][0], lines[-1][1] + batch.lines[0]
    return lines


@given(
    text=st.lists(
        st.one_of(st.just(b"\n"), st.integers(0, 9).map(head), st.binary(max_size=40), st.just(b"y" * 300))
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 2000)),
    long=st.sampled_from([50, 1 << 16]),
)
def test_a_stream_is_cut_into_the_same_lines_wherever_blocks_end(text: bytes, cuts: list[int], long: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "LONG", long)
        cutter = Cutter()
        batches = cutter.begin(text, head(3), False)
        places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
        for start, stop in pairwise(places):
            batches += cutter.feed(text[start:stop])
        batches += cutter.finish()
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    assert [line for _, line in flat(batches)] == lines
    last = b"" if any(map(key_of, lines)) else head(3)
    expected = []
    for line in lines:
        last = max(last, key_of(line))
        expected.append(last)
    assert [key for key, _ in flat(batches)] == expected


def put(directory: Path, **files: bytes) -> str:
    """A log directory; `s5` is an old file finished at time 5, `u5` one that was cut off then."""
    directory.mkdir()
    for name, content in files.items():
        is_old = name[1:].isdigit()
        file = f"{tai.label(EPOCH + int(name[1:])).decode()}.{name[0]}" if is_old else name
        (directory / file).write_bytes(content)
        (directory / file).chmod(0o744)
    return str(directory)


def messages(output: bytes) -> list[bytes]:
    return [line.partition(b"Z ")[2] if line[:2] == b"20" else line for line in output.splitlines()]


def test_a_line_that_rotation_cut_is_one(tmp_path: Path) -> None:
    path = put(tmp_path / "log", s5=head(1) + b"a\n" + head(2) + b"begun ", current=b"and ended\n" + head(3) + b"b\n")
    assert messages(capture([path])) == [b"a", b"begun and ended", b"b"]


def test_a_line_that_a_crash_cut_ends_there(tmp_path: Path) -> None:
    path = put(tmp_path / "log", u5=head(2) + b"cut", s7=b"no label\n", current=head(8) + b"b")
    assert messages(capture([path])) == [b"cut", b"no label", b"b"]


def test_a_line_ends_where_a_label_begins_another(tmp_path: Path) -> None:
    path = put(tmp_path / "log", s5=head(2) + b"cut", current=head(3) + b"b\n")
    assert messages(capture([path])) == [b"cut", b"b"]


def test_a_file_that_begins_without_a_label_stays_behind_the_file_before(tmp_path: Path) -> None:
    one = put(tmp_path / "one", s5=head(1) + b"error:\n", current=b" more of it\n" + head(9) + b"later\n")
    two = put(tmp_path / "two", current=head(4) + b"other\n")
    expected = [b"error:", b" more of it", b"other", b"later"]
    for arguments in [], ["-n", "3"], ["-n", "4"]:
        lines = capture([one, two, *arguments]).splitlines()
        found = [line.rpartition(b"Z ")[2].rpartition(b"one: ")[2] for line in lines]
        assert found == expected[-int((arguments or ["0", "4"])[1]) :]


def test_the_states_of_a_rotation(tmp_path: Path) -> None:
    a, b, c = (head(time) + name + b"\n" for time, name in ((1, b"a"), (2, b"b"), (3, b"c")))
    path = put(tmp_path / "renamed", s5=a, previous=b, current=c)
    assert messages(capture([path])) == [b"a", b"b", b"c"]
    path = put(tmp_path / "no current yet", s5=a, previous=b)
    assert messages(capture([path])) == [b"a", b"b"]
    path = put(tmp_path / "linked", s5=a, previous=b, current=c)
    os.link(f"{path}/previous", f"{path}/{tai.label(EPOCH + 6).decode()}.s")
    assert messages(capture([path])) == [b"a", b"b", b"c"]
    path = put(tmp_path / "processing", s5=a, previous=b, current=c, processed=gzip.compress(b)[:9])
    assert messages(capture([path])) == [b"a", b"b", b"c"]
    path = put(tmp_path / "processed", s5=a, current=c, processed=gzip.compress(b))
    assert messages(capture([path])) == [b"a", b"b", b"c"]
    (Path(path) / "processed").chmod(0o644)
    assert messages(capture([path])) == [b"a", b"c"]


def test_what_is_not_a_label_is_left_as_it_is(tmp_path: Path) -> None:
    label = head(1).strip()
    lines = [
        b"@",
        label[:-1] + b" x",
        label + b"0 x",
        label + b"x",
        label.upper() + b" x",
        label[:17] + b" 1234567 x",
        label[:17] + b"+1234567 x",
        b"@ffffffffffffffff00000000 x",
        b" " + label + b" x",
        b"\xff\0\r x",
    ]
    path = put(tmp_path / "log", current=b"".join(line + b"\n" for line in lines))
    assert capture([path]).split(b"\n")[:-1] == lines
    good = head(2) + b"good"
    path = put(tmp_path / "mixed", current=b"".join(b"%b\n%b\n" % (good, line) for line in lines))
    found = capture([path]).split(b"\n")[:-1]
    assert found[1::2] == lines
    assert found[::2] == [shown(good)] * len(lines)


def test_files_before_the_window_are_not_opened(tmp_path: Path) -> None:
    path = put(tmp_path / "log", s5=b"\x1f\x8b is no gzip", s7=head(6) + b"in\n", current=head(8) + b"in too\n")
    since = head(6).decode().strip()
    assert messages(capture([path, "--since", since])) == [b"in", b"in too"]
    printed = Captured([path])
    assert printed.run() == 111


def test_files_behind_the_window_are_not_read(tmp_path: Path) -> None:
    path = put(tmp_path / "log", s5=head(3) + b"in\n", s7=head(6) + b"out\n", s9=b"\x1f\x8b is no gzip", current=b"")
    assert messages(capture([path, "--until", head(4).decode().strip()])) == [b"in"]


class Reading:
    """One log, read again and again while its files change; and what is complained about."""

    def __init__(self, path: str) -> None:
        self.complaints: list[bytes] = []
        self.reader = LogReader(
            b"web", path.encode(), b"", Reporter(lambda message, _: self.complaints.append(message))
        )

    def read(self) -> list[bytes]:
        self.reader.refresh()
        return [line.partition(b" ")[2] for batch in self.reader.batches(1 << 14) for line in batch.lines]


def rotate(path: str, time: int, following: bytes, processed: bool = False) -> None:
    """What multilog does: `current` becomes an old file, processed perhaps, and a new one begins."""
    current, old = Path(path) / "current", Path(path) / f"{tai.label(EPOCH + time).decode()}.s"
    current.rename(Path(path) / "previous")
    current.write_bytes(following)
    if processed:
        old.write_bytes(gzip.compress((Path(path) / "previous").read_bytes()))
        (Path(path) / "previous").unlink()
    else:
        (Path(path) / "previous").rename(old)


@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("count", [2, 3, 9])
def test_rotations_between_two_looks(tmp_path: Path, processed: bool, count: int) -> None:
    """So many that all old files that were known are gone, or not; what was removed unread is told."""
    path = put(tmp_path / "log", s1=head(0) + b"0\n", current=head(1) + b"1\n")
    reading = Reading(path)
    assert reading.read() == [b"0", b"1"]
    number = 1
    for rotations in (1, 2, 3, 1, 5):
        with (tmp_path / "log/current").open("ab") as current:
            current.write(head(number) + b"more\n")
        for _ in range(rotations):
            number += 1
            rotate(path, number, head(number) + b"%d\n" % number, processed)
            for old in sorted(tmp_path.glob("log/@*"))[: -count + 1]:
                old.unlink()
        kept = min(rotations, count)
        expected = [b"%d" % kept_number for kept_number in range(number - kept + 1, number + 1)]
        assert reading.read() == [b"more", *expected]
        message = b"unable to keep up with %b: lines may have been removed unread" % path.encode()
        assert reading.complaints == ([message] if rotations >= count else [])
        reading.complaints.clear()
        assert reading.read() == []


def test_a_file_that_a_processor_made_is_not_missed_before_it_has_its_name(tmp_path: Path) -> None:
    lines = [head(number) + b"%d\n" % number for number in range(5)]
    path = put(tmp_path / "log", s1=lines[0], current=lines[1])
    reading = Reading(path)
    assert reading.read() == [b"0", b"1"]
    rotate(path, 2, lines[2], processed=True)
    log = tmp_path / "log"
    (log / "current").rename(log / "previous")
    (log / "current").write_bytes(lines[3])
    (log / "processed").write_bytes(gzip.compress((log / "previous").read_bytes()))
    (log / "processed").chmod(0o744)
    (log / "previous").unlink()
    assert reading.read() == []
    (log / "processed").rename(log / f"{tai.label(EPOCH + 3).decode()}.s")
    rotate(path, 4, lines[4], processed=True)
    assert reading.read() == [b"2", b"3", b"4"]
