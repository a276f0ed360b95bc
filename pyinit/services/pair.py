"""A service and its logger, joined by a pipe.

Both ends of the pipe stay open here, so that either side may end and be started again, and nothing in the pipe is lost.
To say goodbye the write end is closed once the service is gone: its logger then reads to the end and leaves by itself.
A logger that ends before that is started again, even while the rest is going down.
"""

import posix
import select

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.definition.reading import read_definition, read_log_as_svscan
from pyinit.services.life.moment import DONE, OPEN, RUNNING
from pyinit.services.life.readiness import LOG
from pyinit.services.plumbing import PipeFds, make_pipe, open_pipe
from pyinit.services.supervisor import Supervisor
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.spawn import redirection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from pyinit.services.context import Context
    from pyinit.services.definition.definition import Definition, LogDefinition
    from pyinit.services.life.policy import Policy
    from pyinit.services.life.readiness import Readiness
    from pyinit.system.spawn import Redirections

    Expect = Callable[[bytes, Policy], int]
    """From the name and the policy of a service to its gate."""

    class BuiltInLogger(Protocol):
        """What logs the services that bring no log/run."""

        def attach(
            self,
            name: bytes,
            log: LogDefinition | None,
            read_fd: int,
            drained: Callable[[], None],
            watched: bytes | None = None,
            found: Callable[[], None] | None = None,
        ) -> None:
            """Read the pipe, which stays the caller's; call `drained` at its end, `found` when a line is `watched`."""


DESCRIPTORS_EACH = 7
"""Of a service: its directory, `supervise/`, lock, `control` and `ok`, and the two ends of its pipe."""


class LoggingPolicy:
    """Who logs what. `built_in` is None where only a `log` directory makes a logger, as in daemontools.

    `captured`: the descriptors of run that go into the pipe. `stdin_fd`: a descriptor for run's input, -1 to inherit.
    `log_name`: what messages call the log directory of a service.
    """

    __slots__ = ("built_in", "captured", "log_name", "stdin_fd")

    def __init__(
        self,
        built_in: "BuiltInLogger | None",
        captured: tuple[int, ...],
        stdin_fd: int,
        log_name: "Callable[[bytes], bytes]",
    ) -> None:
        self.built_in = built_in
        self.captured = captured
        self.stdin_fd = stdin_fd
        self.log_name = log_name

    @classmethod
    def of_daemontools(cls) -> "LoggingPolicy":
        """As svscan does it: standard output into `log`, if there is one."""
        return cls(None, (1,), -1, lambda name: b"log")


class Pair:
    """One service, listed or not, with all that belongs to it. `listed`: whether the last scan saw it.

    `on_change` is called when a phase of the service or of its logger has changed, or something of the pair has left.
    """

    __slots__ = (
        "_attach",
        "_context",
        "_fds",
        "_former",
        "_just_read",
        "_policy",
        "_retiring",
        "listed",
        "log",
        "logged",
        "name",
        "on_change",
        "service",
    )

    def __init__(
        self, context: "Context", policy: LoggingPolicy, name: bytes, on_change: "Callable[[Pair], None]"
    ) -> None:
        self.name = name
        self.on_change = on_change
        self.listed = True
        self.service: Supervisor | None = None
        self.log: Supervisor | None = None
        self.logged = False
        """Whether it brings a logger of its own."""
        self._context = context
        self._policy = policy
        self._attach: Callable[[int, bytes | None, Callable[[], None] | None], None] | None = None
        """Has the built-in logger read a pipe; None where another one does."""
        self._fds = PipeFds()
        self._former: set[int] = set()
        """The read ends of the pipes of earlier starts that still have something in them."""
        self._just_read: tuple[int, Definition] | None = None
        """The service directory and what it says, from `open` to the first `start`."""
        self._retiring = False

    def open(self, parent_fd: int) -> None:
        """Decide, once, who logs the service, and make the pipe. Raises OSError and CannotOpen: that cannot be done."""
        if self._context.is_classical:
            self._make_pipe(read_log_as_svscan(self.name, parent_fd), None)
            return
        directory_fd = self._directory(self.name, self.name, parent_fd)
        try:
            definition = read_definition(directory_fd, self._context.has_settings)
            self._tell(definition)
            self._make_pipe(definition.log, definition.policy.readiness)
            self._just_read = directory_fd, definition
        finally:
            if not self._just_read:  # whatever it was, nothing of a pair that is not taken up stays open
                posix.close(directory_fd)
                self._fds.close()

    def _tell(self, definition: "Definition") -> None:
        for file, reason in definition.troubles:
            report.warn(PROG, b"unable to use %b/%b: %b" % (self.name, file, reason))

    def _make_pipe(self, log: "LogDefinition | None", readiness: "Readiness | None") -> None:
        built_in = self._policy.built_in
        self.logged = log is not None and log.brings_logger
        if self.logged or built_in:
            self._fds = make_pipe()
        if built_in and not self.logged:
            self._attach = lambda fd, watched, found: built_in.attach(
                self.name, log, fd, self._when_drained(fd), watched, found
            )
            self._attach(self._fds.read, b"" if readiness and readiness.kind == LOG else None, None)

    def _renew_pipe(self, watched: bytes, found: "Callable[[], None]") -> None:
        """Give the next start a pipe of its own; `found` is called when a line in it has the text `watched`.

        The write end keeps its number. What is in the former pipe is read to its end. Raises OSError.
        """
        read_fd, new_fd = open_pipe()
        self._former.add(self._fds.read)
        self._fds.read = read_fd
        if self._attach:
            self._attach(read_fd, watched, found)
        posix.dup2(new_fd, self._fds.write, False)
        posix.close(new_fd)

    def _when_drained(self, read_fd: int) -> "Callable[[], None]":
        def drained() -> None:
            if read_fd in self._former:
                self._former.discard(read_fd)
                posix.close(read_fd)
                self.on_change(self)
            else:
                self._drained()

        return drained

    def start(self, parent_fd: int, name: bytes, expect: "Expect | None" = None) -> None:
        """Take up what is not supervised now: the service, and its `log`. `name`: what the scan found it as.

        `expect` tells whether the service may start yet. Raises CannotOpen. The one that cannot be taken up does not
        keep the other from it.
        """
        if self.is_complete:
            return
        self.name = name  # it may have had another one when it was last opened
        try:
            if self.service is None:
                self._start_service(parent_fd, expect)
        finally:
            if self.logged and self.log is None:
                self._start_log(parent_fd)

    def _start_service(self, parent_fd: int, expect: "Expect | None") -> None:
        directory_fd, definition = self._just_read or self._read_again(parent_fd)
        self._just_read = None
        renew_log = self._renew_pipe if self._attach else None
        service = Supervisor(self._context, self.name, directory_fd, self._redirections(), renew_log)
        service.open(definition, expect(self.name, definition.policy) if expect and definition else OPEN)
        service.on_leave, service.on_change = self._service_left, self._changed
        self.service = service

    def _read_again(self, parent_fd: int) -> "tuple[int, Definition | None]":
        """The directory of a service that has left, and what it says; the C programs ask when they take it up."""
        directory_fd = self._directory(self.name, self.name, parent_fd)
        try:
            is_classical = self._context.is_classical
            return directory_fd, None if is_classical else read_definition(directory_fd, self._context.has_settings)
        except OSError as error:
            posix.close(directory_fd)
            raise CannotOpen(b"unable to stat %b/down" % self.name, error) from None

    def _start_log(self, parent_fd: int) -> None:
        name = self._policy.log_name(self.name)
        directory_fd = self._directory(self.name + b"/log", name, parent_fd)
        log = Supervisor(self._context, name, directory_fd, [redirection(self._fds.read, 0)])
        log.open()
        log.on_leave, log.on_change, log.on_exit = self._log_left, self._changed, self._log_exited
        self.log = log

    def _directory(self, path: bytes, name: bytes, parent_fd: int) -> int:
        try:
            return files.open_directory(path, parent_fd)
        except OSError as error:
            raise CannotOpen(b"unable to chdir to " + name, error) from None

    def _redirections(self) -> "Redirections":
        stdin_fd, write_fd = self._policy.stdin_fd, self._fds.write
        redirections = [redirection(stdin_fd, 0)] if stdin_fd >= 0 else []
        return redirections + [redirection(write_fd, there) for there in self._policy.captured if write_fd >= 0]

    @property
    def is_as_wanted(self) -> bool:
        """Whether the service is up and ready, or done, and a logger of its own is up, if they should be."""
        service, log = self.service, self.log
        if service is None or (service.is_wanted_up and service.state.phase not in (RUNNING, DONE)):
            return False
        return not self.logged or (log is not None and (log.pid != 0 or not log.is_wanted_up))

    @property
    def is_complete(self) -> bool:
        """Whether a supervisor has the service, and one has the logger that it brings."""
        return self.service is not None and (self.log is not None or not self.logged)

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left: no service, no logger, nothing undrained in its pipe."""
        return self.service is None and self.log is None and self._fds.read < 0 and not self._former

    def retire(self) -> None:
        """Bring both down for good: the service now (TERM, then CONT), its logger when it has read everything."""
        self._retiring = True
        if self.service:
            self.service.command(b"dx")
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the write end of the pipe. The logger, if one runs, now comes to the end of its input."""
        if self._fds.write < 0:
            return
        self._fds.close("write")
        if self.log is None:
            if self._attach is None:
                self._drained()
        elif self.log.pid == 0 and (not self.log.is_wanted_up or self._is_at_end()):
            self.log.command(b"dx")

    def _changed(self) -> None:
        self.on_change(self)

    def _service_left(self) -> None:
        self.service = None
        if self._retiring:
            self.hang_up()
        self.on_change(self)

    def _log_exited(self) -> None:
        """After the end of its input a logger is not started again."""
        if self.log and self._fds.write < 0 and self._is_at_end():
            self.log.command(b"x")

    def _log_left(self) -> None:
        self.log = None
        if self._fds.write < 0:
            self._drained()
        self.on_change(self)

    def _is_at_end(self) -> bool:
        """Whether the pipe is empty and has no writer any more."""
        poller = select.poll()
        poller.register(self._fds.read, select.POLLIN)
        return [events for _, events in poller.poll(0)] == [select.POLLHUP]

    def _drained(self) -> None:
        self._fds.close("read")
        self.on_change(self)
