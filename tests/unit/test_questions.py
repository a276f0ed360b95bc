"""The packets between PID 1 and the checker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.questions import (
    CRON,
    DUE,
    FILE,
    HEALTH,
    HTTP,
    INTERVAL,
    PORT,
    PROGRAM,
    READINESS,
    TIMER,
    UNIX,
    Question,
    pack,
    pack_answer,
    pack_variables,
    unpack,
    unpack_answer,
    unpack_variables,
)

TEXT = st.binary(max_size=40).filter(lambda text: b"\0" not in text)
WHOLE = st.integers(0, 2**40)
SECONDS = st.floats(0, 1e9)
FIELD = st.frozensets(st.integers(0, 59), min_size=1)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    purpose = draw(st.sampled_from((READINESS, HEALTH, TIMER)))
    question = Question(purpose, draw(st.sampled_from((PORT, UNIX, FILE, PROGRAM, HTTP, CRON, INTERVAL))), draw(TEXT))
    question.host, question.path, question.zone = draw(TEXT), draw(TEXT), draw(TEXT)
    question.port, question.failures, question.count, question.mark = (draw(WHOLE) for _ in range(4))
    question.at, question.every, question.timeout = draw(SECONDS), draw(SECONDS), draw(SECONDS)
    question.fields = tuple(draw(st.lists(FIELD, max_size=5)))
    question.restricts_days = draw(st.booleans())
    return question


def content(question: Question) -> list[object]:
    return [getattr(question, field) for field in question.__slots__]


@given(WHOLE, questions())
def test_a_question_comes_as_it_went(number: int, question: Question) -> None:
    found, arrived = unpack(pack(number, question))
    assert (found, content(arrived)) == (number, content(question))


def test_a_packet_is_this() -> None:
    question = Question(HEALTH, HTTP, b"web")
    question.host, question.port, question.path = b"::1", 80, b"/healthz"
    question.at, question.every, question.timeout, question.failures = 1.5, 30.0, 2.0, 3
    expected = [b"health", b"http", b"web", b"::1", b"/healthz", b"", b"7", b"80", b"3", b"0", b"0", b"0"]
    assert pack(7, question).split(b"\0") == [*expected, b"1.5", b"30.0", b"2.0"]


@pytest.mark.parametrize("packet", [b"", b"x", b"\0" * 13, b"\0" * 20])
def test_a_malformed_packet_is_an_error(packet: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        unpack(packet)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(PORT, False), (HTTP, False), (CRON, False), (INTERVAL, False), (UNIX, True), (FILE, True), (PROGRAM, True)],
)
def test_a_path_needs_the_directory(kind: bytes, expected: bool) -> None:
    assert Question(READINESS, kind, b"web").needs_directory == expected


@given(TEXT, WHOLE, WHOLE)
def test_an_answer_comes_as_it_went(name: bytes, number: int, detail: int) -> None:
    assert unpack_answer(pack_answer(DUE, name, number, detail)) == (DUE, name, number, detail)


NAMES = TEXT.filter(lambda name: name and b"=" not in name)


@given(st.dictionaries(NAMES, st.none() | TEXT))
def test_variables_come_as_they_went(changes: dict[bytes, bytes | None]) -> None:
    assert unpack_variables(pack_variables(changes)) == changes
