"""The packets between PID 1 and the log collector. Pure.

To the collector, with the read end of the pipe (SCM_RIGHTS): what `pack` makes of a job; or ROTATE. From it: the number
of a drained pipe, in decimal.
"""

PROG = b"multilog"
"""What ps and messages call the collector."""

ROTATE = b"rotate"
PACKET = 65536
"""The longest packet, bytes."""

TEXT, JSON, RAW, NOTHING = b"text", b"json", b"raw", b""
HOME = b"/"
"""The working directory of the collector."""


class Job:
    """What is done with one service's output.

    `style`: how lines are printed on standard output, TEXT, JSON, RAW, or NOTHING for not at all. `folds`: whether
    lines that continue others join them (JSON). `actions`: a multilog script beside that, empty for none; names in it
    are relative to the directory `home`. `user`: the account that writes its files, empty for this process's own.
    """

    __slots__ = ("actions", "folds", "home", "name", "style", "user")

    def __init__(self, name: bytes, style: bytes, actions: list[bytes]) -> None:
        self.name = name
        self.style = style
        self.actions = actions
        self.folds = False
        self.home = HOME
        self.user = b""


def pack(number: int, job: Job) -> bytes:
    """A packet, NUL between its fields: number, name, style, `1` if it folds, home, user, then the script's actions."""
    fields = [b"%d" % number, job.name, job.style, b"1" if job.folds else b"0", job.home, job.user]
    return b"\0".join(fields + job.actions)


def unpack(packet: bytes) -> tuple[int, Job]:
    """The number and job of a packet; ValueError for one that is malformed."""
    number, name, style, folds, home, user, *actions = packet.split(b"\0")
    job = Job(name, style, actions)
    job.folds, job.home, job.user = folds == b"1", home, user
    return int(number), job
