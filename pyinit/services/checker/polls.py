"""Questions that are asked again and again: whether a start is ready, whether a service is well, whether it is time."""

from time import time

from pyinit import report
from pyinit.formats.questions import (
    CRON,
    DUE,
    FAILED,
    FILE,
    HTTP,
    PROG,
    PROGRAM,
    READINESS,
    READY,
    SICK,
    UNIX,
    WELL,
)
from pyinit.services.checker.clock import MINUTE, CronClock, container_offset, run_number, zone_offset
from pyinit.services.checker.probes import Probe, connect_unix, file_exists, numeric, page_request
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.questions import Question
    from pyinit.services.checker.checks import CheckProgram
    from pyinit.services.checker.probes import Address
    from pyinit.services.checker.resolving import Resolution
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

    Tell = Callable[[bytes, int], None]
    """Takes an answer: the verb and its detail."""

SOON = 0.01
"""Seconds from the first question whether a start is ready to the second; then twice as long, and so on."""

UNABLE = (OSError, MemoryError, ValueError)
"""Errors of asking itself. They count as a bad answer."""


class Poll:
    """Asks about a start or about a service. `fds`: the directory, if the kind needs it; they become this object's."""

    __slots__ = (
        "_asked_at",
        "_count",
        "_fds",
        "_loop",
        "_pause",
        "_pending",
        "_program",
        "_question",
        "_tell",
        "_timer",
        "name",
    )

    def __init__(
        self, loop: "Loop", question: "Question", fds: "list[int]", program: "CheckProgram | None", tell: "Tell"
    ) -> None:
        self.name = question.name
        self._loop = loop
        self._question = question
        self._fds = fds
        self._program = program
        self._tell = tell
        self._count = question.count
        self._pause = min(SOON, question.every)
        self._asked_at = 0.0
        self._pending: Probe | Resolution | None = None
        self._timer: Deadline | None = loop.call_at(question.at, self._ask)

    def _ask(self) -> None:
        self._timer = None
        question, now = self._question, self._loop.kernel.monotonic()
        self._asked_at = now
        limit = now + question.timeout
        try:
            if question.kind == PROGRAM and self._program:
                self._program.run(limit, self._answered)
            elif question.kind == FILE:
                self._answered(file_exists(question.path, self._fds[0]))
            elif question.kind == UNIX:
                self._pending = probe = Probe(self._loop, limit, b"", self._answered)
                connect_unix(probe, question.path, self._fds[0])
            else:
                self._ask_host(limit)
        except UNABLE:
            self._answered(False)

    def _ask_host(self, limit: float) -> None:
        """Ask a port or a page, once the addresses of its host are known."""
        question = self._question
        is_page = question.kind == HTTP
        request = page_request(question.host, question.port, question.path) if is_page else b""
        probe = Probe(self._loop, limit, request, self._answered)
        if addresses := numeric(question.host, question.port):
            self._pending = probe
            probe.connect(addresses)
            return
        from pyinit.services.checker.resolving import Resolution

        def resolved(addresses: "list[Address]") -> None:
            self._pending = probe
            probe.connect(addresses)

        self._pending = resolution = Resolution(self._loop, limit, resolved)
        resolution.ask(question.host, question.port)

    def _answered(self, is_good: bool) -> None:
        self._pending = None
        question, now = self._question, self._loop.kernel.monotonic()
        if question.purpose == READINESS:
            if is_good:
                self._tell(READY, 0)
                return
            when = now + self._pause
            self._pause = min(self._pause * 2, question.every)
        else:
            self._judge(is_good)
            when = max(now, self._asked_at + question.every)
        self._timer = self._loop.call_at(when, self._ask)

    def _judge(self, is_good: bool) -> None:
        """Count the failures in a row; so many make the service sick, until the first good answer."""
        before, most = self._count, self._question.failures
        self._count = 0 if is_good else min(before + 1, most)
        if self._count != before:
            self._tell(FAILED, self._count)
        if self._count == most != before:
            self._tell(SICK, 0)
        elif is_good and before == most:
            self._tell(WELL, 0)

    def close(self) -> None:
        """Ask no more, and close what came with the question."""
        if self._timer:
            self._timer.cancel()
        if self._pending:
            self._pending.cancel()
        if self._program:
            self._program.close()
        files.close_all(*self._fds)


class Alarm:
    """Tells when a oneshot is due."""

    __slots__ = ("_clock", "_loop", "_number", "_question", "_tell", "_timer", "name")

    def __init__(self, loop: "Loop", question: "Question", tell: "Tell") -> None:
        self.name = question.name
        self._loop = loop
        self._question = question
        self._tell = tell
        self._number = question.mark
        self._clock: CronClock | None = None
        if question.kind == CRON:
            self._clock = CronClock(question.fields, question.restricts_days, _offset(question), question.mark)
        self._timer = loop.call_at(0.0, self._look)

    def _look(self) -> None:
        """Tell what is due, and look again when the next run of an interval is, or at the next minute of cron."""
        question, now = self._question, self._loop.kernel.monotonic()
        if self._clock:
            unix = time()
            if self._clock.is_due(int(unix)):
                self._tell(DUE, int(unix))
            when = now + MINUTE - unix % MINUTE
        else:
            number = run_number(question.at, question.every, now)
            if number > self._number:
                self._number = number
                self._tell(DUE, number)
            when = question.at + (self._number + 1) * question.every
        self._timer = self._loop.call_at(when, self._look)

    def close(self) -> None:
        """Tell no more."""
        self._timer.cancel()


def _offset(question: "Question") -> "Callable[[int], int]":
    """How far the clock that counts is ahead of UTC. A zone that is not there is told of."""
    if question.zone:
        try:
            return zone_offset(question.zone)
        except (OSError, ValueError, ImportError) as error:
            what = question.name, question.zone, str(error).encode()
            report.warn(PROG, b"%b: unable to use time zone %b, so the container's counts: %b" % what)
    return container_offset
