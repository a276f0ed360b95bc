"""svlog --stats: what is counted, held against lines that are known; and how it is shown."""

import json
from pathlib import Path
from time import gmtime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit import tai
from pyinit.formats.counters import Counters
from pyinit.logs.reading import merging
from pyinit.logs.reading.counting import UNKNOWN, CountedPrintout, Tally, objects, tables
from pyinit.logs.reading.merging import Batch, Cutter
from pyinit.logs.reading.query import read_query

MINUTE = 935467440
"""Unix seconds of 1999-08-24 04:04 UTC."""


def stamped(second: int, kind: str) -> bytes:
    if kind == "none":
        return b""
    if kind == "tai64n":
        return tai.label((MINUTE + second) * 10**9) + b" "
    return b"1999-08-24T04:%02d:%02dZ " % (4 + second // 60, second % 60)


def batches(text: bytes) -> list[Batch]:
    cutter = Cutter()
    return [batch for at in range(0, len(text), 70) for batch in cutter.feed(text[at : at + 70])] + cutter.finish()


@given(
    lines=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(["tai64n", "rfc3339", "none"]), st.sampled_from([0, 7, 400])),
        max_size=30,
    ),
    long=st.sampled_from([50, 1 << 16]),
)
def test_lines_and_bytes_are_counted_as_they_came(lines: list[tuple[int, str, int]], long: int) -> None:
    tally = Tally()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "LONG", long)
        tally.add(
            b"web", batches(b"".join(stamped(second, kind) + b"x" * size + b"\n" for second, kind, size in lines))
        )
    expected: dict[int, tuple[int, int]] = {}
    for second, kind, size in lines:
        minute = UNKNOWN if kind == "none" else (MINUTE + second) // 60
        before = expected.get(minute, (0, 0))
        expected[minute] = before[0] + 1, before[1] + size + 1
    assert tally.minutes() == [(minute, b"web", *amounts) for minute, amounts in sorted(expected.items())]
    whole = (len(lines), sum(size + 1 for _, _, size in lines))
    assert tally.totals() == ([(b"web", *whole)] if lines else [])


def counted() -> tuple[Tally, dict[bytes, Counters]]:
    tally = Tally()
    tally.add(b"web", batches(stamped(0, "tai64n") + b"a\n" + stamped(61, "rfc3339") + b"bcd\n"))
    tally.add(b"cron", batches(b"no stamp\n"))
    counters = Counters()
    counters.lines_in, counters.bytes_in, counters.lines_written, counters.bytes_written = 5, 50, 4, 40
    counters.dropped, counters.blocked = 1, 0.25
    return tally, {b"web": counters}


TABLES = """\
minute             service  lines  bytes
-                  cron         1      9
1999-08-24 04:04Z  web          1      2
1999-08-24 04:05Z  web          1      4
all                cron         1      9
all                web          2      6

since the container started:
service  lines_in  bytes_in  lines_written  bytes_written  deselected  dropped  blocked
web             5        50              4             40           0        1    0.250
"""


def test_tables() -> None:
    tally, counters = counted()
    assert tables(tally, counters, gmtime).decode() == TABLES
    assert tables(tally, {}, gmtime).decode() == TABLES.partition("\n\n")[0] + "\n"
    assert tables(Tally(), {}, gmtime) == b"minute  service  lines  bytes\n"


def test_objects() -> None:
    found = [json.loads(line) for line in objects(*counted()).splitlines()]
    assert found[:3] == [
        {"minute": None, "service": "cron", "lines": 1, "bytes": 9},
        {"minute": "1999-08-24T04:04:00Z", "service": "web", "lines": 1, "bytes": 2},
        {"minute": "1999-08-24T04:05:00Z", "service": "web", "lines": 1, "bytes": 4},
    ]
    assert found[3]["service"] == "web"
    assert found[3]["dropped"] == 1
    assert found[3]["blocked"] == 0.25


def test_a_label_that_is_no_time_has_no_minute() -> None:
    tally = Tally()
    tally.add(b"web", batches(b"@ffffffffffffffff00000000 x\n"))
    assert tables(tally, {}, gmtime).splitlines()[1].split() == [b"-", b"web", b"1", b"2"]


def test_only_what_the_query_asks_for_is_counted(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "web").mkdir()
    lines = b"".join(stamped(second, "tai64n") + b"%d\n" % second for second in range(300))
    (tmp_path / "web/current").write_bytes(lines)
    arguments = [b"--stats", b"--utc", b"-g", b"0$", b"--until", b"1999-08-24T04:05:30Z", b"web"]
    counters = {name: Counters() for name in (b"web", b"other")}
    printout = CountedPrintout(read_query(arguments, 10**18), bytes(tmp_path), b"/nowhere", counters)
    assert printout.run() == 0
    said = capfdbinary.readouterr().out
    assert said.splitlines()[1].split() == [b"1999-08-24", b"04:04Z", b"web", b"6", b"17"]
    assert said.splitlines()[2].split() == [b"1999-08-24", b"04:05Z", b"web", b"4", b"12"]
    assert b"other" not in said
