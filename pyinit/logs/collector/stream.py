"""One pipe in the collector, through its job.

A pipe is read a block at a time. Each block is cut into lines once, and passes through the service's script: log
directories, and standard output as one more sink. While a directory holds unwritten lines (a full disk, a processor at
work), or standard output is full, this pipe alone is not read. So memory is bounded by a block a service; more output
waits in the pipe, then in the service. If standard output is stuck, a service with a log directory goes on without it,
and the lines left out are counted. If a directory is in trouble, a service with standard output goes on without that.

While the log cannot be opened all lines go to standard output, by a detour, and the log is tried again.
At the end of a pipe its directories are on disk, and PID 1 is told. TERM ends a stream at the end of the line, as it
ends multilog. Bytes that are still in the pipe are for the next collector.
"""

from errno import EMFILE, ENFILE
from time import monotonic, time_ns

from pyinit import report
from pyinit.formats.wire import NOTHING
from pyinit.logs.collector.detour import Detour
from pyinit.logs.collector.opening import JobFiles, Notices
from pyinit.logs.collector.outlet import Tap
from pyinit.logs.collector.phases import CLOSED, ENDED, HELD, OPENING, READING, READS, next_phase
from pyinit.logs.collector.pipe import BLOCK
from pyinit.logs.collector.service_log import ServiceLog
from pyinit.logs.multilog import script
from pyinit.logs.multilog.multilog import PAUSE, CannotOpenLog, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.counters import Counters
    from pyinit.formats.wire import Job
    from pyinit.logs.collector.outlet import Outlet
    from pyinit.logs.collector.pipe import Pipe
    from pyinit.logs.collector.printer import Printer
    from pyinit.logs.collector.publishing import CountersFile
    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop


class Stream:
    """One pipe through its job; the pipe belongs to this object. `open` begins.

    `on_end` is called once, with True if the pipe was read to its end and all of it is written.
    """

    __slots__ = (
        *("_counters", "_counters_file", "_detour", "_direct", "_feed", "_files", "_held_since", "_is_leaving"),
        *("_is_open", "_log", "_loop", "_on_end", "_own_tap", "_phase", "_pipe", "_printer", "_retry_deadline"),
        *("_tap", "_warnings", "make_room", "name", "used"),
    )

    def __init__(
        self,
        loop: "Loop",
        job: "Job",
        pipe: "Pipe",
        outlet: "Outlet",
        counters: "Counters",
        counters_file: "CountersFile",
        on_end: "Callable[[Stream, bool], None]",
    ) -> None:
        self.name = job.name
        self._loop = loop
        self._pipe = pipe
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
        tap = Tap(outlet, counters, bool(self._files.paths), job.name)
        self._detour = Detour(loop, job, outlet, counters)
        printer: Printer | None = None
        if job.style != NOTHING:
            from pyinit.logs.collector.printer import printer_for

            printer = printer_for(job, tap.write, time_ns, loop, is_counted=not actions)
        self._printer = printer
        writers = tap.write, report.write, self._warnings.warn
        self._log = ServiceLog(job, actions, time_ns, writers, self._files.start_processor, printer, counters)
        self._own_tap = tap if self._log.prints else None
        self._tap = self._own_tap
        """What to wait for; None while nothing reaches standard output."""
        self._direct = self._feed_as_user if job.user else self._log.feed
        self._feed = self._direct
        self._is_open = False
        self.make_room: Callable[[Stream], bool] = lambda stream: False
        """Called for want of descriptors; True if some are free now."""
        self.used = 0
        """When the pipe was last read, unix ns."""

    def open(self) -> None:
        """Open the files of the log. Until that succeeds it is tried again by deadline, and lines take the detour."""
        self._open_log()
        if self._phase == OPENING:
            self._phase = HELD
        self.reconcile()

    def _open_log(self) -> None:
        """Try to open the log; its lines take the detour if that fails."""
        while True:
            try:
                self._files.open(self._log)
            except CannotOpenLog as failure:
                self._log.close()
                if failure.error.errno in (EMFILE, ENFILE) and self.make_room(self):
                    continue
                self._not_open(failure)
            else:
                self._opened()
            return

    def _opened(self) -> None:
        self._is_open = True
        if self._detour.is_inside:
            self._feed = self._feed_back
        else:
            self._feed, self._tap = self._direct, self._own_tap
        self._files.tell_owners(self._log, self._warnings)

    def _not_open(self, failure: CannotOpenLog) -> None:
        self._log.close()
        self._is_open = False
        self._warnings.not_open(failure)
        self._feed, self._tap = self._detour.feed, self._detour.tap

    def _feed_as_user(self, block: bytes, now: int) -> None:
        with self._files.user:
            self._log.feed(block, now)

    def _feed_back(self, block: bytes, now: int) -> None:
        """The log is open again: end the line that has begun on the detour, then go on to the log."""
        end = block.find(b"\n") + 1
        self._detour.feed(block[:end] or block, now)
        if end:
            self._feed, self._tap = self._direct, self._own_tap
            if block[end:]:
                self._feed(block[end:], now)

    def _feed_paused(self, block: bytes, now: int) -> None:
        """Open the directories that were closed for a while, or go on by the detour."""
        self._open_log()
        self._feed(block, now)

    def pause(self) -> bool:
        """Close the log directories until the next line. True if that freed descriptors."""
        if self._phase not in (READING, HELD) or self._feed != self._direct or not self._log.pause():
            return False
        self._feed = self._feed_paused
        return True

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
        if (not self._is_open or log.has_trouble) and not self._retry_deadline:
            self._retry_deadline = self._loop.call_at(monotonic() + PAUSE, self._retry)
        is_blocked = tap is not None and tap.is_blocked
        is_inside = log.is_inside or self._detour.is_inside
        phase = next_phase(self._phase, is_pending, is_blocked, self._is_leaving, is_inside, log.goes_on)
        if phase == ENDED != self._phase:
            self._end()
            return
        self._read_in(phase)
        if phase == CLOSED:
            self._close()

    def _read_in(self, phase: int) -> None:
        """Enter the phase: read the pipe, or do not."""
        reads = self._phase in READS
        if reads == (phase in READS):
            self._phase = phase
            return
        if reads:
            self._loop.remove_reader(self._pipe.fd)
            self._held_since = monotonic()
        else:
            try:
                self._loop.add_reader(self._pipe.fd, self._read)
            except OSError as error:
                self._warnings.warn(Trouble(b"unable to wait for the pipe", error))
                self._retry_deadline = self._retry_deadline or self._loop.call_at(monotonic() + PAUSE, self._retry)
                return
            if self._held_since is not None:
                self._counters.blocked += monotonic() - self._held_since
        self._phase = phase
        self._counters_file.arm()

    def _read(self) -> None:
        counters, tap = self._counters, self._tap
        if tap and tap.is_blocked:  # another service has filled standard output in this turn
            self.reconcile()
            return
        block = self._pipe.read(self._pipe.fd, BLOCK if self._phase == READING else 1)
        if block is None:
            return
        if not block:
            self._is_leaving = False
            self._end()
            return
        counters.bytes_in += len(block)
        counters.lines_in += block.count(b"\n")
        self.used = now = time_ns()
        self._feed(block, now)
        if self._log.is_pending or self._phase != READING or not self._is_open or (tap and tap.is_blocked):
            self.reconcile()
        else:
            counters.commit(tap is not None and tap.is_lost)
        if not self._counters_file.is_armed:
            self._counters_file.arm()

    def _end(self) -> None:
        """End the last line, sync the directories, then close when all of that is done."""
        self._read_in(ENDED)
        self._detour.finish()
        if self._is_open:
            with self._files.user:
                self._log.finish()
        if self._printer:
            self._printer.finish()
        self.reconcile()

    def _retry(self) -> None:
        self._retry_deadline = None
        if not self._is_open:
            self.open()
            return
        try:
            with self._files.user:
                self._log.retry()
        except CannotOpenLog as failure:
            self._not_open(failure)
        if not self._log.has_trouble and self._is_open:
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
        if self._feed == self._feed_paused:
            self._open_log()
        if self._is_open:
            with self._files.user:
                self._log.rotate()
        self.reconcile()

    def leave(self) -> None:
        """End at the end of the line, and leave the rest in the pipe."""
        self._is_leaving = True
        self.reconcile()

    @property
    def is_held(self) -> bool:
        """Whether it waits for a directory or for standard output."""
        return self._phase not in READS

    def give_up(self) -> bool:
        """Count what is unwritten and what is in the pipe as dropped, say so, and close. True if lines are lost."""
        log, counters = self._log, self._counters
        unread = self._pipe.unread()
        unwritten = counters.held_lines if log.is_pending else 0
        counters.lines_in += unread
        counters.leave_out(unwritten, counters.held_bytes)
        counters.dropped += unread
        if unread + unwritten:
            where = b"the log" if unread or not log.prints else b"the log directory"
            text = b"%d lines are missing in %b: there was no time to write them" % (unread + unwritten, where)
            self._warnings.say(text)
        self._is_leaving = False
        self._phase = CLOSED
        self._close()
        return unread > 0 or (unwritten > 0 and not log.prints)

    def _close(self) -> None:
        if self._retry_deadline:
            self._retry_deadline.cancel()
        self._log.close()
        self._pipe.close()
        self._counters_file.arm()
        self._on_end(self, not self._is_leaving)
