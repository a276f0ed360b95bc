"""The sink of a stream for the container's standard output: formatted lines, never longer than Docker takes as one.

Memory: a line that has not ended, at most the longest piece; with multiline, a group of lines of at most as much.
"""

from time import monotonic

from pyinit.formats.visible import complete
from pyinit.formats.wire import JSON, RAW
from pyinit.logs.collector.multiline import Multiline
from pyinit.logs.collector.styles import Json, Raw, Text
from pyinit.logs.multilog.lines import long_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.wire import Job
    from pyinit.logs.collector.styles import Format
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

JOIN_WAIT = 0.2
"""Seconds in which a next line may join a group."""


class Printer:
    """Formats lines and passes them to `write`. `clock` returns unix ns; labels of the script are not printed."""

    __slots__ = ("_clock", "_format", "_held", "_write", "is_counted")

    def __init__(
        self, style: "Format", write: "Callable[[bytes], None]", clock: "Callable[[], int]", is_counted: bool = False
    ) -> None:
        self.is_counted = is_counted
        self._format = style
        self._write = write
        self._clock = clock
        self._held = b""
        """The beginning of a long line, as far as it is not printed."""

    def whole(self, text: bytes, label: bytes) -> None:
        """Print whole lines, long ones in pieces."""
        text = self._format.shown(text)
        longest = self._format.longest
        now = self._clock()
        while not isinstance(self._format, Raw) and (start := long_line(text, 0, longest)) >= 0:
            if start:
                self._print(text[:start], now)
            end = text.index(b"\n", start)
            rest = self._print_pieces(text[start:end], now)
            text = rest + text[end:]
        if text:
            self._print(text, now)

    def begun(self, text: bytes, label: bytes) -> None:
        """Hold the beginning of a long line, which may still be short enough to be printed as one."""
        self._held = text

    def more(self, data: bytes, start: int, stop: int) -> None:
        """Print a long line that ends, or pieces of it when it is too long."""
        held = self._held + data[start:stop]
        if held.endswith(b"\n"):
            self._held = b""
            self.whole(held, b"")
        elif len(held) > self._format.longest:
            self._held = self._print_pieces(held, self._clock())
        else:
            self._held = held

    def finish(self) -> None:
        """The stream has ended, after the newline of its last line: nothing is held any more."""

    def _print(self, text: bytes, now: int) -> None:
        self._write(self._format.lines(text, now))

    def _print_pieces(self, line: bytes, now: int) -> bytes:
        """Print a line that is too long except its last piece; returns that piece."""
        longest = self._format.longest
        ready = complete(line)
        line = self._format.shown(line[:ready]) + line[ready:]
        pieces = []
        start = 0
        while len(line) - start > longest:
            stop = start + complete(line[start : start + longest])
            pieces.append(self._format.piece(line[start:stop], now))
            start = stop
        self._write(b"".join(pieces))
        return line[start:]


class ActionPrinter(Printer):
    """Action `1` of a script: the label and the prefix in front of each line, and lines of other services between them.

    So a line of a service never leaves before its end, or in pieces that each have the prefix.
    """

    __slots__ = ("_label", "_prefix")

    def __init__(self, write: "Callable[[bytes], None]", clock: "Callable[[], int]", prefix: bytes) -> None:
        super().__init__(Text(prefix), write, clock, is_counted=True)
        self._prefix = prefix
        self._label = b""

    def whole(self, text: bytes, label: bytes) -> None:
        """Print whole lines with their label."""
        self._use(label)
        super().whole(text, label)

    def begun(self, text: bytes, label: bytes) -> None:
        """Hold the beginning of a long line. Its later pieces have its label."""
        self._use(label)
        super().begun(text, label)

    def more(self, data: bytes, start: int, stop: int) -> None:
        """Print a long line that ends, or pieces of it."""
        held = self._held + data[start:stop]
        if held.endswith(b"\n"):
            self._held = b""
            super().whole(held, b"")
        else:
            super().more(data, start, stop)

    def _use(self, label: bytes) -> None:
        if label != self._label:
            self._label = label
            self._format = Text(label + self._prefix)


class JoiningPrinter(Printer):
    """Prints lines that continue others as one JSON object. A group ends JOIN_WAIT seconds after its last line."""

    __slots__ = ("_deadline", "_json", "_loop", "_multiline")

    def __init__(
        self,
        style: Json,
        write: "Callable[[bytes], None]",
        clock: "Callable[[], int]",
        loop: "Loop",
        is_counted: bool = False,
    ) -> None:
        super().__init__(style, write, clock, is_counted)
        self._json = style
        self._loop = loop
        self._multiline = Multiline(style.longest)
        self._deadline: Deadline | None = None

    def finish(self) -> None:
        """Print the group that is held; the next line begins another."""
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        if group := self._multiline.flush():
            self._write(self._json.group(group, self._clock()))

    def _print(self, text: bytes, now: int) -> None:
        if groups := [self._json.group(group, now) for group in self._multiline.feed(text)]:
            self._write(b"".join(groups))
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self._loop.call_at(monotonic() + JOIN_WAIT, self.finish)

    def _print_pieces(self, line: bytes, now: int) -> bytes:
        self.finish()
        return super()._print_pieces(line, now)


def printer_for(
    job: "Job", write: "Callable[[bytes], None]", clock: "Callable[[], int]", loop: "Loop", is_counted: bool
) -> Printer:
    """The printer of a service, in the style that its job names."""
    if job.style == JSON:
        style = Json(job.name)
        if job.multiline:
            return JoiningPrinter(style, write, clock, loop, is_counted)
        return Printer(style, write, clock, is_counted)
    return Printer(Raw() if job.style == RAW else Text(job.name + b": "), write, clock, is_counted)
