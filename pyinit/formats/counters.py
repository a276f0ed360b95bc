"""Counts of each service's lines: the collector writes them, svstat -v reads them. Pure.

The file `logs` in the runtime directory, replaced at most once a second while lines come: a header, then one line a
service:

    lines_in bytes_in lines_written bytes_written deselected dropped blocked name
    120 4096 120 4096 0 0 0.000 web

`lines_in`, `bytes_in`: read from the service's pipe. `lines_written`, `bytes_written`: written to its log directory, or
to standard output if it has none; bytes as they came. `deselected`: lines that a script did not select. `dropped`:
lines that standard output did not take, or that a log directory in trouble did not take while standard output did. The
other one has these lines if there is one; if not, nobody reads standard output any more. `blocked`: seconds in which
the pipe was not read, because the log directory was in trouble or standard output was full. All since the container
started. The collector still holds what no number counts yet: the beginning of a line, or lines for a directory in
trouble.
"""

from pyinit.formats.visible import quote, unquote

FILE = b"/logs"
LONGEST = 16 << 20
"""Bytes of the file, for a hundred thousand services."""

HEADER = b"lines_in bytes_in lines_written bytes_written deselected dropped blocked name\n"


class Counters:
    """The counts of one service. `held_*` are passed on, and are not written yet."""

    __slots__ = (
        "blocked",
        "bytes_in",
        "bytes_written",
        "deselected",
        "dropped",
        "held_bytes",
        "held_deselected",
        "held_lines",
        "lines_in",
        "lines_written",
    )

    def __init__(self) -> None:
        self.lines_in = self.bytes_in = 0
        self.lines_written = self.bytes_written = 0
        self.deselected = self.dropped = 0
        self.held_lines = self.held_bytes = self.held_deselected = 0
        self.blocked = 0.0

    def hold(self, lines: int, size: int, deselected: int = 0) -> None:
        """Count lines of together `size` bytes that are passed on, and lines that a script did not select."""
        self.held_lines += lines
        self.held_bytes += size
        self.held_deselected += deselected

    def leave_out(self, lines: int, size: int) -> None:
        """Count lines of together `size` bytes, which `hold` counts too, as dropped."""
        self.dropped += lines
        self.held_lines -= lines
        self.held_bytes -= size

    def commit(self, is_lost: bool = False) -> None:
        """Everything held is written now; or dropped, if it `is_lost`."""
        self.deselected += self.held_deselected
        if is_lost:
            self.dropped += self.held_lines
        else:
            self.lines_written += self.held_lines
            self.bytes_written += self.held_bytes
        self.held_lines = self.held_bytes = self.held_deselected = 0

    def amounts(self) -> tuple[int, int, int, int]:
        """Lines and bytes in, lines and bytes written."""
        return self.lines_in, self.bytes_in, self.lines_written, self.bytes_written


def pack(counters: dict[bytes, Counters]) -> bytes:
    """The content of the file, in UTF-8 whatever a service is called."""
    return HEADER + b"".join(
        b"%d %d %d %d %d %d %.3f %b\n" % (*each.amounts(), each.deselected, each.dropped, each.blocked, quote(name))
        for name, each in counters.items()
    )


def unpack(content: bytes) -> dict[bytes, Counters]:
    """The mirror of `pack`; ValueError for a content with another header. A malformed row is passed over."""
    header, _, rows = content.partition(b"\n")
    if header + b"\n" != HEADER:
        raise ValueError("no counters")
    counters = {}
    for row in rows.split(b"\n"):
        try:
            *numbers, field = row.split(b" ", 7)
            name, each = unquote(field), Counters()
            each.lines_in, each.bytes_in, each.lines_written, each.bytes_written = map(int, numbers[:4])
            each.deselected, each.dropped = map(int, numbers[4:6])
            (each.blocked,) = map(float, numbers[6:])
        except ValueError:
            continue
        counters[name] = each
    return counters
