"""Bytes that are cut, quoted or shown: whole characters, names as one field, counters that add up."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyinit.formats.counters import Counters
from pyinit.formats.visible import complete, quote, unquote


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (b"", 0),
        (b"abc", 3),
        ("aä".encode(), 3),
        ("aä".encode()[:-1], 1),
        ("a€".encode(), 4),
        ("a€".encode()[:-1], 1),
        ("a€".encode()[:-2], 1),
        ("a😀".encode(), 5),
        ("a😀".encode()[:-1], 1),
        ("a😀".encode()[:-2], 1),
        ("a😀".encode()[:-3], 1),
        (b"\x80\x80\x80\x80", 4),
    ],
)
def test_a_cut_character_waits_for_its_end(text: bytes, whole: int) -> None:
    assert complete(text) == whole


@given(st.binary(max_size=40))
@example(b"")
@example(b"a\\b c\n\xff\xc3\xa4")
def test_a_quoted_name_is_one_field_and_comes_back(name: bytes) -> None:
    field = quote(name)
    assert b"\n" not in field
    field.decode()
    assert unquote(field) == name


def test_lines_that_are_left_out_are_dropped_and_not_written() -> None:
    counters = Counters()
    counters.hold(5, 50)
    counters.leave_out(2, 20)
    counters.commit()
    assert (counters.lines_written, counters.bytes_written, counters.dropped) == (3, 30, 2)


def test_what_is_held_when_its_log_is_lost_is_dropped() -> None:
    counters = Counters()
    counters.hold(5, 50, deselected=1)
    counters.commit(is_lost=True)
    assert (counters.lines_written, counters.dropped, counters.deselected) == (0, 5, 1)
