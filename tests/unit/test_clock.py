"""When a oneshot with a timer is due."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.checker.clock import LONGEST_JUMP, CronClock, container_offset, run_number, zone_offset
from pyinit.services.definition.cron import cron

MINUTE, HOUR = 60, 3600
NOON = 1_700_049_600
"""12:00 UTC on Wednesday, 15 November 2023."""

BERLIN = zone_offset(b"Europe/Berlin")
SPRING, AUTUMN = 1_711_846_800, 1_729_990_800
"""01:00 UTC on 31 March and on 27 October 2024: when summer time begins and ends in Berlin."""


def utc(unix: int) -> int:
    return 0


def clock(text: str, mark: int, offset: Callable[[int], int] = utc) -> CronClock:
    timer = cron(text.encode().split())
    return CronClock(timer.fields, timer.restricts_days, offset, mark)


def due(text: str, moments: list[int], mark: int = NOON - 1, offset: Callable[[int], int] = utc) -> list[int]:
    """The moments that are due, as distances from noon in minutes."""
    shown = clock(text, mark, offset)
    return [(unix - NOON) // MINUTE for unix in moments if shown.is_due(unix)]


def minutes(first: int, last: int, start: int = NOON) -> list[int]:
    return [start + number * MINUTE for number in range(first, last + 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", [0, 1, 2, 3]),
        ("1 * * * *", [1]),
        ("*/2 12 * * *", [0, 2]),
        ("0 11 * * *", []),
        ("* * 15 * *", [0, 1, 2, 3]),
        ("* * 14 * *", []),
        ("* * * 11 wed", [0, 1, 2, 3]),
        ("* * * 10 *", []),
        ("* * * * tue", []),
        ("* * 14 * wed", [0, 1, 2, 3]),
        ("* * 15 * tue", [0, 1, 2, 3]),
        ("* * 14 * tue", []),
        ("* * */2 * wed", [0, 1, 2, 3]),
        ("* * */2 * tue", []),
    ],
)
def test_minutes_that_are_due(text: str, expected: list[int]) -> None:
    assert due(text, minutes(0, 3)) == expected


def test_a_minute_is_due_once_and_the_one_of_the_mark_is_over() -> None:
    moments = [NOON, NOON + 1, NOON + 59, NOON + 60]
    assert due("* * * * *", moments) == [0, 1]
    assert due("* * * * *", moments, mark=NOON) == [1]


def test_a_clock_that_is_set_back_runs_nothing_twice() -> None:
    back = [*minutes(0, 3), *minutes(1, 5)]
    assert due("* * * * *", back) == [0, 1, 2, 3, 4, 5]
    assert due("2 12 * * *", back) == [2]


def test_a_clock_that_is_set_forward_makes_up_for_what_it_left_out_with_one_run() -> None:
    assert due("*/2 * * * *", [NOON, NOON + 10 * MINUTE + 30]) == [0, 10]
    assert due("5 12 * * *", [NOON, NOON + 10 * MINUTE]) == [10]


@pytest.mark.parametrize("sign", [-1, 1])
def test_after_a_long_jump_it_is_another_clock(sign: int) -> None:
    jump = NOON + sign * LONGEST_JUMP * MINUTE
    assert due("5 * * * *", [NOON, jump, *minutes(1, 5, jump)]) == [sign * LONGEST_JUMP + 5]
    assert due("0 * * * *", [NOON, jump]) == [0, sign * LONGEST_JUMP], "the present minute counts"


def test_what_summer_time_leaves_out_is_made_up_for() -> None:
    """02:30 does not exist that day."""
    shown = clock("30 2 * * *", SPRING - 1, BERLIN)
    assert [number for number in range(-30, 120) if shown.is_due(SPRING + number * MINUTE)] == [0]


def test_what_comes_twice_as_summer_time_ends_runs_once() -> None:
    begin = AUTUMN - HOUR
    daily, hourly = clock("30 2 * * *", begin - 1, BERLIN), clock("30 * * * *", begin - 1, BERLIN)
    moments = minutes(0, 179, begin)
    assert [(unix - begin) // MINUTE for unix in moments if daily.is_due(unix)] == [30]
    assert [(unix - begin) // MINUTE for unix in moments if hourly.is_due(unix)] == [30, 90, 150]


@given(st.integers(0, 2**31), st.sampled_from(("Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC")))
def test_an_offset_is_that_of_the_zone(unix: int, name: str) -> None:
    expected = datetime.fromtimestamp(unix, ZoneInfo(name)).utcoffset()
    assert timedelta(seconds=zone_offset(name.encode())(unix)) == expected


@given(st.integers(0, 2**31))
def test_without_a_zone_the_containers_counts(unix: int) -> None:
    assert timedelta(seconds=container_offset(unix)) == datetime.fromtimestamp(unix).astimezone().utcoffset()


@pytest.mark.parametrize("name", [b"Mars/Olympus", b"\xff", b"Europe"])
def test_a_zone_that_is_not_there_is_an_error(name: bytes) -> None:
    with pytest.raises((ValueError, OSError)):
        zone_offset(name)


FIELDS = st.tuples(
    st.sampled_from(("*", "*/7", "0", "13,44")),
    st.sampled_from(("*", "0-6", "12", "*/5")),
    st.sampled_from(("*", "1", "15", "*/2")),
    st.sampled_from(("*", "11", "jan-jun")),
    st.sampled_from(("*", "mon", "0", "*/3")),
)


@given(FIELDS, st.integers(NOON, NOON + 300 * 86400), st.lists(st.integers(1, 150), max_size=30))
def test_a_clock_that_goes_on_is_due_where_a_minute_that_it_passed_fits(
    words: tuple[str, ...], start: int, steps: list[int]
) -> None:
    timer = cron([word.encode() for word in words])
    shown, unix = CronClock(timer.fields, timer.restricts_days, utc, start), start
    for step in steps:
        passed = range(unix // MINUTE + 1, (unix + step * 30) // MINUTE + 1)
        unix += step * 30
        assert shown.is_due(unix) == any(fits(words, minute) for minute in passed)


def fits(words: tuple[str, ...], minute: int) -> bool:
    """Whether the fields name this minute, said in another way."""
    timer = cron([word.encode() for word in words])
    then = datetime.fromtimestamp(minute * MINUTE, UTC)
    at, hour, day, month, weekday = timer.fields
    days = (then.day in day, then.isoweekday() % 7 in weekday)
    is_day = any(days) if not words[2].startswith("*") and not words[4].startswith("*") else all(days)
    return then.minute in at and then.hour in hour and then.month in month and is_day


@pytest.mark.parametrize(("now", "expected"), [(100.0, 0), (109.9, 0), (110.0, 1), (135.0, 3)])
def test_runs_of_an_interval(now: float, expected: int) -> None:
    assert run_number(100.0, 10.0, now) == expected
