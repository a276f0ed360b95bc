"""The stamps that lines of a log begin with: a TAI64N label, or a time of RFC 3339 in UTC, and a space. Pure.

    @4000000037c219bf2ef02e94 the message
    1999-08-24T04:04:05.787492500Z the message

A time may have fewer digits of the second, or none. Any line may have either kind or none, whatever the line before
has: the kind can be changed while a file is being written.
"""

from pyinit.tai import UNIX_EPOCH

LABEL_LENGTH = 26
"""Bytes of a label and the space behind it, and so of a key."""

LONGEST_STAMP = 31
"""Bytes of a time with nine digits of the second and the space behind it."""

BEGINNING = 1 << 12
"""A file with no stamp in so many bytes has none: it belongs to the time at which it was finished.

So do its last lines where so many bytes at its end have none: stamps were switched off meanwhile.
"""

DIGITS = b"0123456789abcdef"
SECONDS_LENGTH = 19
MOST_KEPT = 100_000


class Labels(dict[bytes, bytes]):
    """From `YYYY-MM-DDTHH:MM:SS` in UTC to the `@` and the seconds of a label; nothing where that is no time."""

    def __missing__(self, text: bytes) -> bytes:
        if len(self) > MOST_KEPT:
            self.clear()
        label = self[text] = _seconds_label(text)
        return label


LABELS = Labels()


def key_of(line: bytes) -> bytes:
    """The stamp that a line begins with, as a label and a space, so that keys compare as times do; nothing for none."""
    if line[:1] == b"@":
        head = line[:LABEL_LENGTH]
        is_label = len(head) == LABEL_LENGTH and head[25] == 32 and not head[1:25].strip(DIGITS)
        return head if is_label else b""
    if line[10:11] != b"T" or not line[:1].isdigit():
        return b""
    end = line.find(b"Z ", SECONDS_LENGTH, LONGEST_STAMP)
    fraction = line[SECONDS_LENGTH + 1 : end]
    if end < 0 or (end > SECONDS_LENGTH and not (line[SECONDS_LENGTH] == 46 and fraction.isdigit())):
        return b""
    seconds = LABELS[line[:SECONDS_LENGTH]]
    return b"%b%08x " % (seconds, int(fraction.ljust(9, b"0"))) if seconds else b""


def stamp_length(line: bytes) -> int:
    """Bytes in front of the message of a line that has a key: the stamp and its space."""
    return LABEL_LENGTH if line[:1] == b"@" else line.index(b"Z ", SECONDS_LENGTH) + 2


def has_stamp(text: bytes) -> bool:
    """Whether any line that begins in the text has a stamp."""
    return any(map(key_of, text.split(b"\n")))


def are_labels(heads: list[bytes]) -> bool:
    """Whether all are labels with a space behind them: as one operation, because it is asked of every line."""
    count, text = len(heads), b"".join(heads)
    return (
        text[::LABEL_LENGTH] == b"@" * count
        and text[25::LABEL_LENGTH] == b" " * count
        and text.translate(None, DIGITS) == b"@ " * count
    )


def keys_of(lines: list[bytes]) -> tuple[list[bytes], bool]:
    """The key of each line, and whether all have labels."""
    heads = [line[:LABEL_LENGTH] for line in lines]
    if are_labels(heads):
        return heads, True
    return [key_of(line[:LONGEST_STAMP]) for line in lines], False


def _seconds_label(text: bytes) -> bytes:
    shape = text[4:5] + text[7:8] + text[10:11] + text[13:14] + text[16:17]
    fields = [text[:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19]]
    if shape != b"--T::" or not all(map(bytes.isdigit, fields)):
        return b""
    try:
        return b"@%016x" % (UNIX_EPOCH + utc_seconds([int(field) for field in fields]))
    except ValueError:
        return b""


def utc_seconds(numbers: list[int]) -> int:
    """Unix seconds of year, month, day, hours, minutes and seconds in UTC. Raises ValueError where that is no time."""
    year, month, day, hour, minute, second = numbers
    if not (year > 0 and 0 < month <= 12 and hour < 24 and minute < 60 and second <= 60):
        raise ValueError
    days = _days(year, month, day)
    if not (day > 0 and days < (_days(year, month + 1, 1) if month < 12 else _days(year + 1, 1, 1))):
        raise ValueError
    return days * 86400 + hour * 3600 + minute * 60 + second


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01, by eras of 400 Gregorian years that begin on a 1st of March."""
    era, year = divmod(year - (month <= 2), 400)
    day += (153 * (month + (9 if month <= 2 else -3)) + 2) // 5 - 1
    return era * 146097 + year * 365 + year // 4 - year // 100 + day - 719468
