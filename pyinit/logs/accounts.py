"""What became of each service's lines: counted in the logging process, read by svstat -v. Pure.

The file `logs` in PID 1's place, replaced at most once a second while lines come: a header, then a line a service:

    lines_in bytes_in deselected dropped blocked name
    120 4096 0 0 0.000 web

`deselected`: lines that a script kept out of a log directory. `dropped`: lines that a stuck standard output did not
take, which are in the log directory. `blocked`: seconds in which the service's pipe was not read, because its log
directory was in trouble or standard output was full. All since the container started.
"""

FILE = b"/logs"
HEADER = b"lines_in bytes_in deselected dropped blocked name\n"


class Account:
    """The counts of one service."""

    __slots__ = ("blocked", "bytes_in", "deselected", "dropped", "lines_in")

    def __init__(self) -> None:
        self.lines_in = 0
        self.bytes_in = 0
        self.deselected = 0
        self.dropped = 0
        self.blocked = 0.0


def pack(accounts: dict[bytes, Account]) -> bytes:
    """The file's content. A newline in a service's name would end its line and is written as `?`."""
    return HEADER + b"".join(
        b"%d %d %d %d %.3f %b\n"
        % (a.lines_in, a.bytes_in, a.deselected, a.dropped, a.blocked, name.replace(b"\n", b"?"))
        for name, a in accounts.items()
    )


def unpack(content: bytes) -> dict[bytes, Account]:
    """What pack made of them; ValueError for anything else."""
    header, _, rows = content.partition(b"\n")
    if header + b"\n" != HEADER:
        raise ValueError("no accounts")
    accounts = {}
    for row in rows.splitlines():
        *numbers, name = row.split(b" ", 5)
        account = accounts[name] = Account()
        account.lines_in, account.bytes_in, account.deselected, account.dropped = map(int, numbers[:4])
        account.blocked = float(numbers[4])
    return accounts
