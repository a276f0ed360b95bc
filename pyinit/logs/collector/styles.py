"""The look of a line on the container's standard output: text, JSON, or raw, which is as it came. Pure.

Docker cuts a line after 16 KiB and gives no sign of it; its second piece then has no prefix. So longer lines are cut
here first, and every piece is a complete line. All pieces but the last end in CUT (text) or say `"partial": true`
(JSON). Raw lines are neither cut nor changed. The others show control characters: no line poses as another service's,
and none drives a terminal.
"""

from pyinit.formats.visible import visible
from pyinit.logs.jsontext import json_string

LONGEST = 16384
"""The longest line of Docker's log drivers, bytes, the newline included."""

CUT = b"[...]"


class Raw:
    """Lines as they came."""

    __slots__ = ()
    longest = 1 << 16
    """Bytes of a line without an end after which it is passed on."""

    def shown(self, text: bytes) -> bytes:
        """The text as it is."""
        return text

    def lines(self, text: bytes, now: int) -> bytes:
        """Whole lines, formatted. `now`: unix ns, when they were read."""
        return text

    def piece(self, text: bytes, now: int) -> bytes:
        """A piece of a line that is too long, not its last, formatted as far as a line may go."""
        return text


class Text:
    """The prefix in front of each."""

    __slots__ = ("_prefix", "longest")

    def __init__(self, prefix: bytes) -> None:
        self._prefix = visible(prefix).replace(b"\n", b"\\n")
        self.longest = LONGEST - len(self._prefix) - len(CUT) - 1

    def shown(self, text: bytes) -> bytes:
        """The text, or a part of it that ends with a whole character, as it is printed. Again changes nothing more."""
        return visible(text)

    def lines(self, text: bytes, now: int) -> bytes:
        """Whole lines, formatted."""
        return self._prefix + text[:-1].replace(b"\n", b"\n" + self._prefix) + b"\n"

    def piece(self, text: bytes, now: int) -> bytes:
        """A piece that is not the last of its line."""
        return b"%b%b%b\n" % (self._prefix, text, CUT)


class Json:
    """An object each: `time` (RFC 3339, UTC, nanoseconds), `service`, `message`, and `partial` where it was cut.

    A message that is not UTF-8 has its backslashes doubled and the odd bytes as `\\xHH`, and says `"escaped": true`.
    """

    __slots__ = ("_name",)
    # In the worst case a byte becomes six: `\\u001f`.
    longest = (LONGEST - 256) // 6

    def __init__(self, name: bytes) -> None:
        self._name = json_string(name)[0]

    def shown(self, text: bytes) -> bytes:
        """The text as it is: the string of an object escapes it."""
        return text

    def lines(self, text: bytes, now: int) -> bytes:
        """Whole lines, formatted."""
        head = self._head(now)
        return b"".join([self._object(head, line, b"") for line in text[:-1].split(b"\n")])

    def group(self, text: bytes, now: int) -> bytes:
        """Whole lines that are one message."""
        return self._object(self._head(now), text[:-1], b"")

    def piece(self, text: bytes, now: int) -> bytes:
        """A piece that is not the last of its line."""
        return self._object(self._head(now), text, b', "partial": true')

    def _head(self, now: int) -> bytes:
        return b'{"time": "%b", "service": %b, "message": ' % (rfc3339(now), self._name)

    def _object(self, head: bytes, line: bytes, more: bytes) -> bytes:
        message, is_escaped = json_string(line)
        return b"%b%b%b%b}\n" % (head, message, b', "escaped": true' if is_escaped else b"", more)


Format = Raw | Text | Json


def rfc3339(now: int) -> bytes:
    """Unix nanoseconds as `2026-11-21T07:31:00.000000000Z`."""
    seconds, nanoseconds = divmod(now, 1_000_000_000)
    days, second = divmod(seconds, 86400)
    year, month, day = _civil(days)
    clock = (second // 3600, second // 60 % 60, second % 60, nanoseconds)
    return b"%04d-%02d-%02dT%02d:%02d:%02d.%09dZ" % (year, month, day, *clock)


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day from days since 1970-01-01: eras of 400 Gregorian years that begin on a 1st of March."""
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    return era * 400 + year + (month >= 10), month + 3 if month < 10 else month - 9, day - (153 * month + 2) // 5 + 1
