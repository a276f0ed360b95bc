"""The command line of svlog, understood: which lines of which logs to print."""

from pyinit.logs.reading.times import key, understand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

FOLLOWED = 10
"""Lines printed before the followed ones, unless -n says so."""


WORDS = {b"--utc": "is_utc", b"--json": "is_json", b"--stats": "is_counting"}
NUMBERS = {b"n": "lines", b"C": "context"}


class BadQuery(Exception):
    """Wrong usage; `message` says why, and is empty if the usage text says it all."""

    def __init__(self, message: bytes = b"") -> None:
        super().__init__(message)
        self.message = message


class Query:
    """Which lines to print. `lines`: at most the last so many, None for all. `names`: services, empty for all.

    `since` and `until` are keys of lines, empty for no bound; `end` is `until` in unix ns. `search` tells
    whether a message is wanted, if not all are, and `context` how many lines around it. `is_json`: as objects;
    `is_counting`: not the lines, but how many there are.
    """

    __slots__ = (
        *("context", "end", "is_counting", "is_following", "is_json", "is_utc", "lines", "names", "pattern", "search"),
        *("since", "until"),
    )

    def __init__(self) -> None:
        self.is_following = self.is_utc = self.is_json = self.is_counting = False
        self.pattern: bytes | None = None
        self.search: Callable[[bytes], Any] | None = None
        self.context = 0
        self.lines: int | None = None
        self.names: list[bytes] = []
        self.since = self.until = b""
        self.end = 0


def read_query(arguments: list[bytes], now: int) -> Query:
    """Read the command line; options may be anywhere before `--`. `now`: unix ns. Raises BadQuery."""
    query = Query()
    times = {b"--since": b"", b"--until": b""}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition(b"=")
        if argument == b"--":
            query.names += rest
        elif name in times:
            times[name] = value if equals else next(rest, b"")
            if not times[name]:
                raise BadQuery
        elif argument in WORDS:
            setattr(query, WORDS[argument], True)
        elif argument[:1] == b"-" and argument != b"-":
            _read_letters(query, argument[1:], rest)
        else:
            query.names.append(argument)
    _complete(query, times[b"--since"], times[b"--until"], now)
    return query


def _complete(query: Query, since: bytes, until: bytes, now: int) -> None:
    """Understand the times and the pattern, and what goes with what."""
    begin, end = (_time(text, now, query.is_utc) for text in (since, until))
    query.since = b"" if begin is None else key(begin)
    query.until = b"" if end is None else key(end)
    query.end = end or 0
    is_counted_whole = query.is_counting and (query.is_following or query.lines is not None or query.context)
    if is_counted_whole or (query.context and query.pattern is None):
        raise BadQuery
    if query.pattern is not None:
        query.search = _searcher(query.pattern)
    if query.is_following and query.lines is None:
        query.lines = FOLLOWED
    if query.until and query.end <= now:
        query.is_following = False


def _searcher(pattern: bytes) -> "Callable[[bytes], Any]":
    from pyinit.logs.reading.matching import BadPattern, searcher

    try:
        return searcher(pattern)
    except BadPattern as bad:
        raise BadQuery(b"unable to understand pattern %b: %b" % (pattern, bad.message)) from None


def _read_letters(query: Query, letters: bytes, rest: "Iterator[bytes]") -> None:
    while letters[:1] == b"f":
        query.is_following = True
        letters = letters[1:]
    letter, value = letters[:1], letters[1:]
    if letter == b"g":
        query.pattern = value or next(rest, None)
        if query.pattern is None:
            raise BadQuery
    elif letter in (b"n", b"C"):
        value = value or next(rest, b"")
        if not value.isdigit() or len(value) > 18:
            raise BadQuery
        setattr(query, NUMBERS[letter], int(value))
    elif letters:
        raise BadQuery


def _time(text: bytes, now: int, is_utc: bool) -> int | None:
    if not text:
        return None
    try:
        return understand(text, now, is_utc)
    except ValueError:
        raise BadQuery(b"unable to understand time " + text) from None
