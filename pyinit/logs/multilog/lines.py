"""A byte stream cut into whole lines, a block at a time: stamped, and bounded however long a line is. Pure.

A line that begins in a block carries the time of that block. The actions of a script see at most its first 1000 bytes,
label included. So a line is held until its newline or its 1000th byte is there; the rest of it streams through. At most
999 bytes are held. The result does not depend on how the stream was cut into blocks; only the times do.
"""

from pyinit import tai

WINDOW = 1000
"""The bytes of a line that patterns, `e` and `=` can see, label and space included (daemontools 0.76)."""

WHOLE, BEGUN, MORE = range(3)
"""Kinds of pieces: whole lines; the first 1000 bytes of a long line, label included; more of it, to its newline."""

Piece = tuple[int, bytes, int, int, bytes]
"""The kind; the text as it came; where the piece begins and ends in it; the label that belongs in front of each line.

Positions, because a copy of the block would cost as much as stamping it. Whole lines end with the text's last newline.
"""


def label_for(now: int) -> bytes:
    """The label that `t` puts in front of lines, for the time `now` (unix ns)."""
    return tai.label(now) + b" "


def stamp(text: bytes, label: bytes) -> bytes:
    """The text, not empty, with the label in front of each line that begins in it."""
    if not label:
        return text
    return b"".join((label, text[:-1].replace(b"\n", b"\n" + label), text[-1:]))


def stamp_lines(text: bytes, start: int, stop: int, label: bytes) -> tuple[bytes, int, int]:
    """Stamp the whole lines of a piece; returns a text, and where they begin and end in it. One pass, one copy."""
    if not label:
        return text, start, stop
    stamped = text.replace(b"\n", b"\n" + label)
    if start == 0:
        stamped = label + stamped
    return stamped, start, stamped.rfind(b"\n") + 1


def long_line(text: bytes, start: int, limit: int) -> int:
    """Where the first line of more than `limit` bytes begins; -1 if there is none.

    `start` is the beginning of a line; the text ends with a newline. Each step searches backwards, to skip many lines.
    """
    end = len(text)
    while end - start > limit + 1:
        newline = text.rfind(b"\n", start, start + limit + 1)
        if newline < 0:
            return start
        start = newline + 1
    return -1


class Lines:
    """The cutter of one stream. Lines carry labels if `stamped`."""

    __slots__ = ("_held", "_is_streaming", "_label", "_stamped")

    def __init__(self, stamped: bool) -> None:
        self._stamped = stamped
        self._held = b""
        self._label = b""
        self._is_streaming = False

    @property
    def is_inside(self) -> bool:
        """Whether a line has begun and not ended."""
        return self._is_streaming or bool(self._held)

    def feed(self, block: bytes, now: int) -> list[Piece]:
        """The pieces that a block, not empty and read at `now` (unix ns), completes."""
        label = tai.label(now) + b" " if self._stamped else b""
        pieces: list[Piece] = []
        start = 0
        if self._held or self._is_streaming:
            start = block.find(b"\n") + 1 or len(block)
            self._continue(block[:start], pieces)
        stop = block.rfind(b"\n") + 1 or start
        if start < stop:
            pieces.append((WHOLE, block, start, stop, label))
        if stop < len(block):
            self._begin(block[stop:], label, pieces)
        return pieces

    def finish(self) -> list[Piece]:
        """The end of the stream: a last line without newline gets one."""
        pieces: list[Piece] = []
        if self.is_inside:
            self._continue(b"\n", pieces)
        return pieces

    def _continue(self, text: bytes, pieces: list[Piece]) -> None:
        """More of the line that has begun, its newline perhaps."""
        has_ended = text[-1:] == b"\n"
        if self._is_streaming:
            pieces.append((MORE, text, 0, len(text), b""))
            self._is_streaming = not has_ended
            return
        held, self._held = self._held, b""
        if has_ended:
            text = held + text
            pieces.append((WHOLE, text, 0, len(text), self._label))
        else:
            self._begin(held + text, self._label, pieces)

    def _begin(self, text: bytes, label: bytes, pieces: list[Piece]) -> None:
        """A line whose newline has not come yet."""
        window = WINDOW - len(label)
        if len(text) < window:
            self._held, self._label = text, label
            return
        pieces.append((BEGUN, text[:window], 0, window, label))
        if len(text) > window:
            pieces.append((MORE, text, window, len(text), b""))
        self._is_streaming = True
