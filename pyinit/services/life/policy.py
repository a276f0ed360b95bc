"""What a service directory says of a service's life: when it is started again, given up, stopped and killed. Pure.

A directory without any of these files has AS_DAEMONTOOLS: always again, at least a second apart. The
format of the files is in docs/reference; `definition/policy_files.py` reads them.
"""

from _signal import SIGHUP, SIGTERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.health import Health, Timer
    from pyinit.services.life.readiness import Readiness

ALWAYS, ON_FAILURE, NEVER = b"always", b"on-failure", b"never"
"""When a service is started again after an end that nobody asked for."""

PROCESS, MIXED, GROUP = b"process", b"mixed", b"group"
"""Who is stopped: the process; the process, then what it leaves; its process group, then what it leaves."""

WITHOUT_CODE = -1
"""`critical` without a code of its own."""

PATIENCE = 10.0
"""Seconds from a stop that pyinit itself decides on to the kill, and from TERM to KILL for leftovers."""


class Outcomes:
    """A list of ends: exit codes, and the signals that killed. `outcome in outcomes` takes minus the number of one."""

    __slots__ = ("codes", "signals")

    def __init__(self, codes: "frozenset[int]" = frozenset(), signals: "frozenset[int]" = frozenset()) -> None:
        self.codes = codes
        self.signals = signals

    def __contains__(self, outcome: int) -> bool:
        return -outcome in self.signals if outcome < 0 else outcome in self.codes


class Backoff:
    """Seconds: the first delay, the longest one, and how long a run has to be up for the first one to come again."""

    __slots__ = ("base", "cap", "reset")

    def __init__(self, base: float, cap: float | None = None, reset: float | None = None) -> None:
        self.base = base
        self.cap = base if cap is None else cap
        self.reset = self.cap if reset is None else reset

    def delay(self, streak: int) -> float:
        """Seconds from the death number `streak` (from 1) in a row to the next start."""
        return min(self.cap, self.base * 2.0 ** min(streak - 1, 64))


NO_OUTCOMES = Outcomes()
ONLY_ZERO = Outcomes(frozenset((0,)))


class Policy:
    """All of it, with daemontools' ways as defaults. Times in seconds.

    `needs`, `after`, `before`: names of services. `readiness`: None where a process is enough. `timeout_up`: 0 for
    none. `exceptions` turn `restart` around. `max_restarts`: a count, and the seconds within which it counts (None:
    since the service was last up for a while). `critical`: the exit code of the container, WITHOUT_CODE, or None.
    `has_finish`: there is a program `finish`. `timeout_kill`: None where the file is absent, 0 for never.
    """

    __slots__ = (
        "after",
        "backoff",
        "before",
        "critical",
        "down_signal",
        "exceptions",
        "has_finish",
        "health",
        "is_oneshot",
        "kill_mode",
        "max_restarts",
        "needs",
        "readiness",
        "reload_signal",
        "restart",
        "success",
        "timeout_finish",
        "timeout_kill",
        "timeout_up",
        "timer",
    )

    def __init__(self) -> None:
        self.is_oneshot = False
        self.needs: tuple[bytes, ...] = ()
        self.after: tuple[bytes, ...] = ()
        self.before: tuple[bytes, ...] = ()
        self.readiness: Readiness | None = None
        self.timeout_up = 0.0
        self.restart = ALWAYS
        self.exceptions = NO_OUTCOMES
        self.success = ONLY_ZERO
        self.backoff: Backoff | None = None
        self.max_restarts: tuple[int, float | None] | None = None
        self.critical: int | None = None
        self.has_finish = False
        self.timeout_finish = 5.0
        self.down_signal = int(SIGTERM)
        self.reload_signal = int(SIGHUP)
        self.timeout_kill: float | None = None
        self.kill_mode = PROCESS
        self.health: Health | None = None
        self.timer: Timer | None = None

    def is_failure(self, outcome: int) -> bool:
        """Whether an end with this outcome is a failure."""
        return outcome not in self.success

    def starts_again(self, outcome: int, is_failure: bool) -> bool:
        """Whether the service is to be started again after an end that nobody asked for."""
        usually = self.restart == ALWAYS or (self.restart == ON_FAILURE and is_failure)
        return usually != (outcome in self.exceptions)


AS_DAEMONTOOLS = Policy()
"""The policy of a directory that says nothing of it: shared, and never changed."""
