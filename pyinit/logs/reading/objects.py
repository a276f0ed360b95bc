"""Lines as JSON, an object each: `time`, `service`, `message`. Pure.

`time` is null where a line has no stamp. A message that is no UTF-8 has its backslashes doubled and the odd bytes as
`\\xHH`, and says `"escaped": true`. A line that is too long to be held comes in pieces. All but the last say
`"partial": true`, and `part` counts them from 1.
"""

from pyinit.formats.visible import complete
from pyinit.logs.collector.styles import rfc3339
from pyinit.logs.jsontext import json_string
from pyinit.logs.reading.stamps import LABEL_LENGTH, MOST_KEPT, key_of, stamp_length
from pyinit.tai import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.logs.reading.merging import Batch

YEARS = range(-62135596800 * 10**9, 253402300800 * 10**9)
"""The unix nanoseconds of the years 1 to 9999, which RFC 3339 can say."""


class ObjectLook:
    """Shows lines as objects. Pieces of a long line are cut where a character ends."""

    __slots__ = ("_cut_off", "_heads", "_part")
    is_whole = True
    """Whether each piece of a line is shown as a line."""

    def __init__(self) -> None:
        self._heads: dict[tuple[bytes, bytes], bytes] = {}
        self._cut_off = b""
        """The beginning of a character, for the next piece."""
        self._part = 0

    def show(self, index: int, name: bytes, batch: "Batch", lines: list[bytes]) -> list[bytes]:
        """The lines of the log with that index and service name, some of a batch, as they are shown."""
        if not batch.ends:
            return [self._begin(name, lines[0])]
        if batch.is_labelled:
            return [self._object(self._head(line[:LABEL_LENGTH], name), line[LABEL_LENGTH:], b"") for line in lines]
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
        if head := self._heads.get((key, name)):
            return head
        if len(self._heads) > MOST_KEPT:
            self._heads.clear()
        time = b'"%b"' % rfc3339(now) if key and (now := parse(key[:-1])) in YEARS else b"null"
        head = self._heads[key, name] = b'{"time": %b, "service": %b, "message": ' % (time, json_string(name)[0])
        return head

    def _object(self, head: bytes, text: bytes, more: bytes) -> bytes:
        message, is_escaped = json_string(text)
        return b"%b%b%b%b}" % (head, message, b', "escaped": true' if is_escaped else b"", more)
