"""The logging process: many pipes, each through its job, in one loop. PID 1's side of it is `plane.py`.

A pipe is read a block at a time, and the block goes to the service's log directories and to standard output at once.
While a directory holds unwritten lines (a full disk, a processor at work), or standard output is full, that pipe alone
is not read: memory is bounded by a block a service, and what the service writes waits in the pipe, then in the service.
Only where standard output is stuck for good does a service that has a log directory go on without it, and its lines
that are only in the directory are counted.

At the end of a pipe the directories are on disk, and PID 1 is told. When PID 1 has closed the socket and every pipe
has ended, the process ends. TERM ends it sooner, as it ends multilog: at the next line's end of each pipe; what is
still in the pipes is for the successor.
"""

import posix
from time import monotonic, time_ns

from pyinit import report
from pyinit.formats.counters import Account
from pyinit.formats.wire import HOME, NOTHING, PROG, Job
from pyinit.logs.collector.outlet import Outlet
from pyinit.logs.multilog import script
from pyinit.logs.multilog.multilog import PAUSE, CannotOpenLog, Counts, Multilog
from pyinit.system import files
from pyinit.system.loop import Loop
from pyinit.system.user import Oneself, User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.collector.printer import Printer
    from pyinit.logs.multilog.multilog import Trouble
    from pyinit.system.loop import Deadline

BLOCK = 65536
"""What a pipe holds, bytes; and so the most that a read brings."""

FOLD_WAIT = 0.2
"""Seconds after which lines that might be continued no longer are."""


class Stream:
    """One pipe through its job. `on_end` is called with `True` when it was read to its end, all of it written."""

    def __init__(
        self,
        loop: Loop,
        job: Job,
        pipe: int,
        outlet: Outlet,
        account: Account,
        on_end: "Callable[[Stream, bool], None]",
        on_counted: "Callable[[], None]",
    ) -> None:
        self._on_counted = on_counted
        self.name = job.name
        self._loop = loop
        self._job = job
        self._pipe = pipe
        self._outlet = outlet
        self._account = account
        self._on_end = on_end
        self._user: User | Oneself = Oneself()
        parsed = script.parse(job.actions)
        self._paths = [action.name for action in parsed if isinstance(action, script.Directory)]
        self._log = Multilog(parsed, time_ns, self._print, report.write, self._warn, self._start_processor)
        self._counts = self._log.counts = Counts()
        self._printer = _printer(job, self._print) if job.style != NOTHING else None
        self._uses_outlet = self._printer is not None or any(isinstance(action, script.Stdout) for action in parsed)
        self._said = b""
        self._retry_timer: Deadline | None = None
        self._fold_timer: Deadline | None = None
        self._stopped: float | None = None
        self._is_ready = self._is_reading = self._is_leaving = self._has_ended = False
        self._is_open = True

    def open(self) -> None:
        """Open what the script names; until that succeeds, tried again by deadline, nothing is read."""
        try:
            self._make_directories()
            with self._user:
                self._at_home(self._log.open)
            self._is_ready = True
        except CannotOpenLog as trouble:
            self._not_open(trouble)
        except OSError as error:
            self._not_open(CannotOpenLog(b"unable to become " + self._job.user, error))
        self.settle()

    def _make_directories(self) -> None:
        """Make what is on the way to the log directories; and for another user the directories, to be its own."""
        if self._job.user and isinstance(self._user, Oneself):
            self._user = User(self._job.user)
        for path in self._paths:
            whole = path if path.startswith(b"/") else b"%b/%b" % (self._job.home, path)
            files.make_directories(whole.rpartition(b"/")[0])
            if self._job.user:
                try:
                    posix.mkdir(whole, 0o700)
                    posix.chown(whole, *self._user.ids)
                except OSError:
                    continue

    def _at_home(self, operation: "Callable[[], None]") -> None:
        """Do it where the script's names are relative to."""
        if self._job.home == HOME:
            return operation()
        try:
            posix.chdir(self._job.home)
        except OSError as error:
            raise CannotOpenLog(b"unable to switch to directory " + self._job.home, error) from None
        try:
            return operation()
        finally:
            posix.chdir(HOME)

    def _not_open(self, trouble: CannotOpenLog) -> None:
        self._log.close()
        self._is_ready = False
        text = b"%b: %b, pausing" % (self.name, trouble.message)
        if text != self._said:
            report.warn(PROG, text, trouble.error)
            self._said = text

    def _warn(self, trouble: "Trouble") -> None:
        """Each reason once, until it changes or is over: not every PAUSE."""
        text = b"%b: %b" % (self.name, trouble.message)
        if text != self._said:
            report.warn(PROG, text, trouble.error)
            self._said = text

    def _start_processor(self, directory: int, command: bytes) -> int:
        from pyinit.logs.multilog.processor import start

        return start(directory, command, self._user.become)

    def _print(self, lines: bytes) -> None:
        """Everything for standard output comes through here; what it does not take is counted, if it is elsewhere."""
        if self._paths and (self._outlet.is_full or not self._outlet.is_open):
            self._account.dropped += lines.count(b"\n")
        else:
            self._outlet.write(lines)

    def settle(self) -> None:
        """What the present calls for: wait for a deadline, a processor or room; go on reading; or end."""
        if not self._is_open:
            return
        for pid in self._log.processors:
            self._loop.add_child_handler(pid, self._when_reaped(pid))
        self._book()
        is_troubled = not self._is_ready or self._log.has_trouble
        if is_troubled and not self._retry_timer:
            self._retry_timer = self._loop.call_at(monotonic() + PAUSE, self._retry)
        if is_troubled or self._log.is_pending:
            self._read_on(False)
        elif self._has_ended:
            self._close()
        elif self._is_leaving and not self._is_inside:
            self._finish()
        else:
            is_held = self._uses_outlet and self._outlet.is_full and not (self._paths and self._outlet.is_stuck)
            self._read_on(not is_held)

    @property
    def _is_inside(self) -> bool:
        return self._log.is_inside or (self._printer is not None and self._printer.is_inside)

    def _read_on(self, wanted: bool) -> None:
        if wanted == self._is_reading:
            return
        self._is_reading = wanted
        if wanted:
            self._loop.add_reader(self._pipe, self._read)
            if self._stopped is not None:
                self._account.blocked += monotonic() - self._stopped
        else:
            self._loop.remove_reader(self._pipe)
            self._stopped = monotonic()

    def _read(self) -> None:
        block = posix.read(self._pipe, 1 if self._is_leaving else BLOCK)
        if not block:
            self._is_leaving = False
            self._finish()
            return
        now = time_ns()
        lines = block.count(b"\n")
        self._account.bytes_in += len(block)
        self._account.lines_in += lines
        self._on_counted()
        if self._paths:
            with self._user:
                self._log.feed(block, now)
        elif self._job.actions:
            self._log.feed(block, now)
        else:
            self._counts.add(lines, len(block))
        if self._printer:
            self._printer.feed(block, now)
            self._await_more()
        if self._paths or self._outlet.is_full or self._is_leaving:
            self.settle()
        else:
            self._book()

    def _book(self) -> None:
        """Account for what has been written: everything that was read, unless something of it is pending."""
        if self._log.is_pending:
            return
        account, counts = self._account, self._counts
        account.deselected += counts.deselected
        if self._paths or self._outlet.is_open:
            account.lines_written += counts.lines
            account.bytes_written += counts.bytes
        else:
            account.dropped += counts.lines
        counts.lines = counts.bytes = counts.deselected = 0

    def _await_more(self) -> None:
        """Print a group of lines that nothing continues."""
        if self._fold_timer:
            self._fold_timer.cancel()
            self._fold_timer = None
        if self._printer and self._printer.is_holding:
            self._fold_timer = self._loop.call_at(monotonic() + FOLD_WAIT, self._unfold)

    def _unfold(self) -> None:
        if self._printer:
            self._printer.flush(time_ns())

    def _finish(self) -> None:
        self._has_ended = True
        with self._user:
            self._log.finish()
        if self._printer:
            self._printer.finish(time_ns())
        self.settle()

    def _retry(self) -> None:
        self._retry_timer = None
        if not self._is_ready:
            self.open()
            return
        try:
            with self._user:
                self._log.retry()
        except CannotOpenLog as trouble:
            self._not_open(trouble)
        if not self._log.has_trouble and self._is_ready:
            self._said = b""
        self.settle()

    def _when_reaped(self, pid: int) -> "Callable[[int], None]":
        def reaped(outcome: int) -> None:
            with self._user:
                self._log.reaped(pid, outcome)
            self.settle()

        return reaped

    def rotate(self) -> None:
        """Begin a new file in every directory."""
        if self._is_ready:
            with self._user:
                self._log.rotate()
        self.settle()

    def leave(self) -> None:
        """End at the next line's end, leaving the rest in the pipe."""
        self._is_leaving = True
        if self._is_ready:
            self.settle()
        else:
            self._close()

    def _close(self) -> None:
        self._read_on(False)
        self._is_open = False
        for timer in (self._retry_timer, self._fold_timer):
            if timer:
                timer.cancel()
        self._log.close()
        posix.close(self._pipe)
        self._on_end(self, not self._is_leaving)


def _printer(job: Job, write: "Callable[[bytes], None]") -> "Printer":
    """Loaded where lines go to standard output at all."""
    from pyinit.logs.collector.printer import for_job

    return for_job(job, write)
