"""Lines as JSON, an object each: `time`, `service`, `message`. Pure.

`time` is null where a line has no stamp. A message that is no UTF-8 has its backslashes doubled and the odd bytes as
`\\xHH`, and says `"escaped": true`. A line that is too long to be held comes in pieces. All but the last say
`"partial": true`, and `part` counts them from 1.
"""

from pyinit.formats.visible import complete
from pyinit.logs.collector.styles import rfc3339
from pyinit.logs.jsontext import SAFE, json_string
from pyinit.logs.reading.stamps import LABEL_LENGTH, MOST_KEPT, key_of, stamp_length
from pyinit.tai import UNIX_EPOCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.logs.reading.merging import Batch

YEARS = range(-62135596800, 253402300800)
"""The unix seconds of the years 1 to 9999, which RFC 3339 can say."""

SECONDS = 17
"""Bytes of a key up to its seconds, which many lines have in common."""

MOST_NANOSECONDS = b"%08x" % (10**9 - 1)
NO_TIME = b'{"time": null'


class Times(dict[bytes, bytes]):
    """From a key up to its seconds to an object up to there; nothing where that is no time of the calendar."""

    def __missing__(self, key: bytes) -> bytes:
        if len(self) > MOST_KEPT:
            self.clear()
        seconds = int(key[1:], 16) - UNIX_EPOCH
        text = self[key] = b'{"time": "%b' % rfc3339(seconds * 10**9)[:20] if seconds in YEARS else b""
        return text


class ObjectLook:
    """Shows lines as objects. Pieces of a long line are cut where a character ends."""

    __slots__ = ("_cut_off", "_part", "_services", "_times")
    is_whole = True
    """Whether each piece of a line is shown as a line."""

    def __init__(self) -> None:
        self._times = Times()
        self._services: dict[bytes, bytes] = {}
        """By name: an object between its time and its message."""
        self._cut_off = b""
        """The beginning of a character, for the next piece."""
        self._part = 0

    def show(self, index: int, name: bytes, batch: "Batch", lines: list[bytes]) -> list[bytes]:
        """The lines of the log with that index and service name, some of a batch, as they are shown."""
        if not batch.ends:
            return [self._begin(name, lines[0])]
        if batch.is_labelled and not b"".join(lines).translate(None, SAFE):
            times, middle = self._times, self._middle(name)
            texts = [
                b'%b%09dZ"%b"%b"}'
                % (times[line[:SECONDS]], int(line[SECONDS : LABEL_LENGTH - 1], 16), middle, line[LABEL_LENGTH:])
                for line in lines
            ]
            latest = max(line[SECONDS : LABEL_LENGTH - 1] for line in lines)
            if latest <= MOST_NANOSECONDS and all(map(times.get, {line[:SECONDS] for line in lines})):
                return texts
        return [self._object(*self._parts(name, line), b"") for line in lines]

    def rest(self, name: bytes, text: bytes, ends: bool) -> bytes:
        """More of the line that has begun, as an object of its own."""
        self._part += 1
        text = self._cut_off + text
        size = len(text) if ends else complete(text)
        self._cut_off = text[size:]
        more = b"" if ends else b', "partial": true'
        return self._object(self._head(b"", name), text[:size], b'%b, "part": %d' % (more, self._part)) + b"\n"

    def _begin(self, name: bytes, line: bytes) -> bytes:
        head, message = self._parts(name, line)
        size = complete(message)
        self._cut_off, self._part = message[size:], 1
        return self._object(head, message[:size], b', "partial": true, "part": 1')

    def _parts(self, name: bytes, line: bytes) -> tuple[bytes, bytes]:
        key = key_of(line)
        return self._head(key, name), line[stamp_length(line) :] if key else line

    def _head(self, key: bytes, name: bytes) -> bytes:
        is_time = key and key[SECONDS:-1] <= MOST_NANOSECONDS
        start = self._times[key[:SECONDS]] if is_time else b""
        time = b'%b%09dZ"' % (start, int(key[SECONDS:-1], 16)) if start else NO_TIME
        return time + self._middle(name)

    def _middle(self, name: bytes) -> bytes:
        if name not in self._services:
            self._services[name] = b', "service": %b, "message": ' % json_string(name)[0]
        return self._services[name]

    def _object(self, head: bytes, text: bytes, more: bytes) -> bytes:
        message, is_escaped = json_string(text)
        return b"%b%b%b%b}" % (head, message, b', "escaped": true' if is_escaped else b"", more)
