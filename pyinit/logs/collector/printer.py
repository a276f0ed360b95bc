"""One stream to the container's standard output: whole lines, formatted, and never longer than Docker takes as one.

It has the part of Multilog's interface that a stream needs; it is never in trouble, because what it writes to never is.
Memory: a line that has not ended, at most the longest piece; with folding, a group of lines of at most as much.
"""

from pyinit.formats.wire import JSON, RAW
from pyinit.logs.collector.multiline import Folding
from pyinit.logs.collector.styles import Json, Raw, Text
from pyinit.logs.multilog.lines import long_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.wire import Job
    from pyinit.logs.collector.styles import Format


class Printer:
    """`write` takes whole lines, formatted."""

    __slots__ = ("_folding", "_format", "_held", "_write")

    def __init__(self, style: "Format", write: "Callable[[bytes], None]", folds: bool = False) -> None:
        self._format = style
        self._write = write
        self._held = b""
        self._folding = Folding(style.longest) if folds and isinstance(style, Json) else None

    @property
    def is_inside(self) -> bool:
        """Whether the stream, as far as it was fed, ended inside a line."""
        return bool(self._held)

    @property
    def is_holding(self) -> bool:
        """Whether `flush` should come soon: a group of lines may be complete."""
        return self._folding is not None and self._folding.is_holding

    def feed(self, block: bytes, now: int) -> None:
        """Take a block that was read at `now` (unix ns)."""
        end = block.rfind(b"\n") + 1
        if end:
            self._whole(self._held + block[:end] if self._held else block[:end], now)
            self._held = block[end:]
        else:
            self._held += block
        if len(self._held) > self._format.longest:
            self._held = self._pieces(self._held, now)

    def finish(self, now: int) -> None:
        """The end of the stream: a last line without newline gets one."""
        if self._held:
            self._whole(self._held + b"\n", now)
            self._held = b""
        self.flush(now)

    def flush(self, now: int) -> None:
        """Print the group that is held; its next line will begin another."""
        if self._folding and isinstance(self._format, Json) and (group := self._folding.flush()):
            self._write(self._format.group(group, now))

    def _whole(self, text: bytes, now: int) -> None:
        """Print whole lines, those that are too long in pieces."""
        longest = self._format.longest
        while not isinstance(self._format, Raw) and (start := long_line(text, 0, longest)) >= 0:
            if start:
                self._print(text[:start], now)
            end = text.index(b"\n", start)
            rest = self._pieces(text[start:end], now)
            text = rest + text[end:]
        if text:
            self._print(text, now)

    def _print(self, text: bytes, now: int) -> None:
        if self._folding and isinstance(self._format, Json):
            groups = [self._format.group(group, now) for group in self._folding.feed(text)]
            if groups:
                self._write(b"".join(groups))
        else:
            self._write(self._format.lines(text, now))

    def _pieces(self, line: bytes, now: int) -> bytes:
        """Print all of a line that is too long but its last piece, and return that."""
        self.flush(now)
        longest = self._format.longest
        pieces = []
        start = 0
        while len(line) - start > longest:
            pieces.append(self._format.piece(line[start : start + longest], now))
            start += longest
        self._write(b"".join(pieces))
        return line[start:]


def for_job(job: "Job", write: "Callable[[bytes], None]") -> Printer:
    """The printer of a service, in the style that its job names."""
    if job.style == JSON:
        return Printer(Json(job.name), write, job.folds)
    return Printer(Raw() if job.style == RAW else Text(job.name), write)
