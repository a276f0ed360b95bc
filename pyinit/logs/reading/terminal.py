"""Logs on a terminal: the names of services in colours, nothing that drives the terminal, and a pager for long output.

Colours are off where NO_COLOR is set and not empty, and on a dumb terminal. The pager is $PAGER, else `less -R`. It is
started when the output is longer than the screen. The settings of the terminal are put back behind it.
"""

import posix

from pyinit.formats.visible import complete, visible, visible_name
from pyinit.logs.reading.output import Output
from pyinit.logs.reading.show import PlainLook
from pyinit.system.interrupts import before_the_end, leave_keys
from pyinit.system.piped import PipedProgram
from pyinit.system.process import candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyinit.logs.reading.merging import Batch
    from pyinit.logs.reading.times import Clock

COLOURS = (36, 33, 32, 35, 34, 31)
"""Of the names of services, in turn (ECMA-48, SGR)."""

PLAIN = b"\x1b[0m"
USUAL_SIZE = 80, 24


def has_colours(environment: "Mapping[bytes, bytes]") -> bool:
    """Whether to show colours on a terminal."""
    return not environment.get(b"NO_COLOR") and environment.get(b"TERM", b"dumb") != b"dumb"


def pager(environment: "Mapping[bytes, bytes]") -> bytes:
    """The command of the pager for a shell; nothing for none."""
    named = environment.get(b"PAGER")
    if named is not None:
        return named.strip()
    is_there = any(posix.access(path, posix.X_OK) for path in candidates(b"less", environment.get(b"PATH")))
    return b"less -R" if is_there else b""


class TerminalLook(PlainLook):
    """Shows lines as text without control characters, each service's name in a colour of its own if `is_coloured`."""

    __slots__ = ("_cut_off", "_is_coloured")

    def __init__(self, clock: "Clock", is_coloured: bool) -> None:
        super().__init__(clock)
        self._is_coloured = is_coloured
        self._cut_off = b""
        """The beginning of a character, for the next piece of its line."""

    def show(self, index: int, name: bytes, batch: "Batch", lines: list[bytes]) -> list[bytes]:
        """The lines of the log with that index and service name, some of a batch, as they are shown."""
        text = b"\n".join(self._clock.show(lines, batch.is_labelled, b""))
        if not batch.ends:
            text, self._cut_off = text[: complete(text)], text[complete(text) :]
        prefix = self._prefix(index, name) if self.is_naming else b""
        return [prefix + line for line in visible(text).split(b"\n")]

    def rest(self, name: bytes, text: bytes, ends: bool) -> bytes:
        """More of the line that has begun."""
        text = self._cut_off + text
        size = len(text) if ends else complete(text)
        self._cut_off = text[size:]
        return visible(text[:size]) + (b"\n" if ends else b"")

    def _prefix(self, index: int, name: bytes) -> bytes:
        name = visible_name(name)
        return b"\x1b[%dm%b:%b " % (COLOURS[index % len(COLOURS)], name, PLAIN) if self._is_coloured else name + b": "


class PagedOutput(Output):
    """Standard output, a terminal: what does not fit on its screen goes through a pager, `command` for a shell."""

    __slots__ = ("_command", "_held", "_pager", "_restore", "_rows_left", "_width")

    def __init__(self, command: bytes) -> None:
        super().__init__()
        self._command = command
        self._pager: PipedProgram | None = None
        self._restore: Callable[[], None] | None = None
        self._held: list[bytes] = []
        """What would still fit on the screen."""
        try:
            self._width, rows = posix.get_terminal_size(1)
        except OSError:
            self._width, rows = USUAL_SIZE
        self._width = self._width or USUAL_SIZE[0]
        self._rows_left = (rows or USUAL_SIZE[1]) - 1

    def add(self, text: bytes) -> None:
        """Write it, now or with what follows."""
        if self._pager:
            super().add(text)
            return
        self._held.append(text)
        self._rows_left -= sum(1 + max(0, len(line) - 1) // self._width for line in text.split(b"\n")[:-1])
        if self._rows_left < 0:
            self._start()
            self._release()

    def finish(self) -> None:
        """Write all of it, and wait until the person has left the pager. Raises OSError."""
        self._release()
        self.flush()
        self.leave()

    def leave(self) -> None:
        """End the pager, if there is one, and restore the terminal."""
        pager, self._pager = self._pager, None
        if pager:
            code = pager.end()
            if self._restore:
                self._restore()
            if code < 0:  # it was killed, and may have left a colour
                posix.write(1, PLAIN)

    def _start(self) -> None:
        self._restore = _settings()
        more = {} if b"LESS" in posix.environ else {b"LESS": b"R"}
        self._pager = PipedProgram([b"/bin/sh", b"-c", self._command], 0, more=more)
        leave_keys()
        self._fd = self._pager.fd

    def _release(self) -> None:
        held, self._held = self._held, []
        for text in held:
            super().add(text)


def guard() -> None:
    """End a colour that a signal interrupts."""

    def restore() -> None:
        try:
            posix.write(1, PLAIN)
        except OSError:
            pass

    before_the_end(restore)


def _settings() -> "Callable[[], None]":
    """A function that puts the settings of the terminal back as they are now."""
    import termios

    saved = termios.tcgetattr(1)

    def restore() -> None:
        try:
            termios.tcsetattr(1, termios.TCSADRAIN, saved)
        except termios.error:
            pass

    return restore
