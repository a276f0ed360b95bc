"""Points in time as people write them, and lines as people read them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit import tai
from pyinit.logs.reading.times import Clock, key, understand

NOW = 1_700_000_000_000_000_000
MOMENT = 935467445


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def be_in(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield be_in
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1999-08-24 04:04:05", MOMENT * 10**9),
        ("1999-08-24T04:04:05.5", MOMENT * 10**9 + 500_000_000),
        ("1999-08-24 04:04:05.787492500", MOMENT * 10**9 + 787_492_500),
        ("1999-08-24 04:04:05.7874925001", MOMENT * 10**9 + 787_492_500),
        ("1999-08-24 04:04", (MOMENT - 5) * 10**9),
        ("1999-08-24", (MOMENT - 4 * 3600 - 4 * 60 - 5) * 10**9),
        ("1999-08-24T04:04:05Z", MOMENT * 10**9),
        ("1999-08-24t06:04:05+02:00", MOMENT * 10**9),
        ("1999-08-23T22:34:05-0530", MOMENT * 10**9),
        ("1999-08-24 04:03:60", MOMENT * 10**9 - 5 * 10**9),
        ("@4000000037c219bf2ef02e94", MOMENT * 10**9 + 787_492_500),
        ("90s", NOW - 90 * 10**9),
        ("10m", NOW - 600 * 10**9),
        ("1.5h", NOW - 5400 * 10**9),
        ("2d", NOW - 2 * 86400 * 10**9),
        ("1w", NOW - 7 * 86400 * 10**9),
        ("1900-01-01", -2208988800 * 10**9),
    ],
)
def test_times_that_are_understood(text: str, expected: int, zone: Callable[[str], None]) -> None:
    assert understand(text.encode(), NOW, True) == expected
    zone("UTC")
    assert understand(text.encode(), NOW, False) == expected


WRONG = """yesterday|10|10x|m|-5m|1999-8-24|1999-13-01|1999-02-30|1999-08-24 25:00|1999-08-24 04|1999-08-24 04:60|04:04
1999-08-24 04:04:05+1|@|@40|@4000000037c219bf2ef02e9|@4000000037c219bf2ef02e94.s|@4000000037C219BF2EF02E94
1999-08-24Z|1999-08-24 04:04:05 Z|9999999999d| 10m|10m |\u0661m|0000-01-01""".replace("\n", "|").split("|")


@pytest.mark.parametrize("text", WRONG)
def test_times_that_are_not(text: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        understand(text.encode(), NOW, True)


def test_local_time_is_the_time_zone_s(zone: Callable[[str], None]) -> None:
    zone("America/New_York")
    assert understand(b"1999-08-24 00:04:05", NOW, False) == MOMENT * 10**9
    assert understand(b"1999-08-24T04:04:05Z", NOW, False) == MOMENT * 10**9
    assert Clock(False).show([b"@4000000037c219bf2ef02e94 x"], True, b"") == [b"1999-08-24 00:04:05.787492500 x"]


def test_a_time_before_all_labels_is_the_first_label() -> None:
    assert key(understand(b"999999999w", NOW, True)) <= b"@4000000000000000"


@given(st.lists(st.integers(0, 2**40), min_size=1), st.booleans(), st.sampled_from([b"", b"100%d: "]))
def test_what_is_shown_does_not_depend_on_how_it_is_done(seconds: list[int], is_utc: bool, prefix: bytes) -> None:
    """All labels different, most the same, or found out line by line."""
    lines = [tai.label(second * 10**6) + b" text %s" for second in seconds]
    one_by_one = Clock(is_utc).show(lines, False, prefix)
    assert Clock(is_utc).show(lines, True, prefix) == one_by_one
    assert Clock(is_utc).show(lines * 3, True, prefix) == one_by_one * 3


def test_a_label_that_is_no_time_stays(tmp_path: Path) -> None:
    lines = [b"@ffffffffffffffff00000000 x", b"@4000000037c219bf2ef02e94 y"]
    assert Clock(True).show(lines, True, b"p: ") == [b"p: " + lines[0], b"p: 1999-08-24 04:04:05.787492500Z y"]
    assert Clock(True).show(lines[:1] * 3, True, b"") == lines[:1] * 3
