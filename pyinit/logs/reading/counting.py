"""Not the lines but how many there are, and their bytes: of each service, by the minute and in all: svlog --stats.

Bytes are those of the message and its newline, as they came from the service. Lines without a stamp have no minute. The
counters of the log collector follow. They know of lines that were not selected, were left out, or were removed since.
"""

from time import gmtime, localtime

from pyinit.logs.jsontext import json_string
from pyinit.logs.reading.printout import Printout
from pyinit.logs.reading.stamps import LABEL_LENGTH, key_of, stamp_length
from pyinit.report import shown
from pyinit.tai import UNIX_EPOCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from time import struct_time

    from pyinit.formats.counters import Counters
    from pyinit.logs.reading.merging import Batch
    from pyinit.logs.reading.query import Query

SECONDS = slice(1, 17)
"""Where the hex digits of a label's seconds are."""

UNKNOWN = -(1 << 62)
"""In place of the minute of lines without a stamp."""

FIELDS = (b"lines_in", b"bytes_in", b"lines_written", b"bytes_written", b"deselected", b"dropped", b"blocked")

Row = tuple[int, bytes, int, int]
"""A minute since 1970, a service, lines, bytes."""


class Tally:
    """Lines and bytes of services by the minute."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[tuple[int, bytes], list[int]] = {}

    def add(self, name: bytes, batches: "Iterable[Batch]") -> None:
        """Count all lines of a log of this service."""
        known: bytes | None = None
        cell = [0, 0]
        for batch in batches:
            if not batch.begins:
                cell[1] += len(batch.lines[0]) + batch.ends
                continue
            for line in batch.lines:
                key = line[:LABEL_LENGTH] if batch.is_labelled else key_of(line)
                if key[SECONDS] != known:
                    known = key[SECONDS]
                    minute = (int(known, 16) - UNIX_EPOCH) // 60 if known else UNKNOWN
                    cell = self._cells.setdefault((minute, name), [0, 0])
                cell[0] += 1
                cell[1] += len(line) - (stamp_length(line) if key else 0) + batch.ends

    def minutes(self) -> list[Row]:
        """A row for each minute and service, in the order of time."""
        return [(minute, name, lines, size) for (minute, name), (lines, size) in sorted(self._cells.items())]

    def totals(self) -> list[tuple[bytes, int, int]]:
        """Services, and all lines and bytes of each."""
        found: dict[bytes, tuple[int, int]] = {}
        for (_, name), (lines, size) in self._cells.items():
            before = found.get(name, (0, 0))
            found[name] = before[0] + lines, before[1] + size
        return [(name, *amounts) for name, amounts in sorted(found.items())]


class CountedPrintout(Printout):
    """Prints how many lines of a query there are. `counters`: those of the log collector, by service."""

    def __init__(self, query: "Query", logs: bytes, services: bytes, counters: "Mapping[bytes, Counters]") -> None:
        super().__init__(query, logs, services)
        self._counters = counters

    def _lay_out(self) -> None:
        tally = Tally()
        for reader in self._readers.values():
            tally.add(reader.name, self._batches(reader))
        asked = self._query.names or self._counters
        counters = {name: each for name, each in self._counters.items() if name in asked}
        convert = gmtime if self._query.is_utc else localtime
        text = objects(tally, counters) if self._query.is_json else tables(tally, counters, convert)
        self._output.add(text)


def tables(tally: Tally, counters: "Mapping[bytes, Counters]", convert: "Callable[[float], struct_time]") -> bytes:
    """Three tables: by the minute, in all, and the counters, if there are any."""
    suffix = b"Z" if convert is gmtime else b""
    minutes = [
        [_minute(minute, convert, suffix), shown(name), b"%d" % lines, b"%d" % size]
        for minute, name, lines, size in tally.minutes()
    ]
    totals = [[b"all", shown(name), b"%d" % lines, b"%d" % size] for name, lines, size in tally.totals()]
    text = _table([[b"minute", b"service", b"lines", b"bytes"], *minutes, *totals], 2)
    if counters:
        rows = [[shown(name), *_numbers(each)] for name, each in sorted(counters.items())]
        text += b"\nsince the container started:\n" + _table([[b"service", *FIELDS], *rows], 1)
    return text


def objects(tally: Tally, counters: "Mapping[bytes, Counters]") -> bytes:
    """The same as JSON, an object a line, without the sums."""
    lines = [
        b'{"minute": %b, "service": %b, "lines": %d, "bytes": %d}\n'
        % (b"null" if minute == UNKNOWN else b'"%b"' % _iso(minute), json_string(name)[0], count, size)
        for minute, name, count, size in tally.minutes()
    ]
    for name, each in sorted(counters.items()):
        fields = (b'"%b": %b' % pair for pair in zip(FIELDS, _numbers(each), strict=True))
        lines.append(b'{"service": %b, %b}\n' % (json_string(name)[0], b", ".join(fields)))
    return b"".join(lines)


def _numbers(counters: "Counters") -> list[bytes]:
    counts = (*counters.amounts(), counters.deselected, counters.dropped)
    return [*(b"%d" % number for number in counts), b"%.3f" % counters.blocked]


def _minute(minute: int, convert: "Callable[[float], struct_time]", suffix: bytes) -> bytes:
    try:
        return b"%d-%02d-%02d %02d:%02d%b" % (*convert(minute * 60)[:5], suffix) if minute != UNKNOWN else b"-"
    except (OverflowError, OSError, ValueError):  # no time of the calendar
        return b"-"


def _iso(minute: int) -> bytes:
    return _minute(minute, gmtime, b":00Z").replace(b" ", b"T")


def _table(rows: "Sequence[Sequence[bytes]]", words: int) -> bytes:
    """Columns as wide as they need to be: the first ones are words, the others numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(b"  ".join(cells) + b"\n")
    return b"".join(lines)
