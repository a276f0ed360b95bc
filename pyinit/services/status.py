"""`supervise/status`: 18 bytes that say how a service is. Pure.

    0   8  TAI64 seconds, big-endian: when the pid last changed
    8   4  nanoseconds, big-endian
    12  4  pid of run, little-endian; 0 when down
    16  1  1 if paused, else 0; always 0 when down
    17  1  `u` wanted up, `d` wanted down, 0 neither

Readers take what they know and ignore what follows; the format grows only at its end. Source: supervise.c of
daemontools 0.76; runit and daemontools-encore share these bytes.
"""

from pyinit import tai

LENGTH = 18


class Status:
    """`since` is in unix ns, `want` one of control.UP, DOWN and NEITHER."""

    __slots__ = ("paused", "pid", "since", "want")

    def __init__(self, pid: int, paused: bool, want: int, since: int) -> None:
        self.pid = pid
        self.paused = paused
        self.want = want
        self.since = since


def pack(status: Status) -> bytes:
    """The 18 bytes."""
    paused = status.paused and status.pid != 0
    return tai.pack(status.since) + status.pid.to_bytes(4, "little") + bytes((paused, status.want))


def unpack(content: bytes) -> Status:
    """A status from at least 18 bytes; ValueError for fewer."""
    if len(content) < LENGTH:
        raise ValueError("a status has at least 18 bytes")
    pid = int.from_bytes(content[12:16], "little")
    return Status(pid, content[16] != 0, content[17], tai.unpack(content[:12]))
