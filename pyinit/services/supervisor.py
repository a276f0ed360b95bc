"""One service directory joined to its state machine. Source: supervise.c of daemontools 0.76.

All events of a service enter by `handle`, which arms its timer again and publishes its status once. A Supervisor lives
from `open` until it leaves (after `x`, or when shut down). Another one, here or in another program, may then take up
the directory: its lock is free. Its FIFOs have no reader then, and so svok and svstat know.
"""

import posix
from _signal import SIGKILL
from errno import EAGAIN, ENOMEM

from pyinit import report
from pyinit.formats import status
from pyinit.formats.control import DOWN, UP
from pyinit.services.context import PROG
from pyinit.services.definition.reading import read_as_supervise, read_definition
from pyinit.services.life.state import (
    BACKOFF,
    LEFT,
    Commanded,
    Exited,
    NotStarted,
    Opened,
    Signal,
    Start,
    Started,
    State,
    Waited,
    step,
)
from pyinit.services.publication import Publication
from pyinit.services.statedir import StateDir
from pyinit.services.trouble import CannotOpen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.context import Context
    from pyinit.services.definition.definition import Definition
    from pyinit.services.life.state import Event
    from pyinit.system.deadlines import Deadline
    from pyinit.system.spawn import Redirections

COMMANDS_AT_ONCE = 64
"""Control bytes read at once: a flooded FIFO must not keep the other services waiting."""

OPEN_PAUSE = 5.0
"""Seconds between two tries to open the proof of life."""

UNSTARTABLE = (OSError, ValueError, MemoryError, ImportError)
"""Errors of a start. Whatever goes wrong, the start has failed and is tried again."""


class Supervisor:
    """Keeps `run` of one directory as it is wanted. Messages call the directory `name`.

    `directory_fd` becomes this object's own. Each start gets the `redirections`; their descriptors stay the caller's.
    `on_exit` is called at each end of run, before anything follows from it. `on_change` is called when the phase has
    changed, or the pid where much is told; `on_leave` once, when everything is closed.
    """

    __slots__ = (
        "_context",
        "_definition",
        "_publication",
        "_redirections",
        "_said",
        "_statedir",
        "_timer",
        "name",
        "on_change",
        "on_exit",
        "on_leave",
        "state",
    )

    def __init__(self, context: "Context", name: bytes, directory_fd: int, redirections: "Redirections" = ()) -> None:
        self.name = name
        self.state = State(DOWN, 0)
        self.on_exit: Callable[[], None] | None = None
        self.on_change: Callable[[], None] | None = None
        self.on_leave: Callable[[], None] | None = None
        self._context = context
        self._statedir = StateDir(name, directory_fd)
        self._redirections = redirections
        self._definition: Definition | None = None
        self._timer: Deadline | None = None
        self._publication = Publication(context, name, self._statedir)
        self._said = b""
        """The trouble that was told last, until a start succeeds."""

    @property
    def pid(self) -> int:
        """The pid of run, 0 when it is down."""
        return self.state.pid

    @property
    def is_wanted_up(self) -> bool:
        """Whether run is to be kept running."""
        return self.state.want == UP and not self.state.is_leaving

    @property
    def is_deleted(self) -> bool:
        """Whether the directory has been removed: nobody can command the service any more."""
        return self._statedir.is_deleted

    def open(self, definition: "Definition | None" = None) -> None:
        """Lock the directory, make its FIFOs, start run if it is wanted up. Raises CannotOpen, owning nothing then.

        `definition`: what the directory says, if the caller has just read it.
        """
        try:
            self._open(definition)
        except CannotOpen:
            self._close()
            raise

    def _open(self, definition: "Definition | None") -> None:
        statedir, context = self._statedir, self._context
        try:
            self._definition = definition or self._define()
        except OSError as error:
            raise CannotOpen(b"unable to stat %b/down" % self.name, error) from None
        statedir.acquire(context.runtime)
        statedir.open_control()
        try:
            context.loop.add_reader(statedir.fds.control, self._read_control)
        except OSError as error:  # a regular file, which can always be read
            raise CannotOpen(b"unable to read %b/supervise/control" % self.name, error) from None
        self.state = State(DOWN if self._definition.is_down else UP, context.loop.kernel.unix())
        self.handle(Opened())
        if context.is_classical and not self._publication.content:  # the C program tries twice, and says so twice
            self.handle(Opened())  # only the status follows from it now
        self._open_ok()

    def _open_ok(self) -> None:
        """Open the proof of life. Run may be up: failing must not end the supervision, and is tried again."""
        if self.state.phase == LEFT:
            return
        try:
            self._statedir.open_ok()
        except CannotOpen as trouble:
            if self._context.is_classical:
                raise
            self._say(b"warning: " + trouble.message, trouble.error)
            loop = self._context.loop
            loop.call_at(loop.kernel.monotonic() + OPEN_PAUSE, self._open_ok)

    def _define(self) -> "Definition":
        context, directory_fd = self._context, self._statedir.fds.directory
        if context.is_classical:
            return read_as_supervise(directory_fd)
        return read_definition(directory_fd, context.has_settings)

    def handle(self, event: "Event") -> None:
        """The one way in: take the event, do what follows from it, publish the status, tell of a new phase."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        before, kernel = self.state, self._context.loop.kernel
        pending: Event | None = event
        while pending:
            self.state, actions = step(self.state, pending, (kernel.monotonic(), kernel.unix()))
            pending = None
            for action in actions:
                match action:
                    case Start():
                        pending = self._start()
                    case Signal():
                        self.signal(action.number)
        state = self.state
        content = status.pack(state.pid, state.is_paused, state.want, state.since)
        if content != self._publication.content or self._publication.retry:
            self._publication.publish(content)
        if state.phase == BACKOFF:
            self._timer = self._context.loop.call_at(state.start_at, self._wake)
        elif state.phase == LEFT != before.phase:
            self._leave()
        is_told = state.phase != before.phase or (self._context.is_verbose and state.pid != before.pid)
        if self.on_change and is_told:
            self.on_change()

    def command(self, letters: bytes) -> None:
        """Obey letters as if they had been read from `supervise/control`."""
        for letter in letters:
            self.handle(Commanded(letter))

    def _start(self) -> "Started | NotStarted":
        context, directory_fd = self._context, self._statedir.fds.directory
        definition, self._definition = self._definition, None
        try:
            changes: dict[bytes, bytes | None] = {}
            if not context.is_classical:
                changes[b"SERVICE_NAME"] = self.name
                definition = definition or read_definition(directory_fd, context.has_settings)
                if definition.has_env or definition.has_secrets:
                    self._add_variables(definition, changes)
            pid = context.spawner.start([b"./run"], directory_fd, self._redirections, changes)
        except CannotOpen as trouble:
            self._say(b"fatal: unable to start %b/run: %b" % (self.name, trouble.message), trouble.error)
            return NotStarted()
        except UNSTARTABLE as error:
            self._complain(error)
            return NotStarted()
        self._said = b""
        context.loop.children[pid] = self._exited
        return Started(pid)

    def _add_variables(self, definition: "Definition", changes: "dict[bytes, bytes | None]") -> None:
        """What the directory adds to the environment; that module is loaded where there is something to add."""
        from pyinit.services.definition.variables import read_variables

        read_variables(definition, self._statedir.fds.directory, self._context.spawner.environment, changes)

    def _complain(self, error: Exception) -> None:
        if not isinstance(error, OSError):
            self._say(b"fatal: unable to start %b/run: %b" % (self.name, repr(error).encode(errors="replace")), None)
        elif error.errno in (EAGAIN, ENOMEM):
            self._say(b"warning: unable to fork for %b, trying again in a second" % self.name, error)
        else:
            self._say(b"fatal: unable to start %b/run" % self.name, error, self._diagnosis(error))

    def _diagnosis(self, error: OSError) -> bytes:
        """What is wrong with `run` beyond the error. The C program does not tell."""
        if self._context.is_classical:
            return b""
        try:
            from pyinit.services.definition.programs import of_program
        except (OSError, ImportError):  # the import takes a descriptor, and there may be none
            return b""
        findings = of_program(b"run", self._statedir.fds.directory, self._context.spawner.environment.get(b"PATH"))
        return b"; ".join(finding.said for finding in findings if finding.text != report.reason(error))

    def _say(self, text: bytes, error: OSError | None, detail: bytes = b"") -> None:
        text += (b": " + report.reason(error) if error else b"") + (b": " + detail if detail else b"")
        if text != self._said or self._context.is_classical:
            report.say(PROG, text)
        self._said = text

    def signal(self, number: int) -> None:
        """Send run a signal. Trouble is said."""
        try:
            self._context.loop.kernel.kill(self.state.pid, number)
        except ProcessLookupError:  # the process has ended, and the event is still to come
            pass
        except OSError as error:
            self._say(b"warning: unable to signal " + self.name, error)

    def _exited(self, outcome: int) -> None:
        """The process has ended and was reaped."""
        try:
            if outcome == -SIGKILL:
                self._tell_out_of_memory()
            if self.on_exit:
                self.on_exit()
        finally:
            self.handle(Exited(outcome))

    def _tell_out_of_memory(self) -> None:
        memory = self._context.memory
        if memory and memory.has_struck():
            report.say(PROG, b"warning: %b (pid %d) was killed: the container is out of memory" % (self.name, self.pid))

    def _wake(self) -> None:
        self._timer = None
        self.handle(Waited())

    def _read_control(self) -> None:
        """Obey what is in the FIFO. The rest of a flood is still ready in the next turn."""
        try:
            letters = posix.read(self._statedir.fds.control, COMMANDS_AT_ONCE)
        except BlockingIOError:
            return
        for letter in letters:
            self.handle(Commanded(letter))

    def _leave(self) -> None:
        try:
            self._close()
        finally:
            if self.on_leave:
                self.on_leave()

    def _close(self) -> None:
        self._publication.cancel()
        if self._statedir.fds.control >= 0:
            self._context.loop.remove_reader(self._statedir.fds.control)
        self._statedir.close()
