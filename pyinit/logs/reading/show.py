"""Merged lines to text: stamps converted, services named, the first so many left out. Pure."""

from pyinit.logs.reading.merging import Batch, Part, ordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyinit.logs.reading.objects import ObjectLook
    from pyinit.logs.reading.times import Clock


class PlainLook:
    """Shows lines as text: the time, the line byte by byte. `is_naming`: each line names its service."""

    __slots__ = ("_clock", "is_naming")
    is_whole = False
    """Whether each piece of a line is shown as a line."""

    def __init__(self, clock: "Clock") -> None:
        self.is_naming = False
        self._clock = clock

    def show(self, index: int, name: bytes, batch: Batch, lines: list[bytes]) -> list[bytes]:
        """The lines of the log with that index and service name, some of a batch, as they are shown."""
        return self._clock.show(lines, batch.is_labelled, name + b": " if self.is_naming else b"")

    def rest(self, name: bytes, text: bytes, ends: bool) -> bytes:
        """More of the line that has begun."""
        return text + (b"\n" if ends else b"")


class Renderer:
    """Turns rounds of parts into text. `drop`: leave out so many lines."""

    __slots__ = ("_look", "_open", "drop")

    def __init__(self, look: "PlainLook | ObjectLook") -> None:
        self.drop = 0
        self._look = look
        self._open = -1
        """The log whose line has not ended in the text so far; -1 for none."""

    def text(self, parts: list[Part], names: list[bytes]) -> bytes:
        """The text of a round of the logs of these services.

        A line that has not ended is ended when another log comes in between.
        """
        index, batch, _, _ = parts[-1] if len(parts) == 1 else max(parts, key=_goes_on)
        if not batch.begins:
            return self._rest(index, names[index], batch)
        if self.drop:
            count = sum(stop - start for _, _, start, stop in parts)
            if count <= self.drop:
                self.drop -= count
                self._open = -1
                return b""
        lines = ordered(parts, [self._show(part[0], names[part[0]], *part[1:]) for part in parts])
        is_ended = batch.ends or self._look.is_whole
        before = b"\n" if self._open >= 0 and not self._look.is_whole else b""
        self._open = -1 if batch.ends else index
        if self.drop:
            del lines[: self.drop]
            self.drop = 0
        return b"%b%b%b" % (before, b"\n".join(lines), b"\n" if is_ended else b"")

    def _show(self, index: int, name: bytes, batch: Batch, start: int, stop: int) -> list[bytes]:
        lines = batch.lines if stop - start == len(batch.lines) else batch.lines[start:stop]
        return self._look.show(index, name, batch, lines)

    def _rest(self, index: int, name: bytes, batch: Batch) -> bytes:
        """The text of a piece of the open line; nothing if its line was left out."""
        if self._open != index:
            return b""
        if batch.ends:
            self._open = -1
        return self._look.rest(name, batch.lines[0], batch.ends)


def _goes_on(part: Part) -> bool:
    """Whether a part ends inside a line: then it is the last of its round."""
    return not part[1].ends


def count(batches: "Iterable[Batch]") -> int:
    """How many lines begin in them."""
    return sum(len(batch.lines) for batch in batches if batch.begins)
