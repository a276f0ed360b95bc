"""The packets between PID 1 and the checker, which asks about services. Pure.

To the checker: a question as `pack` makes it; or DROP and the number of a question that is not to be asked any more.
With a path comes a descriptor (SCM_RIGHTS), the directory of the service. With a PROGRAM come two more: a file with
the additions to its environment, as `pack_variables` makes it, and the log. From the checker: an answer as
`pack_answer` makes it.
"""

READINESS, HEALTH, TIMER = b"readiness", b"health", b"timer"
"""What a question is for. READINESS ends with its first good answer."""

PORT, UNIX, FILE, PROGRAM, HTTP, CRON, INTERVAL = b"port", b"unix", b"file", b"program", b"http", b"cron", b"interval"
"""What is asked: a connection, a file, a program, a page; or the clock, by cron's fields or each `every` seconds."""

READY, SICK, WELL, FAILED, DUE, AGAIN = b"ready", b"sick", b"well", b"failed", b"due", b"again"
"""Answers. AGAIN: the question did not arrive whole, for want of descriptors. FAILED: how many in a row.

DUE: the moment, unix seconds (CRON), or the number of the run (INTERVAL).
"""

DROP = b"drop"
PACKET = 65536
"""The longest packet, bytes."""

PROG = b"checker"
"""The name of the checker in ps and in messages."""

LISTS = b" "


class Question:
    """One question about the service `name`. Times in seconds, moments monotonic.

    `at`: when it is asked first. `every`: how long until it is asked again, at most. `timeout`: how long an answer may
    take. `failures`: so many in a row make it sick; `count`: so many there were already. `path`: of a socket, a file,
    a program or a page. `fields`, `restricts_days`, `zone`: of cron. `mark`: the last run that is known, as DUE tells.
    """

    __slots__ = (
        "at",
        "count",
        "every",
        "failures",
        "fields",
        "host",
        "kind",
        "mark",
        "name",
        "path",
        "port",
        "purpose",
        "restricts_days",
        "timeout",
        "zone",
    )

    def __init__(self, purpose: bytes, kind: bytes, name: bytes) -> None:
        self.purpose = purpose
        self.kind = kind
        self.name = name
        self.host = self.path = self.zone = b""
        self.port = self.count = self.mark = 0
        self.failures = 1
        self.at = self.every = self.timeout = 0.0
        self.fields: tuple[frozenset[int], ...] = ()
        self.restricts_days = False

    @property
    def needs_directory(self) -> bool:
        """Whether its path is relative to the directory of the service."""
        return self.kind in (UNIX, FILE, PROGRAM)


def pack(number: int, question: Question) -> bytes:
    """A question, NUL between its fields."""
    asked = question
    numbers = [number, asked.port, asked.failures, asked.count, asked.mark, int(asked.restricts_days)]
    seconds = [asked.at, asked.every, asked.timeout]
    parts = [asked.purpose, asked.kind, asked.name, asked.host, asked.path, asked.zone]
    parts += [b"%d" % value for value in numbers]
    parts += [repr(value).encode() for value in seconds]
    parts += [LISTS.join(b"%d" % value for value in sorted(field)) for field in asked.fields]
    return b"\0".join(parts)


def unpack(packet: bytes) -> tuple[int, Question]:
    """The number and the question of a packet; ValueError for a malformed one."""
    purpose, kind, name, host, path, zone, *rest = packet.split(b"\0")
    number, port, failures, count, mark, restricts_days, *rest = rest
    at, every, timeout, *fields = rest
    question = Question(purpose, kind, name)
    question.host, question.path, question.zone = host, path, zone
    question.port, question.failures, question.count, question.mark = int(port), int(failures), int(count), int(mark)
    question.restricts_days = restricts_days == b"1"
    question.at, question.every, question.timeout = float(at), float(every), float(timeout)
    question.fields = tuple(frozenset(map(int, field.split())) for field in fields)
    return int(number), question


def pack_answer(verb: bytes, name: bytes, number: int, detail: int = 0) -> bytes:
    """An answer about a service to the question of this number."""
    return b"\0".join((verb, name, b"%d" % number, b"%d" % detail))


def unpack_answer(packet: bytes) -> tuple[bytes, bytes, int, int]:
    """The verb, the name, the number and the detail of an answer; ValueError for a malformed one."""
    verb, name, number, detail = packet.split(b"\0")
    return verb, name, int(number), int(detail)


def pack_variables(changes: "dict[bytes, bytes | None]") -> bytes:
    """What an environment has more, each variable ended by a NUL: NAME=VALUE; without `=` it is removed."""
    return b"".join((name if value is None else name + b"=" + value) + b"\0" for name, value in changes.items())


def unpack_variables(content: bytes) -> "dict[bytes, bytes | None]":
    """The mirror of `pack_variables`."""
    changes: dict[bytes, bytes | None] = {}
    for entry in content.split(b"\0")[:-1]:
        name, is_set, value = entry.partition(b"=")
        changes[name] = value if is_set else None
    return changes
