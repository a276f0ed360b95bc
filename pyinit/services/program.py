"""One run of a program beside `run`, such as `finish`: its time limit, and its end."""

from _signal import SIGKILL

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.life.moment import NEVER
from pyinit.system.processes import descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.context import Context
    from pyinit.system.deadlines import Deadline


class ProgramRun:
    """Runs one program at a time. Messages call it `name`. `pid` is that of its last run, 0 before the first.

    `start` starts a program of the service's directory, given its arguments; that raises what starts raise. `ended` is
    called with the outcome of each run.
    """

    __slots__ = ("_began", "_context", "_ended", "_start", "_timer", "name", "pid")

    def __init__(
        self, context: "Context", name: bytes, start: "Callable[[list[bytes]], int]", ended: "Callable[[int], None]"
    ) -> None:
        self.name = name
        self.pid = 0
        self._context = context
        self._start = start
        self._ended = ended
        self._began = 0.0
        self._timer: Deadline | None = None

    def start(self, argv: list[bytes], limit: float) -> None:
        """Start it. At `limit` (monotonic s, or NEVER) it is killed. Raises what the start raises."""
        loop = self._context.loop
        self.pid = self._start(argv)
        self._began = loop.kernel.monotonic()
        loop.add_child_handler(self.pid, self._exited)
        if limit != NEVER:
            self._timer = loop.call_at(limit, self._kill)

    def _kill(self) -> None:
        """Its time is over: kill it, then all that descends from it."""
        kernel, pid = self._context.loop.kernel, self.pid
        seconds = kernel.monotonic() - self._began
        report.warn(PROG, b"killed %b (pid %d): it did not end within %.1f seconds" % (self.name, pid, seconds))
        for each in (pid, *descendants(pid)):
            try:
                kernel.kill(each, SIGKILL)
            except OSError:  # it has ended
                pass

    def _exited(self, outcome: int) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._ended(outcome)
