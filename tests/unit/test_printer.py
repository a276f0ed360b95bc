"""What goes to the container's standard output: formats, Docker's 16 KiB, folding."""

import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.counters import Counters, pack, unpack
from pyinit.formats.visible import visible
from pyinit.formats.wire import JSON, NOTHING, RAW, TEXT, Job
from pyinit.logs.collector.multiline import Multiline
from pyinit.logs.collector.printer import JOIN_WAIT, Printer, printer_for
from pyinit.logs.collector.settings import BOTH, STDOUT, VOLUME, Settings
from pyinit.logs.collector.styles import CUT, LONGEST, rfc3339
from pyinit.logs.multilog.multilog import Multilog
from pyinit.system.deadlines import Deadline

NOW = 1_700_000_000_123_456_789
STYLES = (TEXT, JSON, RAW)


class Deadlines:
    """Stands for the loop: keeps the deadlines that are not cancelled."""

    def __init__(self) -> None:
        self.pending: list[tuple[float, Deadline]] = []

    def call_at(self, when: float, callback: Callable[[], None]) -> Deadline:
        deadline = Deadline(callback)
        self.pending.append((when, deadline))
        return deadline

    def expire(self) -> None:
        pending, self.pending = self.pending, []
        for _, deadline in pending:
            if deadline.callback:
                deadline.callback()


def printer_of(job: Job, out: list[bytes], loop: Deadlines | None = None) -> Printer:
    return printer_for(job, out.append, lambda: NOW, loop or Deadlines(), is_counted=True)  # type: ignore[arg-type]


def stream_of(outlet: Printer) -> Multilog:
    """A stream without a script, and standard output as its only sink."""
    nowhere: list[bytes] = []
    return Multilog((), lambda: NOW, nowhere.append, nowhere.append, lambda trouble: None, outlet=outlet)


def printed(style: bytes, blocks: list[bytes], multiline: bool = False) -> bytes:
    out: list[bytes] = []
    job = Job(b"web", style, [])
    job.multiline = multiline
    printer = printer_of(job, out)
    log = stream_of(printer)
    for block in blocks:
        log.feed(block, NOW)
    log.finish()
    printer.finish()
    return b"".join(out)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    return [stream[a:b] for a, b in itertools.pairwise(ends) if a < b]


def messages(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def original(entry: dict[str, Any]) -> bytes:
    """A JSON message as it was written."""
    message: bytes = entry["message"].encode()
    if not entry.get("escaped"):
        return message
    return re.sub(
        rb"\\(\\|x[0-9a-f]{2})",
        lambda found: b"\\" if found[1] == b"\\" else bytes.fromhex(found[1][1:].decode()),
        message,
    )


streams = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\\x41", b'"', b"\xff\\", "日本".encode(), b"\r", b"\0"])),
    max_size=20,
).map(b"\n".join)
long_streams = st.lists(
    st.one_of(st.integers(900, 3000), st.integers(16_000, 17_000)).map(lambda length: b"x" * length), max_size=4
).map(b"\n".join)
places = st.lists(st.integers(0, 10_000), max_size=12)


@pytest.mark.parametrize("style", STYLES)
@given(stream=st.one_of(streams, long_streams), places=places)
def test_independent_of_how_the_stream_is_cut(style: bytes, stream: bytes, places: list[int]) -> None:
    assert printed(style, cut(stream, places)) == printed(style, [stream] if stream else [])


@given(stream=streams)
def test_every_line_is_there_in_every_format(stream: bytes) -> None:
    lines = stream.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    assert printed(RAW, [stream] if stream else []) == b"".join(line + b"\n" for line in lines)
    assert printed(TEXT, [stream] if stream else []) == b"".join(b"web: " + visible(line) + b"\n" for line in lines)
    assert [original(entry) for entry in messages(printed(JSON, [stream] if stream else []))] == lines


def test_a_json_line() -> None:
    assert printed(JSON, [b'a "b"\n']) == (
        b'{"time": "2023-11-14T22:13:20.123456789Z", "service": "web", "message": "a \\"b\\""}\n'
    )


def test_rfc3339_at_the_corners() -> None:
    assert rfc3339(0) == b"1970-01-01T00:00:00.000000000Z"
    assert rfc3339(-1) == b"1969-12-31T23:59:59.999999999Z"
    assert rfc3339(951782400 * 10**9) == b"2000-02-29T00:00:00.000000000Z"
    assert rfc3339(4107542400 * 10**9) == b"2100-03-01T00:00:00.000000000Z"


@pytest.mark.parametrize("byte", [b"x", b"\x01", b"\xff"], ids=["plain", "control", "binary"])
@pytest.mark.parametrize("style", [TEXT, JSON])
@pytest.mark.parametrize("length", [16_000, 16_384, 50_000, 200_000])
def test_no_line_is_longer_than_docker_takes_and_none_is_lost(style: bytes, byte: bytes, length: int) -> None:
    stream = b"before\n" + byte * length + b"\nafter\n"
    out = printed(style, cut(stream, [7, 20_000, 65_543, 131_079]))
    lines = out.splitlines(keepends=True)
    assert max(map(len, lines)) <= LONGEST
    if style == TEXT:
        assert all(line.startswith(b"web: ") for line in lines)
        texts = [line[5:-1] for line in lines]
        assert all(text.endswith(CUT) for text in texts[1:-2])
        assert b"".join(text.removesuffix(CUT) for text in texts[1:-1]) == visible(byte * length)
    else:
        entries = messages(out)
        assert [entry.get("partial", False) for entry in entries] == [False, *[True] * (len(entries) - 3), False, False]
        assert b"".join(original(entry) for entry in entries[1:-1]) == byte * length


def test_memory_is_bounded_without_any_newline() -> None:
    for style in STYLES:
        out: list[bytes] = []
        printer = printer_of(Job(b"web", style, []), out)
        log = stream_of(printer)
        for _ in range(2000):
            log.feed(b"y" * 65536, NOW)
            out.clear()
        assert len(printer._held) <= 65536 * 2


PYTHON = b"""ERROR something failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
ValueError: bad

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2, in <module>
KeyError: 'x'
"""
JAVA = b"""Exception in thread "main" java.lang.RuntimeException: no
\tat A.main(A.java:3)
Caused by: java.io.IOException: gone
\tat B.read(B.java:9)
\t... 1 more
"""


@pytest.mark.parametrize("trace", [PYTHON, JAVA], ids=["python", "java"])
@given(places=places)
def test_a_trace_is_one_message(trace: bytes, places: list[int]) -> None:
    out = printed(JSON, cut(b"before\n" + trace + b"after\n", places), multiline=True)
    assert [entry["message"] for entry in messages(out)] == ["before", trace.decode()[:-1], "after"]


def test_lines_are_joined_only_where_that_is_asked_for_and_only_in_json() -> None:
    assert len(printed(JSON, [JAVA]).splitlines()) == 5
    assert len(printed(TEXT, [JAVA], multiline=True).splitlines()) == 5


def test_a_group_is_printed_a_while_after_its_last_line() -> None:
    out: list[bytes] = []
    loop = Deadlines()
    job = Job(b"web", JSON, [])
    job.multiline = True
    log = stream_of(printer_of(job, out, loop))
    before = time.monotonic()
    log.feed(b"head\n", NOW)
    log.feed(b" continued\n", NOW)
    (early, first), (late, second) = loop.pending
    assert first.callback is None
    assert second.callback
    assert before + JOIN_WAIT <= early <= late <= time.monotonic() + JOIN_WAIT
    assert out == []
    loop.expire()
    assert [entry["message"] for entry in messages(b"".join(out))] == ["head\n continued"]


def test_a_group_that_grows_too_long_is_let_go() -> None:
    multiline = Multiline(100)
    groups = multiline.feed(b"head\n" + b" continued\n" * 50)
    assert all(len(group) <= 100 for group in groups)
    assert b"".join(groups) + multiline.flush() == b"head\n" + b" continued\n" * 50


def test_settings_make_the_job() -> None:
    assert [(job.style, job.actions) for job in [Settings().job(b"web")]] == [(TEXT, [])]
    for mode, style in ((VOLUME, NOTHING), (BOTH, JSON)):
        environment = {b"PYINIT_LOG": mode, b"PYINIT_LOG_FORMAT": JSON, b"PYINIT_LOG_SIZE": b"5000000"}
        job = Settings.from_environment(environment).job(b"web")
        assert (job.style, job.actions) == (style, [b"t", b"s5000000", b"/var/log/services/web"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYINIT_LOG", "file"),
        ("PYINIT_LOG_FORMAT", "xml"),
        ("PYINIT_LOG_DIR", "logs"),
        ("PYINIT_LOG_SIZE", "1M"),
        ("PYINIT_LOG_SIZE", "100"),
        ("PYINIT_LOG_COUNT", "1"),
        ("PYINIT_LOG_FOLD", "yes"),
    ],
)
def test_wrong_settings_name_themselves(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: not "):
        Settings.from_environment({name.encode(): value.encode()})


def test_empty_settings_are_the_defaults() -> None:
    empty = dict.fromkeys([b"PYINIT_LOG", b"PYINIT_LOG_DIR", b"PYINIT_LOG_FORMAT", b"PYINIT_LOG_SIZE"], b"")
    assert Settings.from_environment(empty).mode == STDOUT


@given(st.dictionaries(st.binary(min_size=1).filter(lambda name: not {10, 13} & set(name)), st.integers(0, 2**63)))
def test_counters_mirror(counts: dict[bytes, int]) -> None:
    counters = {}
    for name, count in counts.items():
        each = counters[name] = Counters()
        each.lines_in = each.bytes_in = count
        each.lines_written, each.bytes_written = count + 1, count + 2
        each.deselected, each.dropped = count + 3, count + 4
        each.blocked = 1.5
    read = unpack(pack(counters))
    assert {name: each.lines_in for name, each in read.items()} == counts
    assert all(each.blocked == 1.5 for each in read.values())
    for name, count in counts.items():
        assert read[name].amounts() == (count, count, count + 1, count + 2)
        assert (read[name].deselected, read[name].dropped) == (count + 3, count + 4)
