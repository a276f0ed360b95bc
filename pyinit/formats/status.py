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
USUAL = b"\0u"
"""How the status of a run ends that is not paused and wanted up."""


def pack(pid: int, paused: bool, want: int, since: int) -> bytes:
    """The 18 bytes. `since` is in unix ns, `want` one of control.UP, DOWN and NEITHER."""
    return tai.pack(since) + pid.to_bytes(4, "little") + bytes((paused and pid != 0, want))


def unpack(content: bytes) -> tuple[int, bool, int, int]:
    """The pid, whether paused, want, and since when, from at least 18 bytes; ValueError for fewer."""
    if len(content) < LENGTH:
        raise ValueError("a status has at least 18 bytes")
    return int.from_bytes(content[12:16], "little"), content[16] != 0, content[17], tai.unpack(content[:12])
