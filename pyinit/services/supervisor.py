"""One service directory joined to its state machine. Source: supervise.c of daemontools 0.76.

All events of a service enter by `handle`, which arms its timer again and publishes its status once. A Supervisor lives
from `open` until it leaves (after `x`, or when shut down). Another one, here or in another program, may then take up
the directory: its lock is free. Its FIFOs have no reader then, and so svok and svstat know.
"""

import posix
from _signal import SIGKILL

from pyinit.formats import status
from pyinit.formats.control import ALPHABET, DOWN, NEITHER, UP
from pyinit.services.accounting import tell_out_of_memory, tell_step
from pyinit.services.definition.reading import read_as_supervise, read_definition
from pyinit.services.history import History
from pyinit.services.life.events import Allowed, Commanded, Exited, Finish, Opened, Signal, Start, Started, Waited
from pyinit.services.life.moment import BLOCKED, DONE, FAILED, FINISHING, LEFT, NEVER, OPEN, WAITING, State
from pyinit.services.life.state import AT_REST, step
from pyinit.services.publication import Publication
from pyinit.services.starter import Starter, refused
from pyinit.services.statedir import StateDir
from pyinit.services.trouble import CannotOpen
from pyinit.system.changes import FILES_CHANGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.context import Context, RenewLog
    from pyinit.services.definition.definition import Definition
    from pyinit.services.life.events import Event
    from pyinit.system.deadlines import Deadline
    from pyinit.system.spawn import Redirections

COMMANDS_AT_ONCE = 64
"""Control bytes read at once: a flooded FIFO must not keep the other services waiting."""

OPEN_PAUSE = 5.0
"""Seconds between two tries to open the proof of life."""

SHOWN = {FAILED: DOWN, DONE: NEITHER, FINISHING: UP, WAITING: UP, BLOCKED: UP}
"""What the status says is wanted in phases that daemontools has no word for, unless the service is wanted down."""


class Supervisor:
    """Keeps `run` of one directory as it is wanted. Messages call the directory `name`.

    `directory_fd` becomes this object's own. Each start gets the `redirections`; their descriptors stay the caller's.
    `renew_log` puts a new pipe behind them, and calls back when a line in it has a text. `on_exit` is called at each
    end of run, before anything follows from it. `on_change` is called when the phase has changed, or the pid where much
    is told; `on_leave` once, when everything is closed.
    """

    __slots__ = (
        "_context",
        "_publication",
        "_starter",
        "_timer",
        "_watch_fd",
        "history",
        "is_content_changed",
        "name",
        "on_change",
        "on_exit",
        "on_leave",
        "state",
        "statedir",
    )

    def __init__(
        self,
        context: "Context",
        name: bytes,
        directory_fd: int,
        redirections: "Redirections" = (),
        renew_log: "RenewLog | None" = None,
    ) -> None:
        self.name = name
        self.state = State(DOWN, 0)
        self.history = History()
        self.on_exit: Callable[[], None] | None = None
        self.on_change: Callable[[], None] | None = None
        self.on_leave: Callable[[], None] | None = None
        self._context = context
        self.statedir = StateDir(name, directory_fd)
        self._starter = Starter(context, name, self.statedir, redirections, self.handle, renew_log)
        self._timer: Deadline | None = None
        self._watch_fd = -1
        self.is_content_changed = False
        """Whether a file of a refused directory has changed since it was read."""
        self._publication = Publication(context, name, self.statedir)

    @property
    def pid(self) -> int:
        """The pid of run, 0 when it is down."""
        return self.state.pid

    @property
    def status_text(self) -> bytes:
        """What the process says of itself by sd_notify; else how many runs of a timer were left out; else empty."""
        said = self._starter.inquiry.status_text if self._starter.inquiry else b""
        return said or (b"%d runs skipped" % self.state.skipped if self.state.skipped else b"")

    @property
    def is_wanted_up(self) -> bool:
        """Whether run is to be kept running."""
        return self.state.is_wanted

    @property
    def is_deleted(self) -> bool:
        """Whether the directory has been removed: nobody can command the service any more."""
        return self.statedir.is_deleted

    def open(self, definition: "Definition | None" = None, gate: int = OPEN) -> None:
        """Lock the directory, make its FIFOs, start run if it is wanted up. Raises CannotOpen, owning nothing then.

        `definition`: what the directory says, if the caller has just read it. `gate`: whether run may start yet.
        """
        try:
            self._open(definition, gate)
        except CannotOpen:
            self._close()
            raise

    def _open(self, definition: "Definition | None", gate: int) -> None:
        statedir, context = self.statedir, self._context
        try:
            definition = definition or self.define()
        except OSError as error:
            raise CannotOpen(b"unable to stat %b/down" % self.name, error) from None
        statedir.acquire(context.runtime)
        statedir.open_control()
        try:
            context.loop.add_reader(statedir.fds.control, self._read_control)
        except OSError as error:  # a regular file, which can always be read
            raise CannotOpen(b"unable to read %b/supervise/control" % self.name, error) from None
        self.state = State(DOWN if definition.is_down else UP, context.loop.kernel.unix())
        self.state.gate = gate
        self._take(definition)
        if context.is_classical and not self._publication.content:  # the C program tries twice, and says so twice
            self.handle(Opened())  # only the status follows from it now
        self._open_ok()

    def _open_ok(self) -> None:
        """Open the proof of life. Run may be up: failing must not end the supervision, and is tried again."""
        if self.state.phase == LEFT:
            return
        try:
            self.statedir.open_ok()
        except CannotOpen as trouble:
            if self._context.is_classical:
                raise
            self._starter.say(b"warning: " + trouble.message, trouble.error)
            loop = self._context.loop
            loop.call_at(loop.kernel.monotonic() + OPEN_PAUSE, self._open_ok)

    def define(self) -> "Definition":
        """What the directory says now. Raises OSError."""
        context, directory_fd = self._context, self.statedir.fds.directory
        if context.is_classical:
            return read_as_supervise(directory_fd)
        return read_definition(directory_fd, context.has_settings)

    def redefine(self, definition: "Definition", gate: int) -> None:
        """The directory was read again: take up a repair, or bad content, of a service that does not run."""
        if self.state.is_refused or (definition.refusal and self.state.phase in AT_REST):
            self.handle(Allowed(gate))
            self._take(definition)

    def _take(self, definition: "Definition") -> None:
        """Begin with what the directory says. Bad content is looked at again whenever a file in it changes."""
        self._starter.definition = None if definition.refusal else definition
        self._watch(bool(definition.refusal))
        self.handle(refused(definition) if definition.refusal else Opened(definition.policy))

    def _watch(self, is_wanted: bool) -> None:
        """Watch the directory for a repair, or do so no more. Where that cannot be had a HUP does it."""
        loop = self._context.loop
        if is_wanted and self._watch_fd < 0:
            try:
                self._watch_fd = loop.watch_directory(self.statedir.fds.directory, self._content_changed, FILES_CHANGE)
            except OSError:
                pass
        elif not is_wanted and self._watch_fd >= 0:
            loop.unwatch_directory(self._watch_fd)
            self._watch_fd = -1

    def _content_changed(self) -> None:
        self.is_content_changed = True
        if self.on_change:
            self.on_change()

    def handle(self, event: "Event") -> None:  # noqa: C901, PLR0912 - one flow; a call more is one after each death
        """The one way in: take the event, do what follows from it, publish the status, tell of it."""
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
                        pending = self._starter.start(before.phase in AT_REST)
                        self.history.starts += type(pending) is Started
                    case Signal():
                        self.signal(action.number, action.to_group)
                    case Finish():
                        pending = self._starter.finish(action.outcome, before.pid, self.state.policy)
        state = self.state
        if state.pid != before.pid and state.pid:
            self._context.loop.children[state.pid] = self._exited
            self._context.loop.children.pop(before.pid, None)  # a former process, whose end is no exit
        want = SHOWN.get(state.phase, state.want) if state.want != DOWN else DOWN
        content = status.pack(state.pid, state.is_paused, want, state.since)
        if content != self._publication.content or self._publication.retry:
            self._publication.publish(content)
        if state.wake != NEVER:
            self._timer = self._context.loop.call_at(state.wake, self._wake)
        if self._starter.inquiry or state.policy.timer:
            self._context.loop.guard(self._starter.inquire().follow, state, owner=self.name)
        if state.phase == LEFT != before.phase:
            self._leave()
        if self._context.on_step and state is not before:
            self._context.on_step(self, before)
        if (state.phase, state.pid, state.kills) != (before.phase, before.pid, before.kills):
            self._context.loop.guard(self._tell, before, owner=self.name)

    def _tell(self, before: "State") -> None:
        """Say what has happened, if that is worth a line; then tell who follows the service."""
        context, state = self._context, self.state
        tell_step(context, self.name, before, state)
        if self.on_change and (state.phase != before.phase or (context.is_verbose and state.pid != before.pid)):
            self.on_change()

    def command(self, letters: bytes) -> None:
        """Obey letters as if they had been read from `supervise/control`. The C programs know fewer of them."""
        for letter in letters:
            if letter in ALPHABET or not self._context.is_classical:
                self.handle(Commanded(letter))

    def signal(self, number: int, to_group: bool = False) -> None:
        """Send run a signal, or its whole process group. Trouble is said."""
        state, finishing = self.state, self._starter.finishing
        if finishing and (state.is_asked or state.is_ending):
            finishing.ending(state.pid, number)
        try:
            self._context.loop.kernel.kill(-state.pid if to_group else state.pid, number)
        except ProcessLookupError:  # the process has ended, and the event is still to come
            if to_group:  # or it leads no group, as it took the place of the process that does
                self.signal(number)
        except OSError as error:
            self._starter.say(b"warning: unable to signal " + self.name, error)

    def _exited(self, outcome: int) -> None:
        """The process has ended and was reaped."""
        is_oom = outcome == -SIGKILL and tell_out_of_memory(self._context, self.name, self.pid)
        try:
            if self._starter.inquiry:
                self._starter.inquiry.end()
            if self.on_exit:
                self.on_exit()
        finally:
            self.handle(Exited(outcome))
            self.history.add(outcome, is_oom)

    def _wake(self) -> None:
        self._timer = None
        self.handle(Waited())

    def _read_control(self) -> None:
        """Obey what is in the FIFO. The rest of a flood is still ready in the next turn."""
        try:
            letters = posix.read(self.statedir.fds.control, COMMANDS_AT_ONCE)
        except BlockingIOError:
            return
        for letter in letters:
            if letter in ALPHABET or not self._context.is_classical:
                self.handle(Commanded(letter))

    def _leave(self) -> None:
        try:
            self._close()
        finally:
            if self.on_leave:
                self.on_leave()

    def _close(self) -> None:
        self._publication.cancel()
        self._watch(False)
        if self.statedir.fds.control >= 0:
            self._context.loop.remove_reader(self.statedir.fds.control)
        self.statedir.close()
