"""The five fields of a line of crontab(5): minute, hour, day of the month, month, day of the week. Pure.

A field is `*` or a list of numbers and ranges, and either a range or `*` may have a step: `*/15`, `1-5,10-20/2`. Months
and days of the week have names of three letters, too. Sunday is 0 or 7.
"""

from pyinit.services.definition.words import quoted, whole
from pyinit.services.life.health import Timer

MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
WEEKDAYS = (b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat")

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
FIELDS = len(BOUNDS)
NAMES_OF: "tuple[tuple[bytes, ...], ...]" = ((), (), (), MONTHS, WEEKDAYS)

LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month, at most."""


def cron(words: "list[bytes]") -> Timer:
    """The timer of five fields. Raises ValueError, also for a day that never comes."""
    minutes, hours, days, months, weekdays = (_field(word, index) for index, word in enumerate(words))
    restricts_days = not words[2].startswith(b"*") and not words[4].startswith(b"*")
    if not restricts_days and min(days) > max(LENGTHS[month - 1] for month in months):
        raise ValueError(f"a day that never comes: {quoted(b' '.join(words))}")
    fields = minutes, hours, days, months, frozenset(day % 7 for day in weekdays)
    return Timer(fields=fields, restricts_days=restricts_days)


def _field(word: bytes, index: int) -> "frozenset[int]":
    """The numbers that one field means."""
    least, most = BOUNDS[index]
    found: set[int] = set()
    for part in word.split(b","):
        span, slash, step = part.partition(b"/")
        first, dash, last = span.partition(b"-")
        if span == b"*":
            start, stop = least, most
        else:
            start = _number(first, index)
            stop = _number(last, index) if dash else start
        if stop < start or (slash and not dash and span != b"*"):
            raise ValueError(f"not a range: {quoted(part)}")
        found.update(range(start, stop + 1, whole(step, 1, most) if slash else 1))
    return frozenset(found)


def _number(word: bytes, index: int) -> int:
    known = NAMES_OF[index]
    name = word.lower()
    least, most = BOUNDS[index]
    return known.index(name) + least if name in known else whole(word, least, most)
