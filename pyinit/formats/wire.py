"""The packets between PID 1 and the log collector. Pure.

To the collector, with the read end of a pipe (SCM_RIGHTS): a job as `pack` makes it; or ROTATE. From the collector: the
number of a drained pipe, in decimal.
"""

PROG = b"multilog"
"""The name of the collector in ps and in messages."""

ROTATE = b"rotate"
PACKET = 65536
"""The longest packet, bytes."""

TEXT, JSON, RAW, NOTHING = b"text", b"json", b"raw", b""
HOME = b"/"
"""The working directory of the collector."""


class Job:
    """How the collector logs one service.

    `style`: the look of lines on standard output, TEXT, JSON or RAW; NOTHING keeps them from there. `multiline`: lines
    that continue others join them (JSON). `actions`: a multilog script, empty for none; its names are relative to the
    directory `home`. `user`: the account that owns the files, empty for the account of this process.
    """

    __slots__ = ("actions", "home", "multiline", "name", "style", "user")

    def __init__(self, name: bytes, style: bytes, actions: list[bytes]) -> None:
        self.name = name
        self.style = style
        self.actions = actions
        self.multiline = False
        self.home = HOME
        self.user = b""


def pack(number: int, job: Job) -> bytes:
    """A packet, NUL between its fields: number, name, style, `1` for multiline, home, user, then the actions."""
    fields = [b"%d" % number, job.name, job.style, b"1" if job.multiline else b"0", job.home, job.user]
    return b"\0".join(fields + job.actions)


def unpack(packet: bytes) -> tuple[int, Job]:
    """The number and the job of a packet; ValueError for a malformed one."""
    number, name, style, multiline, home, user, *actions = packet.split(b"\0")
    job = Job(name, style, actions)
    job.multiline, job.home, job.user = multiline == b"1", home, user
    return int(number), job
