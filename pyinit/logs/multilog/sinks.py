"""The sinks of a script besides log directories: `e`, `1` and `=FILE`.

Each takes whole lines, the beginning of a long line, and more of that line, as a LogDirectory does. `is_counted` tells
whether its lines count as written.
"""

import posix
from errno import ESPIPE

from pyinit.logs.multilog.lines import WINDOW, stamp
from pyinit.logs.multilog.retry import Trouble, fatal
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STATUS_LENGTH = WINDOW + 1
SHOWN = 200


class StandardError:
    """`e`: the first 200 bytes of a line, label included, and `...` if that is not all."""

    __slots__ = ("_write",)
    is_counted = False

    def __init__(self, write: "Callable[[bytes], None]") -> None:
        self._write = write

    def whole(self, text: bytes, label: bytes) -> None:
        """Show whole lines."""
        shown = SHOWN - len(label)
        lines = text.split(b"\n")[:-1]
        self._write(
            b"".join([b"%b%b%b\n" % (label, line[:shown], b"..." if len(line) > shown else b"") for line in lines])
        )

    def begun(self, text: bytes, label: bytes) -> None:
        """Show the beginning of a long line."""
        self.whole(text + b"\n", label)

    def more(self, data: bytes, start: int, stop: int) -> None:
        """The rest of a line is not shown."""


class StandardOutput:
    """`1`: lines with the label, then the prefix, in front of each."""

    __slots__ = ("_prefix", "_write")
    is_counted = True

    def __init__(self, write: "Callable[[bytes], None]", prefix: bytes) -> None:
        self._write = write
        self._prefix = prefix

    def whole(self, text: bytes, label: bytes) -> None:
        """Write whole lines."""
        self._write(stamp(text, label + self._prefix))

    def begun(self, text: bytes, label: bytes) -> None:
        """Write the beginning of a long line."""
        self._write(label + self._prefix + text)

    def more(self, data: bytes, start: int, stop: int) -> None:
        """Write more of it."""
        self._write(data[start:stop])


class StatusFile:
    """`=FILE`: the last line, padded with newlines to 1001 bytes. The rest of a longer file stays.

    Of the lines of one block only the last is written. After a failed write it `is_busy` until `retry` succeeds.
    """

    __slots__ = ("_name", "_status_fd", "_unwritten", "_warn", "is_busy", "trouble")
    is_counted = False

    def __init__(self, name: bytes, warn: "Callable[[Trouble], None]") -> None:
        self._name = name
        self._warn = warn
        self._status_fd = -1
        self._unwritten = b""
        self.is_busy = False
        """Whether the last line is not yet in the file."""
        self.trouble: Trouble | None = None

    def open(self) -> None:
        """Open the file, made with mode 0600 if it is missing. Raises CannotOpenLog."""
        flags = files.WRITE_FLAGS | posix.O_APPEND | posix.O_CREAT
        posix.close(fatal(b"unable to create %b", self._name, posix.open, self._name, flags, 0o600))
        self._status_fd = fatal(b"unable to write %b", self._name, posix.open, self._name, files.WRITE_FLAGS)

    def whole(self, text: bytes, label: bytes) -> None:
        """Write the last of whole lines."""
        self.begun(text[text.rfind(b"\n", 0, -1) + 1 : -1], label)

    def begun(self, text: bytes, label: bytes) -> None:
        """Write a line, or the beginning of a long one."""
        self._unwritten = (label + text)[:WINDOW].ljust(STATUS_LENGTH, b"\n")
        self.retry()

    def more(self, data: bytes, start: int, stop: int) -> None:
        """The file holds no more of a line."""

    def retry(self) -> None:
        """Write the unwritten rest of the last line, at its place in the file."""
        self.trouble = None
        try:
            while self._unwritten:
                written = posix.pwrite(self._status_fd, self._unwritten, STATUS_LENGTH - len(self._unwritten))
                self._unwritten = self._unwritten[written:]
        except OSError as error:
            what = b"unable to move to beginning of " if error.errno == ESPIPE else b"unable to write "
            self.trouble = Trouble(what + self._name, error)
            self._warn(self.trouble)
        self.is_busy = bool(self._unwritten)

    def close(self) -> None:
        """Close the file, written or not."""
        self._unwritten, self.trouble, self.is_busy = b"", None, False
        files.close_all(self._status_fd)
        self._status_fd = -1
