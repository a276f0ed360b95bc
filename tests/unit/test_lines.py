"""The cutter: whole lines, whatever the blocks."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pyinit.logs.multilog.lines import BEGUN, MORE, WHOLE, Lines, Piece, label_for, long_line, stamp, stamp_lines

NOW = 1_700_000_000_123_456_789
LABEL = b"@400000006553f10a075bcd15 "


def blocks(most: int = 4000) -> st.SearchStrategy[list[bytes]]:
    runs = st.tuples(st.sampled_from([b"\n", b"a", b"\0", b"\xff\xfe", b"@"]), st.integers(1, most)).map(
        lambda run: run[0] * run[1] if run[0] != b"\n" else b"\n" * (run[1] % 5 + 1)
    )
    return st.lists(st.lists(runs, min_size=1, max_size=6).map(b"".join), max_size=8)


def joined(pieces: Iterable[Piece]) -> bytes:
    """What a log directory gets."""
    return b"".join(
        stamp(text[start:stop], label) if kind == WHOLE else label + text[start:stop]
        for kind, text, start, stop, label in pieces
    )


def test_a_label() -> None:
    assert label_for(NOW) == LABEL
    assert stamp(b"a\n\nb\n", LABEL) == LABEL + b"a\n" + LABEL + b"\n" + LABEL + b"b\n"


@given(blocks(), st.booleans())
def test_nothing_is_lost_and_nothing_added_but_labels(stream: list[bytes], stamped: bool) -> None:
    lines = Lines(stamped)
    pieces = [piece for block in stream for piece in lines.feed(block, NOW)] + lines.finish()
    text = b"".join(stream)
    if text and not text.endswith(b"\n"):
        text += b"\n"
    assert joined(pieces) == (stamp(text, LABEL) if stamped and text else text)
    assert not lines.is_inside


@given(blocks(), st.booleans())
def test_each_piece_is_what_it_says(stream: list[bytes], stamped: bool) -> None:
    lines = Lines(stamped)
    is_streaming = False
    for block in stream:
        for kind, source, start, stop, label in lines.feed(block, NOW):
            text = source[start:stop]
            assert (kind == MORE) == is_streaming
            if kind == WHOLE:
                assert text.endswith(b"\n")
                assert start == 0 or source[start - 1 : start] == b"\n"
                labelled, begin, end = stamp_lines(source, start, stop, label)
                assert labelled[begin:end] == stamp(text, label)
            elif kind == BEGUN:
                assert b"\n" not in text
                assert len(label + text) == 1000
                is_streaming = True
            else:
                assert b"\n" not in text[:-1]
                is_streaming = not text.endswith(b"\n")
        assert lines.is_inside == (not block.endswith(b"\n"))


def test_a_line_is_acted_on_at_its_thousandth_byte() -> None:
    lines = Lines(stamped=False)
    assert lines.feed(b"x" * 999, NOW) == []
    assert lines.feed(b"y", NOW) == [(BEGUN, b"x" * 999 + b"y", 0, 1000, b"")]
    assert lines.feed(b"\n", NOW) == [(MORE, b"\n", 0, 1, b"")]


def test_a_line_has_the_time_of_its_first_byte() -> None:
    lines = Lines(stamped=True)
    assert lines.feed(b"a", NOW) == []
    assert lines.feed(b"b\nc\n", NOW + 1) == [
        (WHOLE, b"ab\n", 0, 3, LABEL),
        (WHOLE, b"b\nc\n", 2, 4, label_for(NOW + 1)),
    ]


def test_a_hundred_megabytes_without_newline_are_not_kept() -> None:
    lines = Lines(stamped=True)
    block = b"x" * (1 << 20)
    kept = [len(joined(lines.feed(block, NOW))) for _ in range(100)]
    assert kept == [len(LABEL) + len(block)] + [len(block)] * 99


@given(st.lists(st.integers(0, 60), max_size=20), st.integers(1, 50))
def test_long_lines_are_found(lengths: list[int], limit: int) -> None:
    text = b"".join(b"x" * length + b"\n" for length in lengths)
    starts = [sum(lengths[:index]) + index for index in range(len(lengths))]
    expected = [start for start, length in zip(starts, lengths, strict=True) if length > limit]
    for start in starts:
        assert long_line(text, start, limit) == next((found for found in expected if found >= start), -1)
