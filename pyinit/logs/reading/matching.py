"""Lines that a regular expression is found in, with the lines around them: svlog -g and -C.

The lines around a match are those of the same log. The lines before a match are kept until it comes, so memory is
bounded by their number. Of a line that is too long to be held the first piece decides. Before a match only that piece
is shown.
"""

from pyinit.logs.reading.merging import Batch
from pyinit.logs.reading.stamps import LABEL_LENGTH, key_of, stamp_length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


class BadPattern(ValueError):
    """The pattern is no regular expression; `message` says why."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message


def searcher(pattern: bytes) -> "Callable[[bytes], Any]":
    """A function that tells whether the pattern is found in a text. Raises BadPattern."""
    import re

    try:
        return re.compile(pattern).search
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(str(error).encode(errors="backslashreplace")) from None


class Matcher:
    """The batches of one log, one after the other. `search` is asked for each message; `context` lines go around it."""

    __slots__ = ("_after", "_before", "_context", "_passes", "_search")

    def __init__(self, search: "Callable[[bytes], Any]", context: int) -> None:
        self._search = search
        self._context = context
        self._before: list[tuple[bytes, bytes]] = []
        """Keys and lines that were not shown: the last ones."""
        self._after = 0
        """How many of the next lines are to be shown, matching or not."""
        self._passes = False
        """Whether the long line that has begun is shown."""

    def matching(self, batches: "Iterable[Batch]") -> "Iterator[Batch]":
        """What is to be shown of these batches."""
        for batch in batches:
            if not batch.begins:
                if self._passes:
                    yield batch
                continue
            if batch.is_labelled:
                found = [index for index, line in enumerate(batch.lines) if self._search(line[LABEL_LENGTH:])]
            else:
                found = [index for index, line in enumerate(batch.lines) if self._search(_message(line))]
            yield from self._select(batch, found)

    def _select(self, batch: Batch, found: list[int]) -> "Iterator[Batch]":
        """What is to be shown of a batch with matches at these places."""
        count, context = len(batch.lines), self._context
        shown = set(range(min(self._after, count)))
        for place in found:
            shown.update(range(max(0, place - context), min(count, place + context + 1)))
        if found and found[0] < context and self._before:
            kept = self._before[found[0] - context :]
            yield Batch([key for key, _ in kept], [line for _, line in kept], False)
        self._after = max(self._after - count, found[-1] + context + 1 - count if found else 0, 0)
        places = sorted(shown)
        if places:
            keys, lines = [batch.keys[place] for place in places], [batch.lines[place] for place in places]
            yield Batch(keys, lines, batch.is_labelled, batch.begins, batch.ends)
        self._passes = bool(places)
        if context:
            self._keep(batch, places)

    def _keep(self, batch: Batch, places: list[int]) -> None:
        """Keep the last lines, none of which was shown."""
        if places:
            self._before.clear()
        start = max(places[-1] + 1 if places else 0, len(batch.lines) - self._context)
        self._before += zip(batch.keys[start:], batch.lines[start:], strict=True)
        del self._before[: -self._context]


def _message(line: bytes) -> bytes:
    return line[stamp_length(line) :] if key_of(line) else line
