"""When a start counts as ready: what the file `ready` says, as data. Pure."""

UP, FD, NOTIFY, LOG, PORT, UNIX, FILE, CHECK, AFTER = (
    b"up",
    b"fd",
    b"notify",
    b"log",
    b"port",
    b"unix",
    b"file",
    b"check",
    b"after",
)
"""The kinds. UP is never made into a Readiness: a process is enough then."""

POLLED = frozenset((PORT, UNIX, FILE, CHECK))
"""The kinds that the checker asks about."""


class Readiness:
    """`number`: the descriptor (FD) or the port (PORT). `text`: the literal (LOG), the host (PORT) or the path (UNIX,
    FILE). `every`: seconds between two polls at most, and of one `check`. `seconds`: how long AFTER waits.
    """

    __slots__ = ("every", "kind", "number", "seconds", "text")

    def __init__(
        self, kind: bytes, text: bytes = b"", number: int = 0, every: float = 1.0, seconds: float = 0.0
    ) -> None:
        self.kind = kind
        self.text = text
        self.number = number
        self.every = every
        self.seconds = seconds
