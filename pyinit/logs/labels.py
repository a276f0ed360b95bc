"""Labels put on a stream and taken off again, a block at a time: the work of tai64n and tai64nlocal."""

from time import localtime, time_ns

from pyinit.logs.multilog.lines import label_for, stamp
from pyinit.tai import TEXT_LENGTH, UNIX_EPOCH

DIGITS = b"0123456789abcdef"
NANOSECOND_DIGITS = 8
HEAD_LENGTH = TEXT_LENGTH + 1
LONGEST_LABEL = 1 << 16
"""A label that has not ended after so many digits is taken for text, so that memory is bounded."""


class Stamper:
    """The stream, a block at a time. A label is the time at which the line's first bytes were read."""

    __slots__ = ("_is_inside",)

    def __init__(self) -> None:
        self._is_inside = False

    def convert(self, block: bytes) -> bytes:
        """The block, stamped."""
        label = label_for(time_ns())
        stamped = stamp(block, label)
        was_inside, self._is_inside = self._is_inside, block[-1:] != b"\n"
        return stamped[len(label) :] if was_inside else stamped


class Localizer:
    """The stream, a block at a time. A label whose end has not been read is held back; at the end it is lost."""

    __slots__ = ("_head", "_held", "_is_inside", "_seconds", "_shown", "_time")

    def __init__(self) -> None:
        self._held = b""
        self._is_inside = False
        self._seconds = b"none"
        """Digits of the last label, up to its nanoseconds, and what they say."""
        self._time = b""
        self._head = b"\n"
        """Last label and the byte after it, and what they become: lines of one read have the same."""
        self._shown = b""

    def convert(self, block: bytes) -> bytes:
        """The block, its labels converted."""
        text = self._held + block
        self._held = b""
        if b"@" not in text:
            self._is_inside = text[-1:] != b"\n"
            return text
        lines = text.split(b"\n")
        for index in range(1 if self._is_inside else 0, len(lines) - 1):
            line = lines[index]
            if line.startswith(self._head):
                lines[index] = self._shown + line[HEAD_LENGTH:]
            elif line[:1] == b"@":
                lines[index] = self._convert(line)
        if len(lines) > 1 or not self._is_inside:
            lines[-1] = self._begin(lines[-1])
        return b"\n".join(lines)

    def _begin(self, line: bytes) -> bytes:
        """A line that is not complete yet, nothing for none."""
        if line[:1] != b"@" or line[1:].lstrip(DIGITS):
            self._is_inside = bool(line)
            return self._convert(line) if line[:1] == b"@" else line
        self._is_inside = len(line) > LONGEST_LABEL
        if self._is_inside:
            return line
        self._held = line
        return b""

    def _convert(self, line: bytes) -> bytes:
        """A line that begins with `@`."""
        rest = line[1:].lstrip(DIGITS)
        end = len(line) - len(rest)
        split = max(end - NANOSECOND_DIGITS, 1)
        seconds = line[1:split]
        if seconds != self._seconds:
            self._seconds, self._time = seconds, local_time(seconds)
        if not self._time:
            return line
        converted = b"%b.%09d%b" % (self._time, int(line[split:end], 16), rest)
        if end == HEAD_LENGTH - 1 and rest:
            self._head, self._shown = line[:HEAD_LENGTH], converted[: len(converted) - len(rest) + 1]
        return converted


def local_time(seconds: bytes) -> bytes:
    """`YYYY-MM-DD HH:MM:SS` for the hex digits of a label's seconds; nothing where the C library knows no such time.

    They count modulo 2**64, and from 1970 as a signed number.
    """
    unix = (int(seconds or b"0", 16) - UNIX_EPOCH) % 2**64
    try:
        time = localtime(unix - (unix >> 63 << 64))
    except (OverflowError, OSError):
        return b""
    return b"%d-%02d-%02d %02d:%02d:%02d" % ((time.tm_year % 2**64, *time[1:6]))
