"""The packets between PID 1 and the log collector. Pure.

To the collector, with the read end of a pipe (SCM_RIGHTS): a job as `pack` makes it. Without
one: ROTATE; or DEADLINE and the moment (monotonic s) at which unwritten lines are given up. From the collector: the
number of a drained pipe, in decimal. Or AGAIN and the number of a pipe that did not arrive, for want of descriptors.
Or LOST: lines of a service were given up. Or FOUND and the number of a pipe in which the text appeared that its job
watches for.
"""

PROG = b"multilog"
"""The name of the collector in ps and in messages."""

ROTATE = b"rotate"
AGAIN = b"again "
DEADLINE = b"deadline "
LOST = b"lost"
FOUND = b"found "
PACKET = 65536
"""The longest packet, bytes."""

TEXT, JSON, RAW, NOTHING = b"text", b"json", b"raw", b""
HOME = b"/"
"""The working directory of the collector."""


class Job:
    """How the collector logs one service.

    `style`: the look of lines on standard output, TEXT, JSON or RAW; NOTHING keeps them from there. `multiline`: lines
    that continue others join them (JSON). `fallback`: the look of lines that go to standard output because their log
    directory cannot be opened. RAW leaves lines of action `1` as they are, too. `actions`: a multilog script, empty for
    none; its names are relative to the directory `home`. `user`: the account that owns the files, empty for the account
    of this process. `joins`: the pipe goes on where an earlier one of the same service is still read. `watched`: a text
    to be told of when a line has it, empty for none.
    """

    __slots__ = ("actions", "fallback", "home", "joins", "multiline", "name", "style", "user", "watched")

    def __init__(self, name: bytes, style: bytes, actions: list[bytes]) -> None:
        self.name = name
        self.style = style
        self.fallback = style or TEXT
        self.actions = actions
        self.multiline = False
        self.home = HOME
        self.user = self.watched = b""
        self.joins = False


def pack(number: int, job: Job) -> bytes:
    """A packet, NUL between its fields: number, name, style, fallback, `1` for multiline, home, user, `1` for joins,
    watched, the actions.
    """
    looks = [job.style, job.fallback, b"1" if job.multiline else b"0"]
    fields = [b"%d" % number, job.name, *looks, job.home, job.user, b"1" if job.joins else b"0", job.watched]
    return b"\0".join(fields + job.actions)


def unpack(packet: bytes) -> tuple[int, Job]:
    """The number and the job of a packet; ValueError for a malformed one."""
    number, name, style, fallback, multiline, home, user, joins, watched, *actions = packet.split(b"\0")
    job = Job(name, style, actions)
    job.fallback, job.multiline, job.home, job.user = fallback, multiline == b"1", home, user
    job.joins, job.watched = joins == b"1", watched
    return int(number), job
