"""PID 1's table of its services: how each is, for whoever wants to know. Pure.

The file `services` in the runtime directory, replaced as a whole. A header of words KEY=VALUE, then a line a service:

    schema=1 version=0.1.0 state=ready since=1764357000.000000000 ... columns=type,state,...,name
    longrun up up up 17 1764357000.125000000 1 1764357000.125000000 - ... web

The fields are separated by a space. `-` is a value that is not known, or that there is none of. The name is the last
field. A new column comes in front of it, so no other column ever moves. `columns` names the columns of the file.
A reader leaves out columns and keys that it does not know. docs/formats.md describes each.
"""

from pyinit.formats.paths import STARTING
from pyinit.formats.visible import quote, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SCHEMA = 1
LONGEST = 64 << 20
"""Bytes of the file, for a hundred thousand services."""

NONE = b"-"
SECOND = 1_000_000_000


def _word(text: bytes) -> bytes:
    """Any text as one field: quoted, and without spaces and commas. Nothing is `-`."""
    if text == NONE:
        return b"\\x2d"
    return quote(text).replace(b" ", b"\\x20").replace(b",", b"\\x2c") or NONE


def _text(field: bytes) -> bytes:
    """The mirror of `_word`. Raises ValueError."""
    return b"" if field == NONE else unquote(field)


def _names(names: "tuple[bytes, ...]") -> bytes:
    return b",".join(map(_word, names)) or NONE


def _read_names(field: bytes) -> "tuple[bytes, ...]":
    return () if field == NONE else tuple(map(_text, field.split(b",")))


def _time(moment: int | None) -> bytes:
    return NONE if moment is None else b"%d.%09d" % divmod(moment, SECOND)


def _read_time(field: bytes) -> int | None:
    if field == NONE:
        return None
    seconds, _, fraction = field.partition(b".")
    return int(seconds) * SECOND + int(fraction)


def _number(number: int | None) -> bytes:
    return NONE if number is None else b"%d" % number


def _read_number(field: bytes) -> int | None:
    return None if field == NONE else int(field)


def _seconds(seconds: float | None) -> bytes:
    return NONE if seconds is None else b"%.3f" % seconds


def _read_seconds(field: bytes) -> float | None:
    return None if field == NONE else float(field)


def _flag(flag: bool) -> bytes:
    return b"1" if flag else b"0"


def _read_flag(field: bytes) -> bool:
    return bool(int(field))


if TYPE_CHECKING:
    Kind = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]

WORD: "Kind" = _word, _text
NAMES: "Kind" = _names, _read_names
TIME: "Kind" = _time, _read_time
NUMBER: "Kind" = _number, _read_number
SECONDS: "Kind" = _seconds, _read_seconds
FLAG: "Kind" = _flag, _read_flag

COLUMNS: "dict[str, Kind]" = {
    "type": WORD,
    "state": WORD,
    "want": WORD,
    "normally": WORD,
    "pid": NUMBER,
    "since": TIME,
    "ready": FLAG,
    "ready_since": TIME,
    "health": WORD,
    "readiness": FLAG,
    "steady": SECONDS,
    "critical": FLAG,
    "paused": FLAG,
    "restarts": NUMBER,
    "window": NUMBER,
    "next": TIME,
    "code": NUMBER,
    "signal": NUMBER,
    "oom": FLAG,
    "exited": TIME,
    "restarted": TIME,
    "starts": NUMBER,
    "successes": NUMBER,
    "failures": NUMBER,
    "signals": NUMBER,
    "ooms": NUMBER,
    "kills": NUMBER,
    "text": WORD,
    "needs": NAMES,
    "after": NAMES,
    "before": NAMES,
    "name": WORD,
}
"""What a line says of a service, in this order, and how each is written and read."""

KEYS: "dict[str, Kind]" = {
    "schema": NUMBER,
    "version": WORD,
    "state": WORD,
    "since": TIME,
    "ready_seconds": SECONDS,
    "orphans_reaped": NUMBER,
    "strays_killed": NUMBER,
    "oom_kills": NUMBER,
    "stop_timeout": SECONDS,
}
"""What the header says of PID 1; `columns` follows."""


class ServiceRow:
    """What the table says of one service. Times are unix ns; None is unknown, as an empty text is.

    `want`: `up`, `down`, or `once`. `normally`: `up`, or `down` where the directory has a file `down`. `pid`: 0 where
    there is none. `ready`: it is up and ready, or done. `health`: `ok`, `sick`, or nothing. `readiness`: whether it
    tells when it is ready. `steady`: seconds that it has to be up after an end that nobody asked for.

    `restarts`: the starts after such an end. `window`: those of them that count for max-restarts now. `restarted`: when
    the last was. `next`: when one is due. `code`, `signal`, `oom`, `exited`: its last end. `successes`, `failures`,
    `signals`, `ooms`: all ends by their cause. `kills`: the stops that needed KILL. `text`: what there is to say.
    """

    __slots__ = tuple(COLUMNS)

    def __init__(self, name: bytes = b"", state: bytes = b"down") -> None:
        self.name = name
        self.type = b"longrun"
        self.state = state
        self.want = self.normally = b"up"
        self.pid = 0
        self.ready = self.readiness = self.critical = self.paused = self.oom = False
        self.since: int | None = None
        self.ready_since: int | None = None
        self.restarted: int | None = None
        self.next: int | None = None
        self.exited: int | None = None
        self.window: int | None = None
        self.code: int | None = None
        self.signal: int | None = None
        self.health = self.text = b""
        self.steady = 2.0
        self.restarts = self.starts = self.kills = 0
        self.successes = self.failures = self.signals = self.ooms = 0
        self.needs: tuple[bytes, ...] = ()
        self.after: tuple[bytes, ...] = ()
        self.before: tuple[bytes, ...] = ()


class TableHeader:
    """What the table says of PID 1 itself. `state`: `starting` until every service has counted once, `ready` from
    then on, `stopping` when all are going down. `since`: when it began, unix ns.

    `ready_seconds`: how long it took until every service counted, None until then. `stop_timeout`: seconds.
    """

    __slots__ = tuple(KEYS)

    def __init__(self, version: bytes = b"", since: int = 0, stop_timeout: float = 0.0) -> None:
        self.schema = SCHEMA
        self.version = version
        self.state = STARTING
        self.since = since
        self.ready_seconds: float | None = None
        self.orphans_reaped = self.strays_killed = self.oom_kills = 0
        self.stop_timeout = stop_timeout


def pack_header(header: TableHeader) -> bytes:
    """The first line."""
    words = [f"{key}=".encode() + KEYS[key][0](getattr(header, key)) for key in KEYS]
    return b"%b columns=%b\n" % (b" ".join(words), ",".join(COLUMNS).encode())


def pack_row(row: ServiceRow) -> bytes:
    """The line of one service."""
    return b" ".join([kind[0](getattr(row, column)) for column, kind in COLUMNS.items()]) + b"\n"


def unpack(content: bytes) -> tuple[TableHeader, list[ServiceRow]]:
    """What the file says. Raises ValueError where it is no table of this schema. A malformed line is passed over."""
    first, _, lines = content.partition(b"\n")
    header = TableHeader()
    columns: list[str] = []
    for entry in first.decode(errors="replace").split(" "):
        key, _, value = entry.partition("=")
        if key in KEYS:
            setattr(header, key, KEYS[key][1](value.encode()))
        elif key == "columns":
            columns = value.split(",")
    if header.schema != SCHEMA or not first.startswith(b"schema=") or columns[-1:] != ["name"]:
        raise ValueError("not a table of services")
    return header, [row for line in lines.split(b"\n") if (row := _unpack_row(line, columns))]


def _unpack_row(line: bytes, columns: list[str]) -> ServiceRow | None:
    row = ServiceRow()
    try:
        for column, field in zip(columns, line.split(b" "), strict=True):
            if column in COLUMNS:
                setattr(row, column, COLUMNS[column][1](field))
    except ValueError:
        return None
    return row


PROVEN = 0.1
"""Seconds that a service without readiness of its own has to be up until it counts."""
