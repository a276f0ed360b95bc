"""Logs read back: files cut into keyed lines, windows of time, several logs merged into one. Pure.

The key of a line is its stamp as a TAI64N label, and a space, so that keys compare as times do. But it is never less
than the key of the line before it in the same log. So a log keeps its order when its clock was set back. And a line
without a stamp stays behind the stamped line before it. Lines are merged by key; at the same key by the order of the
logs.
"""

from _bisect import bisect_left, bisect_right
from itertools import accumulate

from pyinit.logs.reading.stamps import BEGINNING, has_stamp, key_of, keys_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONG = 1 << 16
"""A line is kept in memory for so many bytes; of a longer one the pieces are passed on as they come."""


class Batch:
    """Lines of one log, without their newlines, and the key of each; not empty.

    `is_labelled`: every line has a TAI64N label. A long line comes in batches of one piece each. `begins` is False for
    all its pieces but the first, `ends` for all but the last.
    """

    __slots__ = ("begins", "ends", "is_labelled", "keys", "lines")

    def __init__(
        self, keys: list[bytes], lines: list[bytes], is_labelled: bool, begins: bool = True, ends: bool = True
    ) -> None:
        self.keys = keys
        self.lines = lines
        self.is_labelled = is_labelled
        self.begins = begins
        self.ends = ends


Part = tuple[int, Batch, int, int]
"""Lines of a log, by its number: the batch, where the first is in it, and the one after the last."""


class Cutter:
    """One log's files, block by block, cut into batches. The result does not depend on where blocks end."""

    __slots__ = ("_held", "_is_inside", "_last")

    def __init__(self) -> None:
        self._held = b""
        """The beginning of a line; all of it that is not passed on yet."""
        self._is_inside = False
        """Whether pieces of that line have been passed on."""
        self._last = b""

    def begin(self, beginning: bytes, time: bytes, goes_on: bool) -> list[Batch]:
        """The next file: its first bytes, the key of its time, and whether the last line of the file before may go on.

        It does not if that was cut off by a crash, or if a stamp says that a line begins here.
        """
        ended = []
        if self._held or self._is_inside:
            if goes_on and not key_of(beginning):
                return []
            ended = self.finish()
        self.place(beginning, time)
        return ended

    def place(self, beginning: bytes, time: bytes) -> None:
        """Put lines without any stamp at the time at which their file was written last."""
        if not has_stamp(beginning[:BEGINNING]):
            self.reach(time)

    def reach(self, key: bytes) -> None:
        """Let no later line have a key before this one."""
        self._last = max(self._last, key)

    def feed(self, block: bytes) -> list[Batch]:
        """The batches that a block completes."""
        text = self._held + block
        end = text.rfind(b"\n")
        self._held = text[end + 1 :]
        if end < 0:
            return [self._piece()] if self._is_inside or len(text) > LONG else []
        lines = text[:end].split(b"\n")
        batches = []
        if self._is_inside:
            batches.append(Batch([self._last], [lines.pop(0)], False, begins=False))
            self._is_inside = False
        if lines:
            batches.append(self._batch(lines))
        if len(self._held) > LONG:
            batches.append(self._piece())
        return batches

    def finish(self) -> list[Batch]:
        """The end of the log, or of what can go on: a line without newline is a line."""
        if not self._held and not self._is_inside:
            return []
        return self.feed(b"\n")

    def _batch(self, lines: list[bytes]) -> Batch:
        keys, is_labelled = keys_of(lines)
        keys[0] = max(keys[0], self._last)
        keys = list(accumulate(keys, max))
        self._last = keys[-1]
        return Batch(keys, lines, is_labelled)

    def _piece(self) -> Batch:
        text, self._held = self._held, b""
        begins, self._is_inside = not self._is_inside, True
        key = key_of(text) if begins else b""
        self._last = max(self._last, key)
        return Batch([self._last], [text], bool(key) and text[:1] == b"@", begins, ends=False)


def clip(batches: "Iterable[Batch]", since: bytes, until: bytes) -> "Iterator[Batch]":
    """The lines whose keys are in the window, ends included; an empty bound is none. Reads no further than needed."""
    for batch in batches:
        keys = batch.keys
        start = bisect_left(keys, since)
        stop = bisect_right(keys, until) if until else len(keys)
        if start == 0 and stop == len(keys):
            yield batch
        elif start < stop:
            yield Batch(keys[start:stop], batch.lines[start:stop], batch.is_labelled)
        if stop < len(keys):
            return


def rounds(logs: "list[Iterator[Batch]]") -> "Iterator[list[Part]]":
    """Rounds of parts, which hold all lines that come before those of later rounds; `ordered` orders one.

    A round goes up to the earliest last key of the batches at hand, that batch included; so each uses up one.
    At most one batch of each log is kept. A long line is a round for each piece, with nothing in between.
    """
    heads: dict[int, tuple[Batch, int]] = {}
    for index, log in enumerate(logs):
        batch = next(log, None)
        while batch and not batch.begins:
            yield [(index, batch, 0, 1)]
            batch = next(log, None)
        if batch:
            heads[index] = batch, 0
    while heads:
        horizon, first = min((batch.keys[-1], index) for index, (batch, _) in heads.items())
        parts = []
        for index, (batch, start) in heads.items():
            stop = (bisect_right if index <= first else bisect_left)(batch.keys, horizon, start)
            if start < stop:
                parts.append((index, batch, start, stop))
                heads[index] = batch, stop
        yield parts
        batch = next(logs[first], None)
        while batch and not batch.begins:
            yield [(first, batch, 0, 1)]
            batch = next(logs[first], None)
        if batch:
            heads[first] = batch, 0
        else:
            del heads[first]


def ordered(parts: list[Part], lines: list[list[bytes]]) -> list[bytes]:
    """The lines of a round in order; `lines` are what to show for each part, as many as it has."""
    if len(parts) == 1:
        return lines[0]
    keys = [key for _, batch, start, stop in parts for key in batch.keys[start:stop]]
    together = [line for some in lines for line in some]
    return [together[place] for place in sorted(range(len(keys)), key=keys.__getitem__)]
