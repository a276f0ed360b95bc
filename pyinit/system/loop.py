"""The event loop: descriptors, signals, children's ends, deadlines, directory changes. And the one guard.

A signal's C handler writes a byte into the doorbell pipe; its Python handler adds the number to a set. The pipe only
wakes the loop: full, it would lose bytes; the set loses nothing. Deaths are never counted: each SIGCHLD means "reap
until none is left". With no deadline set the loop sleeps until the kernel has something.

A loop in which every descriptor rings (see `rings`) does not have signals delivered: they stay blocked, and it fetches
them one at a time. That saves half of what a forwarded signal takes, a third of the way from a death to a next start.

One turn: ready descriptors, then signals and deaths, then what is due, then `after_turn`. What a child wrote before it
died is read before its death is told: descriptors that ring are looked at again for it.

Before `run` errors are the caller's and fatal. From `run` on nothing is: this module alone catches Exception. What
raised is reported with its owner's name (the `name` of the object the callback is a method of), and the rest go on.
"""

import posix
import select
from _heapq import heappop, heappush
from _signal import SIG_SETMASK, SIGCHLD, SIGIO, pthread_sigmask, set_wakeup_fd, sigtimedwait, sigwaitinfo
from _signal import signal as set_signal
from time import monotonic

from pyinit import report
from pyinit.system.rings import DIRECTORY_CHANGES, Rings, watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

REAPED_AT_ONCE = 4096
"""So many deaths a turn: a fork bomb of orphans does not keep commands and deadlines waiting."""

CROWD, BREATH = 8, 0.0005
"""From so many orphans at once on, more are let end for so many seconds: whoever reaps each as it ends keeps the rest
from the processor, and slows a storm by a third. Not by time.sleep: a faked clock (libfaketime) may put off its end."""

HEAD_START = 0.001
"""Seconds for a process just started: as it comes to its exec the kernel puts this one before it, which has slept."""

PENALTY = 1.0
"""Seconds for a descriptor whose callback raised: it may still be ready and would spin."""


class Deadline:
    """A callback to come; `cancel` makes it never come."""

    __slots__ = ("callback",)

    def __init__(self, callback: "Callable[[], None] | None") -> None:
        self.callback = callback

    def cancel(self) -> None:
        """Forget the callback. Cancelling twice, or after it came, does nothing."""
        self.callback = None


class Loop:
    """One a process. `prog` is whose warnings the guard's are."""

    def __init__(self, prog: bytes) -> None:
        self.prog = prog
        self.after_turn: Callable[[], None] | None = None
        self.on_orphan: Callable[[int, int], None] | None = None
        self.orphans = 0
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        self._children: dict[int, Callable[[int], None] | None] = {}
        """Whom to tell of each death; None where that has been told and is still to be reaped."""
        self._signals: dict[int, Callable[[], None]] = {}
        self._pending: set[int] = set()
        self._rings = Rings()
        self._has_rung, self._gives_way = True, True
        self._blocked: set[int] | None = None
        """Signals that are fetched; None while the mask is still to be set."""
        self._deadlines: list[tuple[float, int, Deadline]] = []
        self._deadline_count = 0
        self._watchers: dict[int, Callable[[], None]] = {}
        self._code: int | None = None
        self._doorbell, button = posix.pipe2(posix.O_NONBLOCK | posix.O_CLOEXEC)
        set_wakeup_fd(button, warn_on_full_buffer=False)
        self.on_readable(self._doorbell, self._answer)
        self.on_readable(self._rings.fileno(), self._hear)
        self.on_signal(SIGCHLD, self._reap)

    def on_readable(self, descriptor: int, callback: "Callable[[], None]") -> None:
        """Call when `descriptor` can be read or has reached its end, until `forget`."""
        self._epoll.register(descriptor, select.EPOLLIN)
        self._ready[descriptor] = callback

    def on_ring(self, descriptor: int, callback: "Callable[[], None]") -> int:
        """Call when more can be read, until all descriptors of this file are closed; returns what to `unring`.

        A FIFO or a socket of this process alone that never blocks. The callback reads all there is. Raises OSError.
        """
        self._has_rung = True  # what is there already has not
        return self._rings.add(descriptor, callback)

    def unring(self, number: int) -> None:
        """Call no more for it."""
        self._rings.forget(number)

    def on_writable(self, descriptor: int, callback: "Callable[[], None]") -> None:
        """Call when `descriptor` can be written, until `forget`. Naming it again changes nothing."""
        if descriptor not in self._ready:
            self._epoll.register(descriptor, select.EPOLLOUT)
            self._ready[descriptor] = callback

    def forget(self, descriptor: int) -> None:
        """Stop watching; to be called before the descriptor is closed."""
        if self._ready.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def on_signal(self, number: int, callback: "Callable[[], None]") -> None:
        """Call once for any number of signals that came since the last call."""
        self._signals[number] = callback
        self._blocked = None
        set_signal(number, lambda number, frame: self._pending.add(number))

    def on_death(self, pid: int, callback: "Callable[[int], None]") -> None:
        """Call once with this child's exit code, or minus the signal that killed it; its pid may not be free yet.

        Deaths of pids never named here are counted as orphans.
        """
        self._children[pid] = callback

    def at(self, when: float, callback: "Callable[[], None]") -> Deadline:
        """Call once, at or after `when` (monotonic seconds)."""
        deadline = Deadline(callback)
        self._deadline_count += 1
        heappush(self._deadlines, (when, self._deadline_count, deadline))
        return deadline

    def watch(self, directory: int, callback: "Callable[[], None]", changes: int = DIRECTORY_CHANGES) -> int:
        """Call when names come, go or change in the directory; returns what to `unwatch`. Raises OSError.

        `changes`: DIRECTORY_CHANGES, or FILE_CHANGES for what is written to files in it as well. The signal does not
        tell which directory: every watcher is called.
        """
        self.on_signal(SIGIO, self._directories_changed)
        watched = watch(directory, changes)
        self._watchers[watched] = callback
        return watched

    def unwatch(self, watched: int) -> None:
        """End a watch."""
        del self._watchers[watched]
        posix.close(watched)

    def give_way(self) -> None:
        """Let what was just started go first. Once a turn."""
        if self._gives_way:
            self._gives_way = False
            sigtimedwait((), HEAD_START)

    def stop(self, code: int) -> None:
        """Let `run` return `code` at the end of this turn."""
        self._code = code

    def run(self) -> int:
        """Turn until `stop`, taking signals. From here on nothing raises."""
        while self._code is None:
            self._gives_way = True
            try:
                self._turn()
            except Exception as error:
                self._report(b"", error)
                sigtimedwait((), 0.1)  # the loop itself failed: stay alive, and do not spin
        return self._code

    def _turn(self) -> None:
        if len(self._ready) == 2 and not self._rings.deaf:  # no others than the doorbell and the rings
            self._fetch_signal()
        else:
            self._block_just(())
            self._call_ready(self._patience())
        pending, self._pending = self._pending, set()  # what comes from here on is the next turn's
        for number in pending:
            self.guard(self._signals[number])
        now = monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline = heappop(self._deadlines)[2]
            if deadline.callback:
                self.guard(deadline.callback)
        if self.after_turn:
            self.guard(self.after_turn)

    def _call_ready(self, patience: float | None) -> bool:
        """Wait for descriptors, one of which is the doorbell, and call for those that are ready; whether any was."""
        found = self._epoll.poll(patience)
        for descriptor, _ in found:
            if (callback := self._ready.get(descriptor)) and not self.guard(callback):
                self._suspend(descriptor, callback)
        return bool(found)

    def _fetch_signal(self) -> None:
        """Call for what has rung, until nothing is left to be read; then wait for a signal."""
        if self._has_rung:
            self._has_rung = self._call_ready(0)
        self._block_just(self._signals)
        patience = 0 if self._has_rung else self._patience()
        found = sigwaitinfo(self._signals) if patience is None else sigtimedwait(self._signals, patience)
        if found:
            self._pending.add(found.si_signo)
            if found.si_signo == SIGCHLD:
                self._has_rung = True
                self._hear_of(found.si_pid if found.si_code > 0 else 0)  # a ring (SI_SIGIO) tells of no pid

    def _hear_of(self, pid: int) -> None:
        """Call for a death that is not reaped yet: that takes as long as all else on the way to the next start.

        All that rang before it has been read: else that ring would have been fetched, and this death not told of.
        """
        callback = self._children.get(pid)  # asked for: the pid may be another's by now
        if callback and (death := posix.waitid(posix.P_PID, pid, posix.WEXITED | posix.WNOHANG | posix.WNOWAIT)):
            self._children[pid] = None
            self.guard(callback, death.si_status if death.si_code == posix.CLD_EXITED else -death.si_status)

    def _block_just(self, numbers: "Collection[int]") -> None:
        if self._blocked is None or len(self._blocked) != len(numbers):
            pthread_sigmask(SIG_SETMASK, numbers)
            self._blocked = set(numbers)

    def _patience(self) -> float | None:
        """Seconds until the next deadline; None where there is none."""
        if self._pending:
            return 0
        while self._deadlines and self._deadlines[0][2].callback is None:
            heappop(self._deadlines)
        return max(0.0, self._deadlines[0][0] - monotonic()) if self._deadlines else None

    def _answer(self) -> None:
        posix.read(self._doorbell, 512)

    def _hear(self) -> None:
        for callback in self._rings.heard():
            self._let_read(callback)

    def _let_read(self, callback: "Callable[[], None]") -> None:
        """One that raised may have left something, and is not told of that again."""
        if not self.guard(callback):
            self.at(monotonic() + PENALTY, lambda: self._let_read(callback))

    def _reap(self) -> None:
        before = self.orphans
        for _ in range(REAPED_AT_ONCE):
            try:
                pid, status = posix.waitpid(-1, posix.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                if self.orphans < before + CROWD:
                    return
                sigtimedwait((), BREATH)
                break
            if pid not in self._children:
                self.orphans += 1
                if self.on_orphan:
                    self.guard(self.on_orphan, pid, posix.waitstatus_to_exitcode(status))
            elif callback := self._children.pop(pid):
                self.guard(self._hear)
                self.guard(callback, posix.waitstatus_to_exitcode(status))
        self._pending.add(SIGCHLD)

    def _directories_changed(self) -> None:
        for callback in list(self._watchers.values()):
            self.guard(callback)

    def guard(self, callback: "Callable[..., None]", *arguments: "Any", owner: bytes = b"") -> bool:
        """Call; whether it returned. What it raised is told as of `owner`, or of whose method it is, and ends there."""
        try:
            callback(*arguments)
        except Exception as error:
            self._report(owner or getattr(getattr(callback, "__self__", None), "name", b""), error)
            return False
        return True

    def _suspend(self, descriptor: int, callback: "Callable[[], None]") -> None:
        """Leave a descriptor whose callback raised alone for a while, unless the callback gave it up itself."""
        if self._ready.get(descriptor) is not callback:
            return
        self._epoll.modify(descriptor, 0)
        self.at(monotonic() + PENALTY, lambda: self._resume(descriptor, callback))

    def _resume(self, descriptor: int, callback: "Callable[[], None]") -> None:
        if self._ready.get(descriptor) is callback:
            self._epoll.modify(descriptor, select.EPOLLIN)
            self._has_rung = True

    def _report(self, owner: bytes, error: Exception) -> None:
        try:
            trace = error.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
            text = f"{type(error).__name__}: {error} at {place}".encode(errors="replace")
            report.warn(self.prog, (owner + b": " if owner else b"") + b"internal error: " + text)
        except Exception:
            report.warn(self.prog, b"internal error that could not be told")
