"""When a oneshot with a timer is due. It reads no clock itself: moments come as arguments.

`every D` counts on the monotonic clock. Cron's fields are compared with minutes of the local clock, each numbered from
1970 on as a person there reads it. What that clock jumps over is made up for by one run; a minute that comes again is
left out. After a jump of LONGEST_JUMP or more it is another clock, and the present minute counts, as in cron(8).
"""

from datetime import UTC
from time import gmtime, localtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_JUMP = 180
"""Minutes."""

MINUTE = 60
DAY_OF_WEEK = 7
HOURS = 24


def container_offset(unix: int) -> int:
    """Seconds that the container's local clock is ahead of UTC at this moment (unix s)."""
    return localtime(unix).tm_gmtoff


def zone_offset(zone: bytes) -> "Callable[[int], int]":
    """The same of a zone of the database. Raises OSError or ValueError where there is no such zone."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    try:
        found = ZoneInfo(zone.decode())
    except (KeyError, UnicodeDecodeError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("no such time zone") from error

    def offset(unix: int) -> int:
        ahead = datetime.fromtimestamp(unix, UTC).astimezone(found).utcoffset()
        return int(ahead.total_seconds()) if ahead else 0

    return offset


class CronClock:
    """Says at which of the moments that it is shown a run is due. `fields`, `restricts_days`: see `life/health.py`.

    `mark`: the moment (unix s) from which on it counts; the minute of that one is over.
    """

    __slots__ = ("_fields", "_is_hourly", "_local", "_minute", "_offset", "_restricts_days")

    def __init__(
        self,
        fields: "tuple[frozenset[int], ...]",
        restricts_days: bool,
        offset: "Callable[[int], int]",
        mark: int,
    ) -> None:
        self._fields = fields
        self._restricts_days = restricts_days
        self._is_hourly = len(fields[1]) == HOURS
        self._offset = offset
        self._minute = mark // MINUTE
        """The last minute that counted, in UTC and on the local clock."""
        self._local = (mark + offset(mark)) // MINUTE

    def is_due(self, unix: int) -> bool:
        """Whether a run is due at this moment, unix s; once for each."""
        minute, local = unix // MINUTE, (unix + self._offset(unix)) // MINUTE
        if abs(minute - self._minute) >= LONGEST_JUMP:
            first = local
        elif minute <= self._minute:  # it was set back, or it is the same one
            return False
        elif local <= self._local:  # summer time has ended: a run at each hour goes on, others had theirs
            self._minute = minute
            return self._is_hourly and self._matches(local)
        else:
            first = max(self._local + 1, local - LONGEST_JUMP)
        self._minute, self._local = minute, local
        return any(self._matches(each) for each in range(first, local + 1))

    def _matches(self, local: int) -> bool:
        then = gmtime(local * MINUTE)
        minutes, hours, days, months, weekdays = self._fields
        if then.tm_min not in minutes or then.tm_hour not in hours or then.tm_mon not in months:
            return False
        is_day, is_weekday = then.tm_mday in days, (then.tm_wday + 1) % DAY_OF_WEEK in weekdays
        return is_day or is_weekday if self._restricts_days else is_day and is_weekday


def run_number(began: float, every: float, now: float) -> int:
    """How many times `every` seconds have passed since then."""
    return int((now - began) / every)
