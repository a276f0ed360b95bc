"""Packets to the log collector, and the file of its counters: what is unpacked is what was packed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats import counters, wire
from pyinit.formats.wire import JSON, NOTHING, RAW, TEXT, Job

fields = st.binary(max_size=20).map(lambda text: text.replace(b"\0", b""))


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    job = Job(draw(fields), draw(st.sampled_from([TEXT, JSON, RAW, NOTHING])), draw(st.lists(fields, max_size=4)))
    job.multiline, job.joins = draw(st.booleans()), draw(st.booleans())
    job.home, job.user, job.watched = draw(fields), draw(fields), draw(fields)
    return job


@given(st.integers(0, 2**31), jobs())
def test_a_job_arrives_as_it_was_sent(number: int, job: Job) -> None:
    found, arrived = wire.unpack(wire.pack(number, job))
    assert found == number
    assert [getattr(arrived, field) for field in Job.__slots__] == [getattr(job, field) for field in Job.__slots__]


def test_a_packet_byte_by_byte() -> None:
    job = Job(b"web", TEXT, [b"t", b"./main"])
    assert wire.pack(7, job) == b"7\0web\0text\0text\x000\0/\0\x000\0\0t\0./main"


@pytest.mark.parametrize("packet", [b"", b"1\0web", b"x\0web\0text\x000\0/\0"])
def test_a_malformed_packet_is_an_error(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        wire.unpack(packet)


@pytest.mark.parametrize("content", [b"", b"lines_in\n", b"other\n1 2 3 4 5 6 0.0 web\n"])
def test_another_file_is_no_file_of_counters(content: bytes) -> None:
    with pytest.raises(ValueError, match="no counters"):
        counters.unpack(content)


def test_a_job_is_plain_until_told_otherwise() -> None:
    job = Job(b"web", TEXT, [])
    assert (job.multiline, job.home, job.user) == (False, b"/", b"")


def test_counters_begin_at_nothing_and_a_name_is_one_field() -> None:
    content = counters.pack({b"a b\nc": counters.Counters()})
    header, row = content.splitlines()
    numbers, _, name = row.partition(b" a")
    assert header + b"\n" == counters.HEADER
    assert [float(number) for number in numbers.split()] == [0] * 7
    assert name == rb" b\x0ac", "a line break would begin another row"
    assert list(counters.unpack(content)) == [b"a b\nc"]


@pytest.mark.parametrize(
    "name", [b"\n", b"\r", b"\x1b[2J", b"\\", b"\\n", b"\\\n", b"a\\\\\r\\x1b", b"\xff\x0b\x0c", b" "]
)
def test_no_name_breaks_the_file_of_counters(name: bytes) -> None:
    content = counters.pack({name: counters.Counters(), b"web": counters.Counters()})
    assert list(counters.unpack(content)) == [name, b"web"]
    assert content.count(b"\n") == 3
    assert content.decode().replace("\n", "").isprintable()
    assert b"\r" not in content
    assert b"\x1b" not in content


def test_what_is_held_is_written_or_dropped() -> None:
    written, lost = counters.Counters(), counters.Counters()
    for count in (written, lost):
        count.hold(3, 30, 1)
    assert (written.lines_written, written.deselected) == (0, 0), "held lines are in no number yet"
    written.commit()
    written.commit()
    lost.commit(is_lost=True)
    assert (written.lines_written, written.bytes_written, written.deselected, written.dropped) == (3, 30, 1, 0)
    assert (lost.lines_written, lost.bytes_written, lost.deselected, lost.dropped) == (0, 0, 1, 3)
