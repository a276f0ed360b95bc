"""What became of each service's lines: counted in the logging process, read by svstat -v. Pure.

The file `logs` in PID 1's place, replaced at most once a second while lines come: a header, then a line a service:

    lines_in bytes_in lines_written bytes_written deselected dropped blocked name
    120 4096 120 4096 0 0 0.000 web

`lines_in`, `bytes_in`: what was read from the service's pipe. `lines_written`, `bytes_written`: what of that went into
its log directory, or where it has none to standard output. `deselected`: lines that a script kept from there.
`dropped`: lines that standard output did not take: of a service with a log directory, which has them, when it was
stuck; of all when nobody reads it any more. `blocked`: seconds in which the pipe was not read, because the log
directory was in trouble or standard output was full. All since the container started. What was read and is in none of
the others is held: the beginning of a line, or lines that a directory in trouble is still to take.
"""

FILE = b"/logs"
HEADER = b"lines_in bytes_in lines_written bytes_written deselected dropped blocked name\n"


class Account:
    """The counts of one service."""

    __slots__ = ("blocked", "bytes_in", "bytes_written", "deselected", "dropped", "lines_in", "lines_written")

    def __init__(self) -> None:
        self.lines_in = self.bytes_in = 0
        self.lines_written = self.bytes_written = 0
        self.deselected = self.dropped = 0
        self.blocked = 0.0

    def amounts(self) -> tuple[int, int, int, int]:
        """Lines and bytes in, lines and bytes written."""
        return self.lines_in, self.bytes_in, self.lines_written, self.bytes_written


def pack(accounts: dict[bytes, Account]) -> bytes:
    """The file's content. A newline in a service's name would end its line and is written as `?`."""
    return HEADER + b"".join(
        b"%d %d %d %d %d %d %.3f %b\n"
        % (
            *a.amounts(),
            *(a.deselected, a.dropped, a.blocked, name.replace(b"\n", b"?")),
        )
        for name, a in accounts.items()
    )


def unpack(content: bytes) -> dict[bytes, Account]:
    """What pack made of them; ValueError for anything else."""
    header, _, rows = content.partition(b"\n")
    if header + b"\n" != HEADER:
        raise ValueError("no accounts")
    accounts = {}
    for row in rows.splitlines():
        *numbers, name = row.split(b" ", 7)
        account = accounts[name] = Account()
        account.lines_in, account.bytes_in, account.lines_written, account.bytes_written = map(int, numbers[:4])
        account.deselected, account.dropped = map(int, numbers[4:6])
        account.blocked = float(numbers[6])
    return accounts
