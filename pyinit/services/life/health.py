"""How a service is asked whether it is well, and when a oneshot is run by the clock, as data. Pure."""

PROGRAM, CHECK, PORT, UNIX, HTTP, WATCHDOG = b"health", b"check", b"port", b"unix", b"http", b"watchdog"
"""What is asked: the program `health`, the program `check`, a port, a socket, a page, or nothing but signs of life."""

RESTART, FAIL, IGNORE = b"restart", b"fail", b"ignore"
"""What a sick service is: restarted, given up, or only told of."""

LOCALHOST = b"127.0.0.1"


class Health:
    """`host`, `number` (the port) and `path` as the kind needs them. `every`, `timeout`: seconds.

    `failures`: so many in a row make it sick, and `then` follows.
    """

    __slots__ = ("every", "failures", "host", "kind", "number", "path", "then", "timeout")

    def __init__(self, kind: bytes, host: bytes = LOCALHOST, number: int = 0, path: bytes = b"") -> None:
        self.kind = kind
        self.host = host
        self.number = number
        self.path = path
        self.every = 30.0
        self.timeout = 30.0
        self.failures = 3
        self.then = RESTART


class Timer:
    """`every`: seconds, 0 where `fields` hold. `fields`: the minutes, hours, days, months and weekdays of cron.

    A weekday is 0 (Sunday) to 6. `restricts_days`: neither the day of the month nor that of the week began with `*`,
    so that either is enough. `at_start`: a first run at once. `zone`: a name of the time zone database, empty for ours.
    """

    __slots__ = ("at_start", "every", "fields", "restricts_days", "zone")

    def __init__(
        self,
        every: float = 0.0,
        fields: "tuple[frozenset[int], ...]" = (),
        restricts_days: bool = False,
        at_start: bool = False,
        zone: bytes = b"",
    ) -> None:
        self.every = every
        self.fields = fields
        self.restricts_days = restricts_days
        self.at_start = at_start
        self.zone = zone
