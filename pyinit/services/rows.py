"""What the table says of one service, from its supervisor."""

from pyinit.formats.control import DOWN, NEITHER
from pyinit.formats.services import SECOND, ServiceRow
from pyinit.services.history import OUT_OF_MEMORY
from pyinit.services.life.moment import BACKOFF, DONE, FAILED, NEVER, RUNNING
from pyinit.services.life.rules import STEADY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.moment import Clocks, State
    from pyinit.services.supervisor import Supervisor

WANTS = {DOWN: b"down", NEITHER: b"once"}


class Recollection:
    """What a line says of moments before this one. Moments of the state that waits go by are turned into times once.

    `ready_since`, `restarted`, `next`: unix ns. `ready_at`, `restarts`, `start_at`: what the state said then.
    """

    __slots__ = ("next", "ready_at", "ready_since", "restarted", "restarts", "start_at")

    def __init__(self) -> None:
        self.ready_at = self.start_at = NEVER
        self.restarts = 0
        self.ready_since: int | None = None
        self.restarted: int | None = None
        self.next: int | None = None

    def take(self, state: "State", now: "Clocks") -> None:
        """Note what is new in a state."""
        if state.ready_at != self.ready_at:
            self.ready_at = state.ready_at
            if state.ready_at != NEVER:
                self.ready_since = _unix(state.ready_at, now) if state.policy.readiness else state.since
        if state.restarts > self.restarts and state.pid:
            self.restarts, self.restarted = state.restarts, state.since
        if state.phase == BACKOFF and state.start_at != self.start_at:
            self.start_at, self.next = state.start_at, _unix(state.start_at, now)


def row_of(supervisor: "Supervisor", recollection: Recollection, now: "Clocks") -> ServiceRow:
    """How the service is, as data."""
    state = supervisor.state
    policy = state.policy
    recollection.take(state, now)
    row = ServiceRow(supervisor.name, state.phase)
    if policy.is_oneshot:
        row.type = b"oneshot"
    row.want = WANTS.get(state.want, b"up")
    if supervisor.statedir.is_normally_down:
        row.normally = b"down"
    row.pid, row.since, row.paused = state.pid, state.since, state.is_paused and state.pid != 0
    if state.phase == RUNNING:
        row.ready, row.ready_since = True, recollection.ready_since
    elif state.phase == DONE:
        row.ready, row.ready_since = True, state.since
    elif state.phase == BACKOFF:
        row.next = recollection.next
    row.readiness = policy.readiness is not None
    row.critical = policy.critical is not None
    if policy.health and row.ready and state.pid:
        row.health = b"sick" if state.is_sick else b"ok"
    row.steady = max(STEADY, policy.backoff.reset if policy.backoff else 0.0)
    row.restarts, row.restarted = state.restarts, recollection.restarted
    if policy.max_restarts:
        row.window = len(state.recent)
    row.kills = state.kills
    row.needs, row.after, row.before = policy.needs, policy.after, policy.before
    row.text = state.reason if state.phase == FAILED else supervisor.status_text
    _add_ends(row, supervisor)
    return row


def _add_ends(row: ServiceRow, supervisor: "Supervisor") -> None:
    state = supervisor.state
    row.starts = supervisor.history.starts
    if state.ended:
        row.exited, row.oom = state.ended, supervisor.history.is_out_of_memory
        if state.outcome is not None and state.outcome < 0:
            row.signal = -state.outcome
        else:
            row.code = state.outcome
    for outcome, count in supervisor.history.ends.items():
        if outcome == OUT_OF_MEMORY:
            row.ooms += count
        elif not state.policy.is_failure(outcome):
            row.successes += count
        elif outcome < 0:
            row.signals += count
        else:
            row.failures += count


def _unix(moment: float, now: "Clocks") -> int:
    """The time of a moment, unix ns."""
    return now[1] + int((moment - now[0]) * SECOND)
