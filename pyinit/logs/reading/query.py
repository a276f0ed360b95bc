"""The command line of svlog, understood: which lines of which logs to print."""

from pyinit.logs.reading.times import key, understand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLLOWED = 10
"""Lines printed before the followed ones, unless -n says so."""


class BadQuery(Exception):
    """Wrong usage; `message` says why, and is empty if the usage text says it all."""

    def __init__(self, message: bytes = b"") -> None:
        super().__init__(message)
        self.message = message


class Query:
    """Which lines to print. `lines`: at most the last so many, None for all. `names`: services, empty for all.

    `since` and `until` are keys of lines, empty for no bound; `end` is `until` in unix ns.
    """

    __slots__ = ("end", "is_following", "is_utc", "lines", "names", "since", "until")

    def __init__(self) -> None:
        self.is_following = self.is_utc = False
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
        elif argument == b"--utc":
            query.is_utc = True
        elif argument[:1] == b"-" and argument != b"-":
            _read_letters(query, argument[1:], rest)
        else:
            query.names.append(argument)
    since, until = (_time(text, now, query.is_utc) for text in times.values())
    query.since = b"" if since is None else key(since)
    query.until = b"" if until is None else key(until)
    query.end = until or 0
    if query.is_following and query.lines is None:
        query.lines = FOLLOWED
    if query.until and query.end <= now:
        query.is_following = False
    return query


def _read_letters(query: Query, letters: bytes, rest: "Iterator[bytes]") -> None:
    while letters[:1] == b"f":
        query.is_following = True
        letters = letters[1:]
    if letters[:1] == b"n":
        number = letters[1:] or next(rest, b"")
        if number.isdigit() and len(number) < 19:
            query.lines = int(number)
            return
    if letters:
        raise BadQuery


def _time(text: bytes, now: int, is_utc: bool) -> int | None:
    if not text:
        return None
    try:
        return understand(text, now, is_utc)
    except ValueError:
        raise BadQuery(b"unable to understand time " + text) from None
