"""What one service has the checker ask: whether it is ready, whether it is well, whether its time has come."""

from pyinit.formats.control import DOWN
from pyinit.formats.questions import DUE, READY, SICK, WELL
from pyinit.services.checker.checker import Checker
from pyinit.services.checker.wording import Order, is_same, of_health, of_readiness, of_timer
from pyinit.services.life.events import Checked, Due, Ready
from pyinit.services.life.readiness import POLLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.questions import Question
    from pyinit.services.context import Context
    from pyinit.services.life.events import Event
    from pyinit.services.life.health import Timer
    from pyinit.services.life.moment import State
    from pyinit.system.spawn import Redirections

STANDARD = (1, 2)
"""The descriptors by which a program's output goes into the log."""

OF_RUN = (b"NOTIFY_SOCKET", b"WATCHDOG_USEC", b"WATCHDOG_PID")
"""Variables that concern the process of the service alone."""


class Questions:
    """The questions about one service. `handle` takes the answers, as events."""

    __slots__ = (
        "_changes",
        "_context",
        "_directory_fd",
        "_handle",
        "_health",
        "_logs",
        "_name",
        "_readiness",
        "_timer",
        "_timer_number",
    )

    def __init__(self, context: "Context", name: bytes, directory_fd: int, handle: "Callable[[Event], None]") -> None:
        self._context = context
        self._name = name
        self._directory_fd = directory_fd
        self._handle = handle
        self._logs: list[int] = []
        self._changes: dict[bytes, bytes | None] = {}
        self._readiness = self._health = self._timer_number = 0
        """Numbers of the questions that are being asked, else 0."""
        self._timer: Timer | None = None
        if not context.checker:
            context.checker = Checker(context.loop, context.spawner)

    def prepare(self, redirections: "Redirections", changes: "dict[bytes, bytes | None]") -> None:
        """What the next start gets: its programs are to have the same."""
        self._logs = sorted({here for _, here, there in redirections if there in STANDARD})[:1]
        self._changes = changes

    def follow(self, state: "State", is_starting: bool, is_asked: bool) -> None:
        """Ask what this state calls for. `is_asked`: whether it is well. Drop what nobody wants to know any more."""
        policy, kernel = state.policy, self._context.loop.kernel
        readiness, health = policy.readiness, policy.health
        if not (is_starting and readiness and readiness.kind in POLLED):
            self._readiness = self._drop(self._readiness)
        elif not self._readiness:
            self._readiness = self._order(of_readiness(self._name, readiness, kernel.monotonic()))
        if not (is_asked and health):
            self._health = self._drop(self._health)
        elif not self._health:
            self._health = self._order(of_health(self._name, health, kernel.monotonic(), state.is_sick))
        timer = policy.timer if state.want != DOWN and not state.is_leaving and not state.is_refused else None
        if self._timer and not (timer and is_same(timer, self._timer)):
            self._timer_number, self._timer = self._drop(self._timer_number), None
        if timer and not self._timer:
            self._timer = timer
            self._timer_number = self._order(of_timer(self._name, timer, kernel.monotonic(), kernel.unix()))

    def _order(self, question: "Question") -> int:
        """Have the checker ask; the number of the question."""
        changes = {name: value for name, value in self._changes.items() if name not in OF_RUN}
        fds = [self._directory_fd, *self._logs] if question.needs_directory else []
        checker = self._context.checker
        return checker.ask(Order(question, fds, changes, self._answered)) if checker else 0

    def _drop(self, number: int) -> int:
        if number and self._context.checker:
            self._context.checker.drop(number)
        return 0

    def _answered(self, verb: bytes) -> None:
        if verb == READY:
            self._handle(Ready())
        elif verb in (SICK, WELL):
            self._handle(Checked(verb == WELL))
        elif verb == DUE:
            self._handle(Due())

    def end(self) -> None:
        """There is no process: ask about it no more."""
        self._readiness, self._health = self._drop(self._readiness), self._drop(self._health)
