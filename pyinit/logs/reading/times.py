"""Points in time as people write and read them: for --since and --until, and in place of labels."""

from time import gmtime, localtime, mktime

from pyinit.logs.reading.stamps import key_of, stamp_length, utc_seconds
from pyinit.tai import TEXT_LENGTH, UNIX_EPOCH, label, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from time import struct_time

SECOND = 1_000_000_000
UNITS = {b"s": 1, b"m": 60, b"h": 3600, b"d": 86400, b"w": 604800}
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
    if text[:1] == b"@":
        return parse(key_of(text + b" ") and text)
    if text[-1:] in UNITS and text:
        number, dot, fraction = text[:-1].partition(b".")
        if dot and not fraction:
            raise ValueError
        return now - (_number(number, 1, 9) * SECOND + _fraction(fraction, 9)) * UNITS[text[-1:]]
    return _date(text[:10], text[10:], is_utc)


def _date(date: bytes, rest: bytes, is_utc: bool) -> int:
    """`YYYY-MM-DD` and what follows it."""
    numbers, fraction, zone = [*_numbers(date, b"--", 4), 0, 0, 0], 0, b"Z" if is_utc else b""
    if rest:
        if rest[:1] not in (b"T", b"t", b" "):
            raise ValueError
        rest, given = _cut_zone(rest[1:])
        zone = given or zone
        clock, dot, digits = rest.partition(b".")
        if (dot and not digits) or (dot and len(clock) != 8):
            raise ValueError
        fraction = _fraction(digits, len(digits))
        numbers[3 : 3 + clock.count(b":") + 1] = _numbers(clock, b"::"[: max(1, clock.count(b":"))], 2)
    seconds = utc_seconds(numbers)
    if not zone:
        year, month, day, hour, minute, second = numbers
        seconds = int(mktime((year, month, day, hour, minute, second, 0, 0, -1)))
    elif zone not in (b"Z", b"z"):
        offset = _number(zone[1:3], 2, 2) * 3600 + _number(zone[3:].removeprefix(b":"), 2, 2) * 60
        seconds -= -offset if zone[:1] == b"-" else offset
    return seconds * SECOND + fraction


def _cut_zone(text: bytes) -> tuple[bytes, bytes]:
    """A time of day, and the zone behind it."""
    if text[-1:] in (b"Z", b"z"):
        return text[:-1], text[-1:]
    for length in 6, 5:
        if text[-length : -length + 1] in (b"+", b"-"):
            return text[:-length], text[-length:]
    return text, b""


def _numbers(text: bytes, separators: bytes, first: int) -> list[int]:
    """Numbers of two digits, the first one of so many, with these separators between them."""
    at = first
    numbers = [_number(text[:first], first, first)]
    for index in range(len(separators)):
        if text[at : at + 1] != separators[index : index + 1]:
            raise ValueError
        numbers.append(_number(text[at + 1 : at + 3], 2, 2))
        at += 3
    if at != len(text):
        raise ValueError
    return numbers


def _number(digits: bytes, least: int, most: int) -> int:
    if not (digits.isdigit() and least <= len(digits) <= most):
        raise ValueError
    return int(digits)


def _fraction(digits: bytes, most: int) -> int:
    """Nanoseconds of these digits of a second, of which the first nine count."""
    if digits:
        _number(digits, 1, most)
    return int(digits[:9].ljust(9, b"0"))


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
