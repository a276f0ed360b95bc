"""One pipe in the collector, through its job.

A pipe is read a block at a time. Each block is cut into lines once, and passes through the service's script: log
directories, and standard output as one more sink. While a directory holds unwritten lines (a full disk, a processor at
work), or standard output is full, this pipe alone is not read. So memory is bounded by a block a service; more output
waits in the pipe, then in the service. If standard output is stuck, a service with a log directory goes on without it,
and the lines left out are counted.

At the end of a pipe its directories are on disk, and PID 1 is told. TERM ends a stream sooner, as it ends multilog: at
the end of the line. Bytes that are still in the pipe are for the next collector.
"""

import posix
from time import monotonic, time_ns

from pyinit import report
from pyinit.formats.wire import NOTHING
from pyinit.logs.collector.opening import JobFiles, Notices
from pyinit.logs.collector.outlet import Tap
from pyinit.logs.collector.phases import CLOSED, ENDED, HELD, OPENING, READING, READS, next_phase
from pyinit.logs.multilog import script
from pyinit.logs.multilog.multilog import PAUSE, CannotOpenLog, Multilog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.counters import Counters
    from pyinit.formats.wire import Job
    from pyinit.logs.collector.outlet import Outlet
    from pyinit.logs.collector.printer import Printer
    from pyinit.logs.collector.publishing import CountersFile
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop

BLOCK = 65536
"""The capacity of a pipe, bytes: the most that one read brings."""


class Stream:
    """One pipe through its job; the pipe belongs to this object. `open` begins.

    `on_end` is called once, with True if the pipe was read to its end and all of it is written.
    """

    __slots__ = (
        "_counters",
        "_counters_file",
        "_feed",
        "_files",
        "_held_since",
        "_is_leaving",
        "_log",
        "_loop",
        "_on_end",
        "_phase",
        "_pipe_fd",
        "_printer",
        "_retry_deadline",
        "_tap",
        "_warnings",
        "name",
    )

    def __init__(
        self,
        loop: "Loop",
        job: "Job",
        pipe_fd: int,
        outlet: "Outlet",
        counters: "Counters",
        counters_file: "CountersFile",
        on_end: "Callable[[Stream, bool], None]",
    ) -> None:
        self.name = job.name
        self._loop = loop
        self._pipe_fd = pipe_fd
        self._counters = counters
        self._counters_file = counters_file
        self._on_end = on_end
        self._phase = OPENING
        self._is_leaving = False
        self._retry_deadline: Deadline | None = None
        self._held_since: float | None = None
        """Since when the pipe is not read, monotonic s; None before it was read at all."""
        self._warnings = Notices(job.name)
        actions = script.parse_script(job.actions)
        self._files = JobFiles(job, [action.name for action in actions if isinstance(action, script.Directory)])
        prints = job.style != NOTHING or any(isinstance(action, script.Stdout) for action in actions)
        tap = Tap(outlet, counters, bool(self._files.paths))
        self._tap = tap if prints else None
        """None for a stream that never reaches standard output."""
        self._printer: Printer | None = None
        if job.style != NOTHING:
            from pyinit.logs.collector.printer import printer_for

            self._printer = printer_for(job, tap.write, time_ns, loop, is_counted=not actions)
        write = tap.write, report.write
        warn = self._warnings.warn
        self._log = Multilog(actions, time_ns, *write, warn, self._files.start_processor, self._printer)
        self._log.counters = counters
        self._feed = self._feed_as_user if job.user else self._log.feed

    def open(self) -> None:
        """Open the files of the log. Until that succeeds it is tried again by deadline, and nothing is read."""
        try:
            self._files.open(self._log)
            self._phase = HELD
        except CannotOpenLog as failure:
            self._not_open(failure)
        self.reconcile()

    def _not_open(self, failure: CannotOpenLog) -> None:
        self._log.close()
        self._phase = OPENING
        self._warnings.not_open(failure)

    def reconcile(self) -> None:
        """Wait for a deadline, a processor or room; or read on; or end: whatever the facts call for."""
        if self._phase == CLOSED:
            return
        log, tap = self._log, self._tap
        for pid in log.processors:
            self._loop.add_child_handler(pid, self._when_reaped(pid))
        is_pending = log.is_pending
        if not is_pending:
            self._counters.commit(tap is not None and tap.is_lost)
        if (self._phase == OPENING or log.has_trouble) and not self._retry_deadline:
            self._retry_deadline = self._loop.call_at(monotonic() + PAUSE, self._retry)
        is_blocked = tap is not None and tap.is_blocked
        phase = next_phase(self._phase, is_pending, is_blocked, self._is_leaving, log.is_inside)
        if phase == ENDED != self._phase:
            self._end()
            return
        self._read_in(phase)
        if phase == CLOSED:
            self._close()

    def _read_in(self, phase: int) -> None:
        """Enter the phase: read the pipe, or do not."""
        reads, self._phase = self._phase in READS, phase
        if reads != (phase in READS):
            if reads:
                self._loop.remove_reader(self._pipe_fd)
                self._held_since = monotonic()
            else:
                self._loop.add_reader(self._pipe_fd, self._read)
                if self._held_since is not None:
                    self._counters.blocked += monotonic() - self._held_since
            self._counters_file.arm()

    def _read(self) -> None:
        block = posix.read(self._pipe_fd, BLOCK if self._phase == READING else 1)
        if not block:
            self._is_leaving = False
            self._end()
            return
        counters, tap = self._counters, self._tap
        counters.bytes_in += len(block)
        counters.lines_in += block.count(b"\n")
        self._feed(block, time_ns())
        if self._log.is_pending or self._phase != READING or (tap and tap.is_blocked):
            self.reconcile()
        else:
            counters.commit(tap is not None and tap.is_lost)
        if not self._counters_file.is_armed:
            self._counters_file.arm()

    def _feed_as_user(self, block: bytes, now: int) -> None:
        with self._files.user:
            self._log.feed(block, now)

    def _end(self) -> None:
        """End the last line, sync the directories, then close when all of that is done."""
        self._read_in(ENDED)
        with self._files.user:
            self._log.finish()
        if self._printer:
            self._printer.finish()
        self.reconcile()

    def _retry(self) -> None:
        self._retry_deadline = None
        if self._phase == OPENING:
            self.open()
            return
        try:
            with self._files.user:
                self._log.retry()
        except CannotOpenLog as failure:
            self._not_open(failure)
        if not self._log.has_trouble and self._phase != OPENING:
            self._warnings.over()
        self.reconcile()

    def _when_reaped(self, pid: int) -> "Callable[[int], None]":
        def reaped(outcome: int) -> None:
            with self._files.user:
                self._log.reaped(pid, outcome)
            self.reconcile()

        return reaped

    def rotate(self) -> None:
        """Begin a new file in every directory."""
        if self._phase != OPENING:
            with self._files.user:
                self._log.rotate()
        self.reconcile()

    def leave(self) -> None:
        """End at the end of the line, and leave the rest in the pipe."""
        self._is_leaving = True
        self.reconcile()

    def _close(self) -> None:
        if self._retry_deadline:
            self._retry_deadline.cancel()
        self._log.close()
        posix.close(self._pipe_fd)
        self._counters_file.arm()
        self._on_end(self, not self._is_leaving)
