"""Lines as objects, and lines that match with those around them: held against what a simple model says."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyinit import tai
from pyinit.logs.reading import logfile, merging
from pyinit.logs.reading.logfile import LogFile, Reporter
from pyinit.logs.reading.matching import BadPattern, Matcher, searcher
from pyinit.logs.reading.merging import Batch, Cutter
from pyinit.logs.reading.printout import Printout
from pyinit.logs.reading.query import BadQuery, read_query

MOMENT = 935467445787492500
LABEL = tai.label(MOMENT)


class Printed(Printout):
    """What would be printed, with small blocks."""

    def __init__(self, *arguments: bytes) -> None:
        super().__init__(read_query(list(arguments), MOMENT), b"/nowhere", b"/nowhere")
        self.output = b""
        self._output = self  # type: ignore[assignment]

    @property
    def _block(self) -> int:
        return 64

    def add(self, text: bytes) -> None:
        self.output += text

    def finish(self) -> None:
        pass


def printed(content: bytes, *arguments: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as top:
        log = Path(top) / "web"
        log.mkdir()
        (log / "current").write_bytes(content)
        print_out = Printed(bytes(log), *arguments)
        assert print_out.run() == 0
        return print_out.output


def unescaped(found: dict[str, object]) -> bytes:
    """The bytes of a message."""
    message = str(found["message"])
    if not found.get("escaped"):
        return message.encode()
    return re.sub(
        rb"\\(?:\\|x(..))", lambda match: bytes.fromhex(match[1].decode()) if match[1] else b"\\", message.encode()
    )


MESSAGES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=200).map(str.encode),
    st.just("ü€𝄞".encode() * 60),
    st.just(b"\xe2\x82" * 70),
).map(lambda text: text.replace(b"\n", b""))


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(st.tuples(st.booleans(), MESSAGES), max_size=8), long=st.sampled_from([60, 61, 90, 1 << 16]))
@example(lines=[(True, b"\\x41 \xff"), (False, b"\x85\x7f\xc2\x85")], long=90)
def test_objects_are_strict_and_their_pieces_are_the_bytes_of_the_line(
    lines: list[tuple[bool, bytes]], long: int
) -> None:
    content = b"".join((LABEL + b" " if is_stamped else b"") + message + b"\n" for is_stamped, message in lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "LONG", long)
        output = printed(content, b"--json")
    found: list[tuple[object, bytes]] = []
    part = 0
    for line in output.decode().split("\n")[:-1]:
        read = json.loads(line, parse_constant=pytest.fail)
        assert list(read)[:3] == ["time", "service", "message"]
        assert set(read) <= {"time", "service", "message", "escaped", "partial", "part"}
        assert not re.search("[\x00-\x1f\x7f-\x9f]", line)
        if "part" in read:
            part += 1
            assert read["part"] == part
        if part > 1:
            assert read["time"] is None
            found[-1] = found[-1][0], found[-1][1] + unescaped(read)
        else:
            found.append((read["time"], unescaped(read)))
        if not read.get("partial"):
            part = 0
    stamp = "1999-08-24T04:04:05.787492500Z"
    assert found == [(stamp if is_stamped else None, message) for is_stamped, message in lines]


def test_an_object() -> None:
    line = b"1999-08-24T04:04:05.5Z listening on \xe2\x82\xac\n"
    name = b'/web", "message": '
    output = printed(LABEL + b" a \\ \xff\n" + line + b"no stamp\n@" + b"f" * 24 + b" no time\n", b"--json")
    for text in b"x", b"\xff":
        output += printed(b"@4000000037c219bf3b9aca00 " + text + b"\n", b"--json")
        output += printed(b"@4000000037c219bf3b9ac9ff " + text + b"\n", b"--json")

    objects = [name + rest for _, rest in (text.split(name) for text in output.splitlines())]
    assert objects[0].endswith(rb'"a \\\\ \\xff", "escaped": true}')
    assert objects[1].endswith('"listening on €"}'.encode())
    times = [json.loads(text)["time"] for text in output.splitlines()]
    assert times == [
        "1999-08-24T04:04:05.787492500Z",
        "1999-08-24T04:04:05.500000000Z",
        None,
        None,
        *[None, "1999-08-24T04:04:05.999999999Z"] * 2,
    ]


def batches(text: bytes, size: int) -> list[Batch]:
    cutter = Cutter()
    found = []
    for at in range(0, len(text), size):
        found += cutter.feed(text[at : at + size])
    return found + cutter.finish()


@settings(max_examples=500, deadline=None)
@given(
    lines=st.lists(st.sampled_from([b"a", b"b", b"match", b"another match", b""]), max_size=40),
    context=st.integers(0, 5),
    size=st.integers(1, 200),
    stamps=st.sampled_from(["all", "none", "some"]),
)
def test_matches_and_the_lines_around_them(lines: list[bytes], context: int, size: int, stamps: str) -> None:
    """As a search through all lines finds them, wherever blocks end."""
    full = [
        (LABEL + b" " if stamps == "all" or (stamps == "some" and number % 3) else b"") + line
        for number, line in enumerate(lines)
    ]
    matcher = Matcher(searcher(b"^match|er m"), context)
    shown = [
        line
        for batch in matcher.matching(batches(b"".join(line + b"\n" for line in full), size))
        for line in batch.lines
    ]
    found = [index for index, line in enumerate(lines) if b"match" in line]
    expected = [line for index, line in enumerate(full) if any(abs(index - place) <= context for place in found)]
    assert shown == expected


def test_what_is_around_a_match_is_remembered_from_one_read_to_the_next() -> None:
    matcher = Matcher(searcher(b"match"), 2)
    texts = [b"a\nb\nc\n", b"match\nd\n", b"e\nf\n", b"g\nh\ni\nmatch\n"]
    shown = [[line for batch in matcher.matching(batches(text, 100)) for line in batch.lines] for text in texts]
    assert shown == [[], [b"b", b"c", b"match", b"d"], [b"e"], [b"h", b"i", b"match"]]


def test_a_long_line_is_shown_whole_if_its_first_piece_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "LONG", 50)
    lines = [b"x" * 200, b"match" + b"y" * 200, b"z" * 200, b"end match"]
    content = b"".join(line + b"\n" for line in lines)
    assert printed(content, b"-g", b"match") == lines[1] + b"\n" + lines[3] + b"\n"
    before, *rest = printed(content, b"-g", b"^end", b"-C", b"1").split(b"\n")
    assert lines[2].startswith(before)
    assert len(before) > 50
    assert rest == [b"end match", b""]


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.sampled_from([b"a", b"a", b"a", b"match"]), max_size=200),
    context=st.integers(0, 4),
    number=st.integers(0, 12),
    has_stamps=st.booleans(),
)
def test_the_last_lines_around_matches(lines: list[bytes], context: int, number: int, has_stamps: bool) -> None:
    """Read from the end, as far as is needed."""
    full = [line + b" %d" % place for place, line in enumerate(lines)]
    found = [index for index, line in enumerate(lines) if line == b"match"]
    shown = [line for index, line in enumerate(full) if any(abs(index - place) <= context for place in found)]
    content = b"".join((LABEL + b" " if has_stamps else b"") + line + b"\n" for line in full)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logfile, "TAIL_BLOCK", 50)
        patch.setattr(logfile, "FAR", 200)
        output = printed(content, b"-g", b"match", b"-C%d" % context, b"-n%d" % number)
    assert [line.rpartition(b"0 ")[2] if has_stamps else line for line in output.splitlines()] == shown[
        len(shown) - min(number, len(shown)) :
    ]


def test_few_matches_near_the_end_need_no_read_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"".join(b"%b %d\n" % (LABEL, number) for number in range(20_000))
    read: list[int] = []
    monkeypatch.setattr(logfile, "FAR", 200)
    blocks = LogFile.blocks

    def counted(file: LogFile, size: int, reporter: Reporter) -> Iterator[bytes]:
        for block in blocks(file, size, reporter):
            read.append(len(block))
            yield block

    monkeypatch.setattr(LogFile, "blocks", counted)
    assert printed(content, b"-g", b"7$", b"-n3").count(b"\n") == 3
    assert sum(read) < len(content) / 20


def test_the_last_lines_that_match() -> None:
    content = b"".join(b"%b %d %b\n" % (LABEL, number, b"odd" if number % 2 else b"even") for number in range(2000))
    lines = printed(content, b"-n", b"3", b"-g", b"odd$", b"--utc").splitlines()
    assert [line.split()[2] for line in lines] == [b"1995", b"1997", b"1999"]


@pytest.mark.parametrize("pattern", [b"(", b"*a", b"[a", b"(?P<a", b"a{99999999999999999999}"])
def test_a_pattern_that_is_none(pattern: bytes) -> None:
    with pytest.raises(BadPattern) as bad:
        searcher(pattern)
    assert bad.value.message
    with pytest.raises(BadQuery) as wrong:
        read_query([b"-g", pattern], 0)
    assert wrong.value.message.startswith(b"unable to understand pattern " + pattern + b": ")
