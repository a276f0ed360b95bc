"""Points in time as people write and read them: for --since and --until, and in place of labels."""

from time import gmtime, localtime

from pyinit.logs.reading.stamps import key_of, stamp_length
from pyinit.tai import TEXT_LENGTH, UNIX_EPOCH, label, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from time import struct_time

SECOND = 1_000_000_000
UNITS = {b"s": 1, b"m": 60, b"h": 3600, b"d": 86400, b"w": 604800}
DATE = rb"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?([Zz]|[+-]\d\d:?\d\d)?)?"
SECONDS_LENGTH = TEXT_LENGTH - 8
MOST_KEPT = 100_000


def understand(text: bytes, now: int, is_utc: bool) -> int:
    """Unix nanoseconds of a time as people write it; ValueError if it is none.

    `YYYY-MM-DD[ HH:MM[:SS[.FRACTION]]]`, also with T for the space, and with Z or an offset (RFC 3339). Without a zone
    it is local time, or UTC if `is_utc`. `@` and a label. A number and s, m, h, d or w: so long before `now`, unix ns.
    """
    try:
        return _understand(text, now, is_utc)
    except (ValueError, OverflowError):
        raise ValueError("no time") from None


def _understand(text: bytes, now: int, is_utc: bool) -> int:
    import re

    if text[:1] == b"@":
        return parse(key_of(text + b" ") and text)
    if found := re.fullmatch(rb"(\d{1,9})(?:\.(\d{1,9}))?([smhdw])", text):
        amount, fraction, unit = found.groups()
        return now - (int(amount) * SECOND + _fraction(fraction)) * UNITS[unit]
    if found := re.fullmatch(DATE, text):
        *numbers, fraction, zone = found.groups()
        seconds = _seconds([int(number or 0) for number in numbers], zone or (b"Z" if is_utc else b""))
        return seconds * SECOND + _fraction(fraction)
    raise ValueError


def _fraction(digits: bytes | None) -> int:
    return int((digits or b"").ljust(9, b"0"))


def _seconds(numbers: list[int], zone: bytes) -> int:
    """Unix seconds of year, month, day, hours, minutes, seconds."""
    from calendar import timegm
    from datetime import datetime
    from time import mktime

    year, month, day, hours, minutes, seconds = numbers
    datetime(year, month, day, hours, minutes, min(seconds, 59))  # raises ValueError
    moment = (year, month, day, hours, minutes, seconds, 0, 0, -1)
    if not zone:
        return int(mktime(moment))
    if zone in b"Zz":
        return timegm(moment)
    offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return timegm(moment) - (-offset if zone[:1] == b"-" else offset)


def key(unix_ns: int) -> bytes:
    """The key of lines of that time."""
    return label(max(unix_ns, -UNIX_EPOCH * SECOND)) + b" "


class Clock:
    """Shows lines: stamps become `YYYY-MM-DD HH:MM:SS.NNNNNNNNN`, local, or UTC with a Z. Other text stays."""

    __slots__ = ("_seconds", "_zone")

    def __init__(self, is_utc: bool) -> None:
        self._seconds = Seconds(gmtime if is_utc else localtime)
        self._zone = b"Z" if is_utc else b""

    def show(self, lines: list[bytes], is_labelled: bool, prefix: bytes) -> list[bytes]:
        """The lines as they are shown, each with the prefix; `is_labelled` if all of them have labels."""
        if not is_labelled:
            return [prefix + self._line(line) for line in lines]
        if len(self._seconds) > MOST_KEPT:
            self._seconds.clear()
        try:
            labels = {line[:TEXT_LENGTH] for line in lines}
            if len(labels) * 2 < len(lines):  # written by blocks
                shown = {label: prefix + self._text(label) for label in labels}
                return [shown[line[:TEXT_LENGTH]] + line[TEXT_LENGTH:] for line in lines]
            form = prefix.replace(b"%", b"%%") + b"%b.%09d" + self._zone + b"%b"
            seconds = self._seconds
            return [
                form % (seconds[line[:SECONDS_LENGTH]], int(line[SECONDS_LENGTH:TEXT_LENGTH], 16), line[TEXT_LENGTH:])
                for line in lines
            ]
        except (OverflowError, OSError):  # a label that stands for no time in the calendar
            return [prefix + self._line(line) for line in lines]

    def _text(self, label: bytes) -> bytes:
        return b"%b.%09d%b" % (self._seconds[label[:SECONDS_LENGTH]], int(label[SECONDS_LENGTH:], 16), self._zone)

    def _line(self, line: bytes) -> bytes:
        key = key_of(line)
        if not key:
            return line
        try:
            return self._text(key[:TEXT_LENGTH]) + line[stamp_length(line) - 1 :]
        except (OverflowError, OSError):
            return line


class Seconds(dict[bytes, bytes]):
    """From the `@` and the seconds of a label to their text. Raises OverflowError or OSError for no time."""

    def __init__(self, convert: "Callable[[float], struct_time]") -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, seconds: bytes) -> bytes:
        unix = (int(seconds[1:], 16) - UNIX_EPOCH) % 2**64
        time = self._convert(unix - (unix >> 63 << 64))
        text = self[seconds] = b"%d-%02d-%02d %02d:%02d:%02d" % time[:6]
        return text
