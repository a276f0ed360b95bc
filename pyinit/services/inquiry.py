"""Finds out how a service is: joins the process of one start to what its `ready`, `health` and `timer` name.

Loaded when the first policy asks for it. FD: the process writes a newline into a pipe. LOG: a text comes in its log.
NOTIFY and WATCHDOG: it sends datagrams to the socket of sd_notify(3). What has to be asked again and again is a
question for the checker.
"""

import posix
from _stat import S_ISREG, S_ISSOCK
from errno import EBADF

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.life.events import Checked, Extended, Ready, Replaced, Said
from pyinit.services.life.health import WATCHDOG
from pyinit.services.life.moment import RUNNING, STARTING
from pyinit.services.life.readiness import FD, FILE, LOG, NOTIFY, POLLED
from pyinit.services.trouble import CannotOpen
from pyinit.system.fds import Fds
from pyinit.system.files import NOT_REGULAR
from pyinit.system.process import WATCHDOG_PID
from pyinit.system.processes import is_child
from pyinit.system.spawn import redirection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.formats.notice import Notice
    from pyinit.services.context import Context, RenewLog
    from pyinit.services.life.events import Event
    from pyinit.services.life.moment import State
    from pyinit.services.life.policy import Policy
    from pyinit.services.notices import NotifySocket
    from pyinit.services.polled import Questions
    from pyinit.services.watchdog import Watchdog
    from pyinit.system.spawn import Redirections

LONGEST = 4096
"""Bytes of a notification that are read at once."""

STOPPING, RELOADING = b"stopping", b"reloading"
"""What stands for a status text of a service that says no more than that."""


class NotificationFds(Fds):
    """The pipe in which a process says that it is ready."""

    __slots__ = ("read", "write")
    read: int
    write: int


class Inquiry:
    """Asks about one service at a time: `prepare` before its start, `began` after it, `end` when there is no process.

    `follow` is shown each state. `handle` takes what was found out, as events. `status_text`: what the process of this
    start says of itself.
    """

    __slots__ = (
        "_context",
        "_directory_fd",
        "_fds",
        "_handle",
        "_is_stopping",
        "_make_watchdog",
        "_name",
        "_notices",
        "_pid",
        "_policy",
        "_questions",
        "_renew_log",
        "_starts",
        "_state",
        "_watchdog",
        "status_text",
    )

    def __init__(
        self,
        context: "Context",
        name: bytes,
        directory_fd: int,
        handle: "Callable[[Event], None]",
        renew_log: "RenewLog | None" = None,
    ) -> None:
        self.status_text = b""
        self._context = context
        self._name = name
        self._directory_fd = directory_fd
        self._handle = handle
        self._policy: Policy | None = None
        self._fds = NotificationFds()
        self._notices: NotifySocket | None = None
        self._questions: Questions | None = None
        self._watchdog: Watchdog | None = None
        self._make_watchdog: type[Watchdog]
        self._state: State | None = None
        self._is_stopping = False
        """Whether the process said that it is going down: it is not asked how it is any more."""
        self._pid = 0
        self._renew_log = renew_log
        self._starts = 0
        """How many starts were watched for a line."""

    def prepare(
        self, policy: "Policy", redirections: "Redirections", changes: "dict[bytes, bytes | None]"
    ) -> "Redirections":
        """What the next start under this policy gets; `changes` to its environment are added.

        Raises OSError, or CannotOpen where the file of `ready file` cannot be removed.
        """
        self.end()
        self._policy, readiness, health = policy, policy.readiness, policy.health
        kind = readiness.kind if readiness else b""
        if kind in POLLED or (health and health.kind != WATCHDOG):
            self._ask().prepare(redirections, changes)
        if readiness and kind == FILE:
            self._remove(readiness.text)
        if readiness and kind == LOG:
            self._watch_log(readiness.text)
        if kind == NOTIFY or (health and health.kind == WATCHDOG):
            self._notices = self._notify_socket()
            changes[b"NOTIFY_SOCKET"] = self._notices.value
        if health and health.kind == WATCHDOG:
            from pyinit.services import watchdog  # now, when failing is a failed start

            self._make_watchdog = watchdog.Watchdog
            changes[b"WATCHDOG_USEC"] = b"%d" % (health.timeout * 1e6)
            changes[WATCHDOG_PID] = b""  # known when there is a process
        if readiness and kind == FD:
            read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
            self._fds = NotificationFds(read=read_fd, write=write_fd)
            posix.set_blocking(read_fd, False)
            self._context.loop.add_reader(read_fd, self._read_notification)
            return [*redirections, redirection(write_fd, readiness.number)]
        return redirections

    def _watch_log(self, text: bytes) -> None:
        """Begin a pipe to the log, and have it watched for the text. Raises OSError and CannotOpen.

        What an earlier start still writes is not of this one.
        """
        if not self._renew_log:
            raise CannotOpen(b"ready log without the container's log", OSError(EBADF, ""))
        self._starts = start = self._starts + 1

        def found() -> None:
            if start == self._starts:
                self._handle(Ready())

        self._renew_log(text, found)

    def _remove(self, path: bytes) -> None:
        """Remove what an earlier start may have left. Raises OSError, or CannotOpen where it is something else."""
        try:
            mode = posix.lstat(path, dir_fd=self._directory_fd).st_mode
        except FileNotFoundError:
            return
        if not (S_ISREG(mode) or S_ISSOCK(mode)):
            raise CannotOpen(b"unable to remove %b, for which ready waits" % path, OSError(None, NOT_REGULAR))
        posix.unlink(path, dir_fd=self._directory_fd)

    def _notify_socket(self) -> "NotifySocket":
        """The one socket of all services; its module is loaded for the first that wants it. Raises OSError."""
        if not self._context.notices:
            from pyinit.services.notices import NotifySocket

            self._context.notices = NotifySocket(self._context.loop, PROG)
        return self._context.notices

    def _ask(self) -> "Questions":
        """What has the checker ask; its module is loaded for the first service that wants it."""
        if not self._questions:
            from pyinit.services.polled import Questions

            self._questions = Questions(self._context, self._name, self._directory_fd, self._handle)
        return self._questions

    def began(self, pid: int) -> None:
        """The process runs: listen to it. Nothing here fails: a start that failed would be tried again beside it."""
        self._pid = pid
        if self._notices:
            self._notices.listen(pid, self._told)
        self._fds.close("write")

    def follow(self, state: "State") -> None:
        """Ask what this state calls for, and no more."""
        self._state, policy, health = state, state.policy, state.policy.health
        is_well_asked = state.phase == RUNNING and not state.is_paused and not self._is_stopping
        is_watched = is_well_asked and health is not None and health.kind == WATCHDOG
        if is_watched and health and not self._watchdog:
            self._watchdog = self._make_watchdog(self._context.loop, health, state.is_sick, self._found)
        elif not is_watched and self._watchdog:
            self._watchdog.close()
            self._watchdog = None
        if self._questions or policy.timer:
            is_starting = state.phase == STARTING and state.pid != 0
            self._ask().follow(state, is_starting, is_well_asked and not is_watched)

    def _found(self, is_well: bool) -> None:
        self._handle(Checked(is_well))

    def _read_notification(self) -> None:
        """The first newline is readiness; an end without one is none."""
        try:
            said = posix.read(self._fds.read, LONGEST)
        except BlockingIOError:
            return
        if b"\n" in said or not said:
            self._close()
        if b"\n" in said:
            self._handle(Ready())

    def _told(self, notice: "Notice") -> None:
        """The process, or a descendant, said something by sd_notify."""
        if notice.main_pid not in (0, self._pid):
            self._replace(notice.main_pid)
        self._is_stopping |= notice.is_stopping
        before = self.status_text
        if notice.status is not None:
            self.status_text = notice.status
        elif notice.is_stopping or notice.is_reloading:
            self.status_text = STOPPING if notice.is_stopping else RELOADING
        elif notice.is_ready and self.status_text == RELOADING:
            self.status_text = b""
        if self.status_text != before:
            self._handle(Said())
        readiness = self._policy.readiness if self._policy else None
        if notice.extension:
            self._handle(Extended(notice.extension))
        if notice.is_ready and readiness and readiness.kind == NOTIFY:
            self._handle(Ready())
        if self._watchdog and notice.is_alive:
            self._watchdog.alive()
        elif self._watchdog and notice.is_sick:
            self._watchdog.trigger()
        if notice.is_stopping and self._state:
            self.follow(self._state)

    def _replace(self, pid: int) -> None:
        """Another process is the service's from now on. It has to be a child of ours that is nobody else's."""
        if not self._notices or pid in self._context.loop.children or not is_child(pid):
            report.warn(PROG, b"%b: MAINPID=%d is not a process that could be taken over" % (self._name, pid))
            return
        self._notices.forget(self._pid)
        self._notices.listen(pid, self._told)
        self._pid = pid
        self._handle(Replaced(pid))

    def end(self) -> None:
        """There is no process: ask about it no more."""
        if self._notices:
            self._notices.forget(self._pid)
            self._notices = None
        if self._watchdog:
            self._watchdog.close()
            self._watchdog = None
        if self._questions:
            self._questions.end()
        self.status_text = b""
        self._starts += 1
        self._is_stopping = False
        if self._fds.read >= 0 or self._fds.write >= 0:
            self._close()

    def _close(self) -> None:
        self._context.loop.remove_reader(self._fds.read)
        self._fds.close()
