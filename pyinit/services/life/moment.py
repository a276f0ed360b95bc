"""One moment of a service: its phase, what is wanted of it, and what is known. Pure."""

from pyinit.formats.control import UP
from pyinit.services.life.policy import AS_DAEMONTOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.policy import Policy

    Clocks = tuple[float, int]
    """A reading of both clocks: monotonic seconds for waits, unix nanoseconds for people."""

PAUSE = 1.0
"""Seconds between two starts of one service, at least, where no `backoff` says otherwise."""

IDLE, WAITING, BACKOFF, STARTING, RUNNING = b"down", b"waiting", b"backoff", b"starting", b"up"
STOPPING, FINISHING, DONE, FAILED, BLOCKED, LEFT = b"stopping", b"finishing", b"done", b"failed", b"blocked", b"left"
"""The phases.

down       no process, and none is due
waiting    a start is due, and waits for other services
backoff    a start is due, and has to wait for its time
starting   run is being executed, or there is a process that is not ready yet
up         there is a process, and it is ready
stopping   there is a process, and it has been told to go down
finishing  no process: what it left behind is ended, and `finish` runs
done       it ended as it should, and is not to be started again
failed     it has been given up: no start but by a command or a repair
blocked    a start is due, but a service that it needs has been given up
left       supervise has given the directory up
"""

OPEN, HELD, CLOSED = range(3)
"""Whether the services that this one waits for let it start: yes, not yet, or not as things are."""

NEVER = float("inf")

OVERDUE, SICK, HOPELESS = b"not ready in time", b"unhealthy", b"unhealthy, and to be given up"
"""Why pyinit itself ends a process. Whatever the exit code is then, the end is a failure."""

FINISHED_FOR_GOOD = b"finish exited 125"
"""Why there is to be no other start, whatever the policy says."""


class State:
    """One moment of a service; `step` never changes it, but makes the next one.

    `since`: unix ns when the pid last changed. `last_start`: monotonic s of the last start, also a failed one.
    `is_leaving`: `x` came. `is_due`: a start is. `start_at`: when the next start is allowed, monotonic s.
    `is_refused`: its directory has bad content. `rest`: the phase without a process and without a due start.
    `gate`: OPEN, HELD or CLOSED.

    Of the run, monotonic s, NEVER where there is no such limit: `ready_by` (it counts as ready), `up_by` (it has to be
    ready), `kill_at`. `ready_at`: since when it is ready. `is_ending`: pyinit decided to end it, `fault` why.
    `is_asked`: a command asks for its end. `is_sick`: it was found to be. `is_finishing`: see the phase.

    Of the past: `outcome` and `ended` (unix ns) of the last end, None and 0 before the first. `streak`: how many ends
    in a row nobody asked for. `recent`: the moments (monotonic s) of those that count for max-restarts. `restarts`:
    the starts after such an end. `kills`: how often KILL was needed. `skipped`: runs of a timer that were left out.
    `reason`: why it has failed. `wake`: when to tell Waited, NEVER for not at all.
    """

    __slots__ = (
        "ended",
        "fault",
        "gate",
        "is_asked",
        "is_due",
        "is_ending",
        "is_finishing",
        "is_leaving",
        "is_paused",
        "is_refused",
        "is_sick",
        "is_unasked",
        "kill_at",
        "kills",
        "last_start",
        "outcome",
        "phase",
        "pid",
        "policy",
        "ready_at",
        "ready_by",
        "reason",
        "recent",
        "rest",
        "restarts",
        "since",
        "skipped",
        "start_at",
        "streak",
        "up_by",
        "wake",
        "want",
    )

    def __init__(self, want: int, since: int, policy: "Policy" = AS_DAEMONTOOLS) -> None:
        self.policy = policy
        self.phase = self.rest = IDLE
        self.want = want
        self.since = since
        self.pid = 0
        self.gate = OPEN
        self.is_paused = self.is_leaving = self.is_due = self.is_finishing = self.is_sick = False
        self.is_asked = self.is_ending = self.is_refused = False
        self.is_unasked = False
        """Whether the due start follows an end that nobody asked for."""
        self.last_start = self.start_at = float("-inf")
        self.wake = self.ready_by = self.up_by = self.kill_at = self.ready_at = NEVER
        self.fault = self.reason = b""
        self.outcome: int | None = None
        self.ended = self.streak = self.restarts = self.kills = self.skipped = 0
        self.recent: tuple[float, ...] = ()

    @property
    def is_wanted(self) -> bool:
        """Whether the service is to be up: not one that was told down, nor a timed one between its runs."""
        return self.want == UP and not self.is_leaving
