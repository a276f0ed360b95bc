"""The five fields of a line of crontab(5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.definition.cron import BOUNDS, FIELDS, cron

ALL = tuple(frozenset(range(least, most + 1)) for least, most in (*BOUNDS[:4], (0, 6)))


def fields(text: str) -> tuple[set[int], ...]:
    return tuple(map(set, cron(text.encode().split()).fields))


def test_stars_are_every_minute() -> None:
    timer = cron([b"*"] * FIELDS)
    assert timer.fields == ALL
    assert (timer.every, timer.restricts_days, timer.at_start, timer.zone) == (0.0, False, False, b"")


@pytest.mark.parametrize(
    ("text", "index", "numbers"),
    [
        ("5 * * * *", 0, {5}),
        ("0,30 * * * *", 0, {0, 30}),
        ("*/20 * * * *", 0, {0, 20, 40}),
        ("1-5 * * * *", 0, {1, 2, 3, 4, 5}),
        ("10-20/5,59 * * * *", 0, {10, 15, 20, 59}),
        ("* 0-23/12 * * *", 1, {0, 12}),
        ("* * 1,31 * *", 2, {1, 31}),
        ("* * * jan,DEC *", 3, {1, 12}),
        ("* * * Feb-apr *", 3, {2, 3, 4}),
        ("* * * * 0", 4, {0}),
        ("* * * * 7", 4, {0}),
        ("* * * * 5-7", 4, {5, 6, 0}),
        ("* * * * mon-fri", 4, {1, 2, 3, 4, 5}),
        ("* * * * sun,SAT", 4, {0, 6}),
        ("* * * * */2", 4, {0, 2, 4, 6}),
    ],
)
def test_fields(text: str, index: int, numbers: set[int]) -> None:
    found = fields(text)
    assert found[index] == numbers
    assert all(found[other] == ALL[other] for other in range(FIELDS) if other != index)


@pytest.mark.parametrize(
    ("text", "is_either"),
    [
        ("0 0 13 * 5", True),
        ("0 0 * * 5", False),
        ("0 0 13 * *", False),
        ("0 0 */2 * 5", False),
        ("0 0 13 * */2", False),
        ("0 0 1-31 * 0-7", True),
    ],
)
def test_either_day_is_enough_where_both_are_said(text: str, is_either: bool) -> None:
    assert cron(text.encode().split()).restricts_days is is_either


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("60 * * * *", "not a number from 0 to 59: 60"),
        ("* 24 * * *", "not a number from 0 to 23: 24"),
        ("* * 0 * *", "not a number from 1 to 31: 0"),
        ("* * * 13 *", "not a number from 1 to 12: 13"),
        ("* * * * 8", "not a number from 0 to 7: 8"),
        ("* * * * day", "not a number from 0 to 7: day"),
        ("jan * * * *", "not a number from 0 to 59: jan"),
        ("-5 * * * *", "not a number from 0 to 59: "),
        ("5- * * * *", "not a number from 0 to 59: "),
        ("5,,6 * * * *", "not a number from 0 to 59: "),
        ("1-2-3 * * * *", "not a number from 0 to 59: 2-3"),
        ("*/0 * * * *", "not a number from 1 to 59: 0"),
        ("*/ * * * *", "not a number from 1 to 59: "),
        ("*/2/2 * * * *", "not a number from 1 to 59: 2/2"),
        ("*-5 * * * *", "not a number from 0 to 59: *"),
        ("5/10 * * * *", "not a range: 5/10"),
        ("5-1 * * * *", "not a range: 5-1"),
        ("* * * * sat-sun", "not a range: sat-sun"),
        ("* * 30 2 *", "a day that never comes: * * 30 2 *"),
        ("* * 31 apr,jun */2", "a day that never comes: * * 31 apr,jun */2"),
    ],
)
def test_what_is_no_timer(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        cron(text.encode().split())
    assert str(caught.value) == reason


def test_a_day_that_comes_seldom_is_one() -> None:
    assert fields("0 0 29 feb *")[2:4] == ({29}, {2})
    assert fields("0 0 30 2 mon")[4] == {1}, "either day is enough, and Mondays come"
    assert fields("0 0 31 4,5 *")[3] == {4, 5}


@pytest.mark.parametrize(("month", "last"), [*enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)])
def test_the_last_day_of_each_month_comes(month: int, last: int) -> None:
    assert fields(f"0 0 {last} {month} *")[2:4] == ({last}, {month})
    if last < 31:
        with pytest.raises(ValueError, match="never comes"):
            fields(f"0 0 {last + 1} {month} *")


@given(st.data())
def test_a_list_is_what_it_was_made_of(data: st.DataObject) -> None:
    wanted = [data.draw(st.sets(st.sampled_from(sorted(numbers)), min_size=1)) for numbers in ALL]
    wanted[2].add(1)  # every month has one
    text = [",".join(map(str, sorted(numbers))).encode() for numbers in wanted]
    assert list(cron(text).fields) == wanted


@given(st.lists(st.text("*0123456789,-/janfebmonsun", min_size=1, max_size=8), min_size=5, max_size=5))
def test_whatever_is_said_is_a_timer_or_has_a_reason(words: list[str]) -> None:
    try:
        timer = cron([word.encode() for word in words])
    except ValueError:
        return
    assert all(found and found <= numbers for found, numbers in zip(timer.fields, ALL, strict=True))
