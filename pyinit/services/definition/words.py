"""The values that files of a service directory have: durations, numbers, ends, names, addresses. Pure.

Each function takes text and raises ValueError with a short reason, such as `not a duration: 5x`. An optional part of a
file is a word and its value, in any order and each once: `options` takes these.
"""

from pyinit.services.life.health import LOCALHOST
from pyinit.services.life.policy import Outcomes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

UNITS = ((b"ms", 0.001), (b"s", 1.0), (b"m", 60.0), (b"h", 3600.0), (b"d", 86400.0))
"""Suffixes of durations, and the seconds of each. `ms` is looked for before `s`."""

LONGEST_DURATION = 366 * 86400.0
"""Seconds. Whatever is meant to last longer is meant to last for ever, and there is a word for that."""

MOST_DIGITS = 15
LONGEST_NAME = 255
LONGEST_QUOTED = 64
"""Bytes of a bad word that a reason quotes."""


def quoted(text: bytes) -> str:
    """A bad word as a reason shows it, cut where it is long."""
    return text[:LONGEST_QUOTED].decode(errors="replace") + ("..." if len(text) > LONGEST_QUOTED else "")


def first_line(content: bytes) -> "list[bytes]":
    """The words of the first line, up to one that begins with `#`."""
    return _before_comment(content.partition(b"\n")[0].split())


def all_lines(content: bytes) -> "list[bytes]":
    """The words of all lines, each up to one that begins with `#`."""
    return [word for line in content.split(b"\n") for word in _before_comment(line.split())]


def _before_comment(words: "list[bytes]") -> "list[bytes]":
    for index, word in enumerate(words):
        if word.startswith(b"#"):
            return words[:index]
    return words


def only(words: "Sequence[bytes]", what: str) -> bytes:
    """The one word that there has to be; `what` it is, with its article."""
    if len(words) != 1:
        raise ValueError(f"not {what}: {quoted(b' '.join(words))}" if words else "empty")
    return words[0]


def choice(word: bytes, among: "Collection[bytes]") -> bytes:
    """One of a few words."""
    if word not in among:
        raise ValueError(f"not {' or '.join(known.decode() for known in among)}: {quoted(word)}")
    return word


def whole(word: bytes, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    if not word.isdigit() or len(word) > MOST_DIGITS or not least <= int(word) <= most:
        raise ValueError(f"not a number from {least} to {most}: {quoted(word)}")
    return int(word)


def duration(word: bytes, unit: float = 1.0) -> float:
    """Seconds: `500ms`, `1.5s`, `2m`, `1h`, `1d`. A bare number is so many times `unit` seconds."""
    number = word
    for suffix, seconds in UNITS:
        if word.endswith(suffix):
            number, unit = word.removesuffix(suffix), seconds
            break
    before, point, after = number.partition(b".")
    is_number = before.isdigit() and len(number) <= MOST_DIGITS and (after.isdigit() or not point)
    if not is_number:
        raise ValueError(f"not a duration: {quoted(word)}")
    if float(number) * unit > LONGEST_DURATION:
        raise ValueError(f"longer than {LONGEST_DURATION // 86400:.0f} days: {quoted(word)}")
    return float(number) * unit


def span(word: bytes) -> float:
    """A duration in seconds that is longer than none."""
    seconds = duration(word)
    if not seconds:
        raise ValueError(f"has to be longer than 0: {quoted(word)}")
    return seconds


def outcomes(text: bytes) -> Outcomes:
    """A list of exit codes, ranges of them, and signals, with commas or white space between: `1,101-103,SIGSEGV`."""
    codes: set[int] = set()
    signals: set[int] = set()
    for word in text.replace(b",", b" ").split():
        if not word[:1].isdigit():
            from pyinit.system.signals import number_of

            signals.add(number_of(word))
            continue
        least, dash, most = word.partition(b"-")
        first = whole(least, 0, 255)
        last = whole(most, 0, 255) if dash else first
        if last < first:
            raise ValueError(f"not a range: {quoted(word)}")
        codes.update(range(first, last + 1))
    if not codes and not signals:
        raise ValueError("no exit code and no signal")
    return Outcomes(frozenset(codes), frozenset(signals))


def names(words: "Sequence[bytes]") -> "tuple[bytes, ...]":
    """Names of services, each once, in their order."""
    for word in words:
        if b"/" in word or word.startswith(b".") or len(word) > LONGEST_NAME:
            raise ValueError(f"not a name of a service: {quoted(word)}")
    return tuple(dict.fromkeys(words))


def address(word: bytes) -> "tuple[bytes, int]":
    """The host and the port of `[HOST:]N`. The host is this machine if it is absent; one with colons is in brackets."""
    host, colon, number = word.rpartition(b":")
    unfit = b"[]/:"
    if host.startswith(b"[") and host.endswith(b"]"):
        host, unfit = host[1:-1], b"[]/"
    if colon and (not host or any(byte in unfit for byte in host)):
        raise ValueError(f"not a host and a port: {quoted(word)}")
    return host if colon else LOCALHOST, whole(number, 1, 65535)


def options(
    words: "Sequence[bytes]", known: "Collection[bytes]", flags: "Collection[bytes]" = ()
) -> "dict[bytes, bytes]":
    """The word behind each known one, as in `every 30s timeout 5s`. A flag has none behind it."""
    left = list(words)
    found: dict[bytes, bytes] = {}
    while left:
        name = left.pop(0)
        if name not in known and name not in flags:
            raise ValueError(f"too many words: {quoted(b' '.join((name, *left)))}")
        if name in found:
            raise ValueError(f"{name.decode()} is said twice")
        if name in known and not left:
            raise ValueError(f"nothing behind {name.decode()}")
        found[name] = left.pop(0) if name in known else b""
    return found
