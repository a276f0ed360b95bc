"""What `ready`, `notification-fd`, `health` and `timer` say. Pure; each raises ValueError for bad content."""

from pyinit.services.definition.words import (
    address,
    choice,
    duration,
    first_line,
    only,
    options,
    quoted,
    span,
    whole,
)
from pyinit.services.life import readiness as kinds
from pyinit.services.life.health import CHECK, FAIL, HTTP, IGNORE, PORT, RESTART, UNIX, WATCHDOG, Health, Timer
from pyinit.services.life.readiness import Readiness

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIRST_FD = 3
LAST_FD = 65535
LONGEST_SOCKET = 107
"""Bytes of the path of a socket (sun_path of unix(7), less the NUL at its end)."""
LONGEST_PATH = 4095
MOST_FAILURES = 1_000_000


def ready(content: bytes) -> Readiness | None:
    """When a start counts as ready; None where a process is enough."""
    words = first_line(content)
    if not words:
        raise ValueError("empty")
    kind, operands = words[0], words[1:]
    if kind in kinds.POLLED:
        return _polled(kind, operands)
    match kind:
        case kinds.UP | kinds.NOTIFY:
            options(operands, ())
            return Readiness(kind) if kind == kinds.NOTIFY else None
        case kinds.FD:
            return Readiness(kind, number=_descriptor(_single(kind, operands)))
        case kinds.LOG:
            return Readiness(kind, _rest_of_line(content, kind))
        case kinds.AFTER:
            return Readiness(kind, seconds=duration(_single(kind, operands)))
    raise ValueError(f"not a kind of readiness: {quoted(kind)}")


def notification_fd(content: bytes) -> Readiness:
    """What `ready fd N` says, too."""
    return Readiness(kinds.FD, number=_descriptor(only(first_line(content), "a descriptor")))


def _descriptor(word: bytes) -> int:
    return whole(word, FIRST_FD, LAST_FD)


def _rest_of_line(content: bytes, kind: bytes) -> bytes:
    """The text behind the first word, literally, but for the white space around it."""
    text = content.partition(b"\n")[0].strip().removeprefix(kind).strip()
    if not text:
        raise ValueError("nothing behind log")
    return text


def _polled(kind: bytes, operands: "Sequence[bytes]") -> Readiness:
    readiness = Readiness(kind)
    rest = operands
    if kind != kinds.CHECK:
        word, rest = _first(kind, operands)
        if kind == kinds.PORT:
            readiness.text, readiness.number = address(word)
        else:
            readiness.text = _path(word, LONGEST_SOCKET if kind == kinds.UNIX else LONGEST_PATH)
    found = options(rest, (b"every",))
    if b"every" in found:
        readiness.every = span(found[b"every"])
    return readiness


def _first(kind: bytes, operands: "Sequence[bytes]") -> "tuple[bytes, Sequence[bytes]]":
    """The first operand, which has to be there, and the others."""
    if not operands:
        raise ValueError(f"nothing behind {kind.decode()}")
    return operands[0], operands[1:]


def _single(kind: bytes, operands: "Sequence[bytes]") -> bytes:
    word, rest = _first(kind, operands)
    options(rest, ())
    return word


def _path(word: bytes, longest: int) -> bytes:
    if len(word) > longest:
        raise ValueError(f"a path longer than {longest} bytes: {quoted(word)}")
    return word


def health(content: bytes) -> Health:
    """How the service is asked whether it is well. (A `health` that is executable says nothing else.)"""
    words = first_line(content)
    if not words:
        raise ValueError("empty")
    asked = Health(choice(words[0], (CHECK, PORT, UNIX, HTTP, WATCHDOG)))
    rest: Sequence[bytes] = words[1:]
    if asked.kind in (PORT, UNIX, HTTP):
        word, rest = _first(asked.kind, rest)
        _aim(asked, word)
    found = options(rest, (b"every", b"timeout", b"failures", b"then"))
    if b"every" in found:
        asked.every = span(found[b"every"])
    if b"timeout" in found:
        asked.timeout = span(found[b"timeout"])
    if b"failures" in found:
        asked.failures = whole(found[b"failures"], 1, MOST_FAILURES)
    if b"then" in found:
        asked.then = choice(found[b"then"], (RESTART, FAIL, IGNORE))
    return asked


def _aim(asked: Health, word: bytes) -> None:
    """Set what is asked: a port, a socket or a page."""
    if asked.kind == UNIX:
        asked.path = _path(word, LONGEST_SOCKET)
        return
    place, slash, path = word.partition(b"/")
    if bool(slash) != (asked.kind == HTTP):
        raise ValueError(f"not [HOST:]N{'/PATH' if asked.kind == HTTP else ''}: {quoted(word)}")
    asked.host, asked.number = address(place)
    asked.path = slash + path


def timer(content: bytes) -> Timer:
    """When a oneshot is run."""
    from pyinit.services.definition.cron import FIELDS, cron

    words = first_line(content)
    if words[:1] == [b"every"]:
        word, rest = _first(words[0], words[1:])
        at = Timer(span(word))
    elif len(words) >= FIELDS:
        at, rest = cron(words[:FIELDS]), words[FIELDS:]
    else:
        raise ValueError(f"not five fields and not every D: {quoted(b' '.join(words))}" if words else "empty")
    found = options(rest, (b"zone",), (b"at-start",))
    at.at_start = b"at-start" in found
    at.zone = _zone(found[b"zone"]) if b"zone" in found else b""
    return at


QUESTIONS: "dict[str, tuple[str, Callable[[bytes], object]]]" = {
    "ready": ("readiness", ready),
    "notification-fd": ("readiness", notification_fd),
    "health": ("health", health),
    "timer": ("timer", timer),
}
"""The field of a Policy that the text of a file becomes, and by which function."""


def _zone(word: bytes) -> bytes:
    """A name of the time zone database, which is a path in a directory of the system's."""
    parts = word.split(b"/")
    if b"" in parts or b"." in parts or b".." in parts:
        raise ValueError(f"not a time zone: {quoted(word)}")
    return _path(word, LONGEST_PATH)
