"""What `ready`, `health` and `timer` say -> questions for the checker. Pure but for its caller's clocks."""

from pyinit.formats.questions import CRON, FILE, HEALTH, HTTP, INTERVAL, PORT, PROGRAM, READINESS, TIMER, UNIX, Question
from pyinit.services.life import health as healths
from pyinit.services.life import readiness as kinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.life.health import Health, Timer
    from pyinit.services.life.readiness import Readiness

CHECK_PROGRAM, HEALTH_PROGRAM = b"./check", b"./health"

KINDS = {
    kinds.PORT: PORT,
    kinds.UNIX: UNIX,
    kinds.FILE: FILE,
    kinds.CHECK: PROGRAM,
    healths.HTTP: HTTP,
    healths.PROGRAM: PROGRAM,
}
"""The kind of a question, by the word in `ready` or `health`."""


class Order:
    """One question, until it is dropped. `answered` takes the verb of each answer.

    `fds`: descriptors that go along; they stay the caller's, and open until the question is dropped. `changes`: what
    the environment of a program has more.
    """

    __slots__ = ("answered", "changes", "fds", "question")

    def __init__(
        self,
        question: "Question",
        fds: "list[int]",
        changes: "dict[bytes, bytes | None]",
        answered: "Callable[[bytes], None]",
    ) -> None:
        self.question = question
        self.fds = fds
        self.changes = changes
        self.answered = answered


def of_readiness(name: bytes, readiness: "Readiness", now: float) -> Question:
    """Whether the start is ready, from now (monotonic s) on. One answer may take as long as `every`."""
    question = Question(READINESS, KINDS[readiness.kind], name)
    question.host, question.port, question.path = readiness.text, readiness.number, readiness.text
    if question.kind == PROGRAM:
        question.path = CHECK_PROGRAM
    question.at, question.every, question.timeout = now, readiness.every, readiness.every
    return question


def of_health(name: bytes, health: "Health", now: float, is_sick: bool) -> Question:
    """Whether the service is well, first in `every` seconds. `is_sick`: so it was when it was asked last."""
    question = Question(HEALTH, KINDS[health.kind], name)
    question.host, question.port, question.path = health.host, health.number, health.path
    if question.kind == PROGRAM:
        question.path = HEALTH_PROGRAM if health.kind == healths.PROGRAM else CHECK_PROGRAM
    question.at, question.every, question.timeout = now + health.every, health.every, health.timeout
    question.failures, question.count = health.failures, health.failures if is_sick else 0
    return question


def of_timer(name: bytes, timer: "Timer", now: float, unix: int) -> Question:
    """When the oneshot is due, after now: monotonic s, unix ns."""
    question = Question(TIMER, INTERVAL if timer.every else CRON, name)
    question.at, question.every = now, timer.every
    question.fields, question.restricts_days, question.zone = timer.fields, timer.restricts_days, timer.zone
    question.mark = 0 if timer.every else unix // 1_000_000_000
    return question


def is_same(timer: "Timer", other: "Timer") -> bool:
    """Whether two timers say the same."""
    return all(getattr(timer, field) == getattr(other, field) for field in timer.__slots__)
