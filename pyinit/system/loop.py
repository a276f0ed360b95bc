"""The event loop: descriptors, signals, ends of children, deadlines, changes of directories. And the one guard.

It waits in one way: epoll, on the descriptors and the doorbell. With no deadline set it sleeps until the kernel has
something. One turn: ready descriptors, then signals and deaths, then due deadlines.

Deaths are never counted: each SIGCHLD means "reap until none is left". A child may have written to a descriptor of ours
before it died. So after it reaped a child the loop calls ready readers first, then the child's owner.

Errors before `run` are the caller's, and fatal. From `run` on none is: this module alone catches Exception. It reports
the error with the name of the owner (the `name` of the object whose method failed), and goes on. A callback that failed
for want of something (PASSING) is called again PENALTY seconds later: nothing else would bring its event back.
"""

import posix
from _signal import SIGCHLD, SIGIO
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT

from pyinit import report
from pyinit.system.deadlines import LONGEST_WAIT, Deadlines
from pyinit.system.failure import describe
from pyinit.system.kernel import REAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyinit.system.deadlines import Deadline
    from pyinit.system.kernel import Kernel, Poller

    Callback = Callable[[], None]

REAPED_AT_ONCE = 4096
"""Deaths in one turn: a fork bomb of orphans must not keep commands and deadlines waiting."""

BATCH, BREATH = 8, 0.0005
"""After so many orphans at once, the loop reaps again so many seconds later. A parent that reaps each orphan as it ends
takes the processor from the rest, and slows a storm by a third."""

PENALTY = 1.0
"""Seconds for a descriptor whose callback failed: it may still be ready and would spin."""

PAUSE = 0.1
"""Seconds that the loop sleeps when a turn itself failed. It must stay alive, and must not spin."""

PASSING = (OSError, MemoryError, ImportError)
"""Errors of a system that has not enough of something. The same call may succeed a second later."""

ENDED = EPOLLERR | EPOLLHUP


class Loop:
    """The loop of one process. Warnings of the guard begin with `prog`.

    `children` maps the pid of each child to a callback. That gets the outcome, once: an exit code, or minus the number
    of the signal that killed the child. Deaths of other pids are counted as orphans.
    """

    def __init__(self, prog: bytes, kernel: "Kernel" = REAL) -> None:
        self.prog = prog
        self.kernel = kernel
        self.children: dict[int, Callable[[int], None]] = {}
        self.on_orphan: list[Callable[[int, int], None]] = []
        self.orphans = 0
        self._signals: dict[int, Callback] = {}
        self._readers: dict[int, Callback] = {}
        self._writers: dict[int, Callback] = {}
        self._suspended: set[int] = set()
        """Descriptors with callbacks that the poller does not wait for now."""
        self._watches: dict[int, Callback] = {}
        self._deadlines = Deadlines()
        self._is_breathing = False
        self._code: int | None = None
        self._begin()
        self.add_signal_handler(SIGCHLD, self._reap)

    def _begin(self) -> None:
        """Get the means to wait. Raises OSError."""
        self._poller: Poller = self.kernel.poller()
        self._doorbell = self.kernel.doorbell()
        self._bell = self._doorbell.fileno()
        self._poller.register(self._bell, EPOLLIN)

    def add_reader(self, fd: int, callback: "Callback") -> None:
        """Call whenever `fd` can be read, or has reached its end, until `remove_reader`. Raises OSError."""
        self._watch_fd(fd, callback, self._writers.get(fd))

    def remove_reader(self, fd: int) -> None:
        """Call no more. To be done before the descriptor is closed; for one without a reader it does nothing."""
        if fd in self._readers:
            self._watch_fd(fd, None, self._writers.get(fd))

    def add_writer(self, fd: int, callback: "Callback") -> None:
        """Call whenever `fd` can be written, until `remove_writer`. Raises OSError: PermissionError for a file."""
        self._watch_fd(fd, self._readers.get(fd), callback)

    def remove_writer(self, fd: int) -> None:
        """Call no more. For a descriptor without a writer it does nothing."""
        if fd in self._writers:
            self._watch_fd(fd, self._readers.get(fd), None)

    def _watch_fd(self, fd: int, reader: "Callback | None", writer: "Callback | None") -> None:
        """Have the poller wait for what is asked of `fd`. The tables change only if the kernel agreed.

        Giving a descriptor up never fails: it is about to be closed, which ends the wait as well.
        """
        events = (EPOLLIN if reader else 0) | (EPOLLOUT if writer else 0)
        if not events:
            self._unregister(fd)
        elif fd not in self._readers and fd not in self._writers:
            self._poller.register(fd, events)
        elif fd not in self._suspended:
            self._poller.modify(fd, events)
        for table, callback in ((self._readers, reader), (self._writers, writer)):
            if callback:
                table[fd] = callback
            else:
                table.pop(fd, None)

    def _unregister(self, fd: int) -> None:
        self._suspended.discard(fd)
        try:
            self._poller.unregister(fd)
        except OSError:
            pass

    def add_signal_handler(self, number: int, callback: "Callback") -> None:
        """Call once for any number of signals that came since the last call."""
        self._signals[number] = callback
        self._doorbell.listen(number)

    def add_child_handler(self, pid: int, callback: "Callable[[int], None]") -> None:
        """Tell the callback the outcome of this child, once."""
        self.children[pid] = callback

    def call_at(self, when: float, callback: "Callback") -> "Deadline":
        """Call once, at or after `when` (monotonic s)."""
        return self._deadlines.add(when, callback)

    def watch_directory(self, directory_fd: int, callback: "Callback", changes: int) -> int:
        """Call at each change of a directory; returns the watch, for `unwatch_directory`. Raises OSError.

        `changes`: NAMES_CHANGE or FILES_CHANGE of `changes.py`. One directory's change calls every watcher.
        """
        self.add_signal_handler(SIGIO, self._directories_changed)
        watch_fd = self.kernel.watch(directory_fd, changes)
        self._watches[watch_fd] = callback
        return watch_fd

    def unwatch_directory(self, watch_fd: int) -> None:
        """End a watch."""
        del self._watches[watch_fd]
        posix.close(watch_fd)

    def stop(self, code: int) -> None:
        """Let `run` return `code` at the end of this turn."""
        self._code = code

    def run(self) -> int:
        """Turn until `stop`, letting signals in. From here on nothing raises."""
        self._open()
        while self._code is None:
            try:
                self._turn()
            except Exception as error:
                self._report(b"", error)
                self.guard(self.kernel.pause, PAUSE)
        return self._code

    def _open(self) -> None:
        self._doorbell.open()

    def _turn(self) -> None:
        signals: set[int] = set()
        for fd, events in self._poller.poll(self._timeout()):
            if fd == self._bell:
                signals = self._doorbell.take()
            else:
                self._call(fd, events)
        if signals:
            self._tell(signals)
        if self._deadlines.heap:
            self._call_due()

    def _tell(self, signals: set[int]) -> None:
        for number in signals:
            callback = self._signals[number]
            try:
                callback()
            except Exception as error:
                self._report(_owner(callback), error)
                if isinstance(error, PASSING):
                    self.call_at(self.kernel.monotonic() + PENALTY, callback)

    def _call(self, fd: int, events: int) -> None:
        """Call the reader and the writer of a ready descriptor. One that fails is left alone for a while."""
        for ready, table in ((EPOLLIN, self._readers), (EPOLLOUT, self._writers)):
            callback = table.get(fd)
            if callback and events & (ready | ENDED):
                try:
                    callback()
                except Exception as error:
                    self._report(_owner(callback), error)
                    self._suspend(fd)

    def _suspend(self, fd: int) -> None:
        """Leave a descriptor alone for PENALTY seconds, unless the callback gave it up itself."""
        if fd in self._readers or fd in self._writers:
            self._unregister(fd)
            self._suspended.add(fd)
            self.call_at(self.kernel.monotonic() + PENALTY, lambda: self._resume(fd))

    def _resume(self, fd: int) -> None:
        if fd in self._suspended:
            self._poller.register(fd, EPOLLIN * (fd in self._readers) | EPOLLOUT * (fd in self._writers))
            self._suspended.discard(fd)

    def _timeout(self) -> float | None:
        """Seconds until the next deadline; None where there is none."""
        due = self._deadlines.next
        return None if due is None else min(max(0.0, due - self.kernel.monotonic()), LONGEST_WAIT)

    def _call_due(self) -> None:
        now = self.kernel.monotonic()
        while callback := self._deadlines.pop_due(now):
            try:
                callback()
            except Exception as error:
                self._report(_owner(callback), error)
                if isinstance(error, PASSING):
                    self.call_at(now + PENALTY, callback)

    def _reap(self) -> None:
        """Reap until none is left. After a batch of orphans, and after REAPED_AT_ONCE deaths, the rest waits."""
        if self._is_breathing:
            return
        before = self.orphans
        for _ in range(REAPED_AT_ONCE):
            try:
                pid, status = self.kernel.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                if self.orphans >= before + BATCH:
                    self._breathe()
                return
            outcome = posix.waitstatus_to_exitcode(status)
            callback = self.children.pop(pid, None)
            if callback is None:
                self._tell_orphan(pid, outcome)
                continue
            try:
                for fd, events in self._poller.poll(0):
                    if fd != self._bell:
                        self._call(fd, events)
            except OSError:  # what the child wrote is read in the next turn
                pass
            try:
                callback(outcome)
            except Exception as error:
                self._report(_owner(callback), error)
        self._breathe()

    def _breathe(self) -> None:
        """Reap again BREATH seconds later, and not before: this turn goes on, and the next one reads descriptors."""
        self._is_breathing = True
        self.call_at(self.kernel.monotonic() + BREATH, self._go_on)

    def _go_on(self) -> None:
        self._is_breathing = False
        self._reap()

    def _tell_orphan(self, pid: int, outcome: int) -> None:
        self.orphans += 1
        for callback in self.on_orphan:
            self.guard(callback, pid, outcome)

    def _directories_changed(self) -> None:
        for callback in list(self._watches.values()):
            self.guard(callback)

    def guard(self, callback: "Callable[..., None]", *arguments: "Any", owner: bytes = b"") -> bool:
        """Call; True if it returned. An error is reported as one of `owner`, or of the method's object."""
        try:
            callback(*arguments)
        except Exception as error:
            self._report(owner or _owner(callback), error)
            return False
        return True

    def _report(self, owner: bytes, error: Exception) -> None:
        try:
            report.warn(self.prog, (owner + b": " if owner else b"") + b"internal error: " + describe(error))
        except Exception:
            report.warn(self.prog, b"internal error that could not be told")


def _owner(callback: "Callable[..., None]") -> bytes:
    name = getattr(getattr(callback, "__self__", None), "name", b"")
    return name if isinstance(name, bytes) else b""
