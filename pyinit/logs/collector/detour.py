"""The way to standard output for lines whose log cannot be opened. It costs nothing until it is taken."""

from time import time_ns

from pyinit import report
from pyinit.formats.wire import Job
from pyinit.logs.collector.outlet import Tap
from pyinit.logs.multilog.multilog import Multilog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.formats.counters import Counters
    from pyinit.logs.collector.outlet import Outlet
    from pyinit.logs.collector.printer import Printer
    from pyinit.system.loop import Loop


class Detour:
    """Prints whole lines of a service in the look that its job names for this. `tap` is what it must wait for."""

    __slots__ = ("_counters", "_job", "_log", "_loop", "_printer", "tap")

    def __init__(self, loop: "Loop", job: Job, outlet: "Outlet", counters: "Counters") -> None:
        self.tap = Tap(outlet, counters, has_directory=False, name=job.name)
        self._counters = counters
        self._loop = loop
        self._job = Job(job.name, job.fallback, [])
        self._job.multiline = job.multiline
        self._log: Multilog | None = None
        self._printer: Printer | None = None

    @property
    def is_inside(self) -> bool:
        """Whether a line has begun on the detour, and not ended."""
        return self._log is not None and self._log.is_inside

    def feed(self, block: bytes, now: int) -> None:
        """Print a block that was read at `now` (unix ns)."""
        if not self._log:
            from pyinit.logs.collector.printer import printer_for

            self._printer = printer_for(self._job, self.tap.write, time_ns, self._loop, is_counted=True)
            self._log = Multilog((), time_ns, self.tap.write, report.write, lambda trouble: None, outlet=self._printer)
            self._log.counters = self._counters
        self._log.feed(block, now)

    def finish(self) -> None:
        """End the last line."""
        if self._log and self._printer:
            self._log.finish()
            self._printer.finish()
