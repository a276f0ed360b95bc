"""One service directory joined to its state machine.

All events of a service come in by `handle`, which arms its timer again. A Supervisor lives from `open` until it leaves
(after `x`, or when shut down); the directory may then be taken up by another one, here or in another program: its lock
is free and its FIFOs have no reader, which is how svok and svstat know. Source: supervise.c of daemontools 0.76.
"""

import posix
from _signal import SIGKILL
from time import monotonic, time_ns

from pyinit import report
from pyinit.formats import status
from pyinit.formats.control import DOWN, UP
from pyinit.services.context import PROG, Complaints, Host
from pyinit.services.definition.variables import CannotRead, changes
from pyinit.services.life import state
from pyinit.services.statedir import CannotReplace, is_down, make_state, open_fifo, open_ok, replace_status
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.descriptors import NO_STREAMS, Descriptors, Streams, read_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.loop import Deadline

COMMANDS_AT_ONCE = 64
"""A flooded FIFO does not keep the other services waiting; what may be left is read in the next turn."""


class Supervisor:
    """Keeps `run` of one directory as it is wanted. `name` is what messages call the directory.

    `directory` is a descriptor that becomes this object's own. `streams` go to each start, and stay the caller's.
    `on_leave` is called once, when everything is closed; `on_death` at each death of run, before what follows from it.
    """

    __slots__ = (
        "_complaints",
        "_host",
        "_kept",
        "_ok",
        "_ring",
        "_state",
        "_streams",
        "_timer",
        "_told",
        "name",
        "on_death",
        "on_leave",
    )

    def __init__(self, host: Host, name: bytes, directory: int, streams: Streams = NO_STREAMS) -> None:
        self.name = name
        self.on_leave: Callable[[], None] | None = None
        self.on_death: Callable[[], None] | None = None
        self._host = host
        self._kept = Descriptors(directory)
        self._streams = streams
        self._ring = self._ok = -1
        self._timer: Deadline | None = None
        self._told = b""
        self._complaints = Complaints(host.repeats)
        self._state: state.State

    @property
    def pid(self) -> int:
        """The pid of run, 0 when it is down."""
        return self._state.pid

    @property
    def wanted_up(self) -> bool:
        """Whether run is to be kept running."""
        return self._state.want == UP and not self._state.quitting

    @property
    def is_deleted(self) -> bool:
        """Whether the directory has been removed: nobody can command the service any more."""
        with self._kept as (directory, *_):
            return posix.fstat(directory).st_nlink == 0

    def take_out(self) -> None:
        """Have the descriptors at hand that were put away. Raises OSError where there is no room."""
        self._kept.take_out()

    def open(self) -> None:
        """Lock the directory, make its FIFOs, start run if it is wanted up. Raises CannotOpen, owning nothing then."""
        try:
            self._open()
        except CannotOpen:
            self._close()
            raise

    def _open(self) -> None:
        with self._kept as (directory,):
            try:
                want = DOWN if is_down(directory) else UP
            except OSError as error:
                raise CannotOpen(b"unable to stat %b/down" % self.name, error) from None
            try:
                is_new = make_state(directory)
            except OSError as error:
                raise CannotOpen(b"unable to readlink ./supervise: %b" % self.name, error) from None
            try:
                is_new = self._acquire(directory) or is_new
            except OSError as error:
                raise CannotOpen(b"unable to acquire %b/supervise/lock" % self.name, error) from None
        with self._kept as held:  # for both: its own writer keeps it from ever reaching an end
            control = open_fifo(b"supervise/control", held[-2], posix.O_RDWR, b"write", self.name)
            self._kept = Descriptors(*held, control)
        if not (is_new and self._host.is_behind):  # else it is a FIFO for sure, and can wait for the other starts
            try:
                self.hear()
            except OSError as error:  # a file, which can always be read
                raise CannotOpen(b"unable to read %b/supervise/control" % self.name, error) from None
        self._state = state.State(want, self._host.since())
        self._be_found(is_new)
        self.handle(state.Opened())
        self._kept.store(self._host.storage)

    def _acquire(self, directory: int) -> bool:
        """Lock the state; where the directory can't be written, make it in the host's place, and say so if it is new.

        Raises OSError.
        """
        try:
            self._kept = Descriptors(directory, files.lock(b"supervise/lock", directory))
            return False
        except OSError as error:
            from errno import EACCES, EDQUOT, ENOENT, ENOSPC, EPERM, EROFS  # ENOENT: `supervise/` could not be made

            is_unwritable = error.errno in (EACCES, EROFS, EPERM, ENOENT, ENOSPC, EDQUOT)
            if not is_unwritable or not self._host.place or not (place := self._host.place()):
                raise
        from pyinit.services.runtime import enter

        there = enter(place, self.name)
        self._kept = Descriptors(directory, there)
        is_new = make_state(there)
        self._kept = Descriptors(directory, there, files.lock(b"supervise/lock", there))
        return is_new

    def _be_found(self, is_new: bool) -> None:
        """Make the first status, in a new directory at once, and then `ok`: who finds that open can read a status."""
        try:
            if is_new:
                with self._kept as (*_, place, _, _):
                    self._host.make_first_status(first := self._status(), place)
                self._told = first
        except OSError:  # what is wrong is said
            pass
        self.announce()
        with self._kept as (*_, place, _, _):
            self._ok = open_ok(place, self.name)

    def handle(self, event: "state.Event") -> None:
        """The one way in: take the event, act on what follows from it."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._state, actions = state.step(self._state, event, state.Now(monotonic(), time_ns()))
        for action in actions:
            self._act(action)

    def _act(self, action: "state.Action") -> None:
        match action:
            case state.Start():
                self.handle(self._start())
            case state.Signal(number):
                self.signal(number)
            case state.Announce():
                self._host.tell(self)
            case state.Wait(until):
                self._timer = self._host.loop.at(until, self._wake)
            case state.Leave():
                self.announce()  # what was to be told later
                try:
                    self._close()
                finally:
                    if self.on_leave:
                        self.on_leave()

    def command(self, letters: bytes) -> None:
        """Obey letters as if they had been read from `supervise/control`."""
        for letter in letters:
            self.handle(state.Commanded(letter))

    def _start(self) -> "state.Started | state.NotStarted":
        host = self._host
        try:
            with self._kept as (directory, *_), self._streams as streams:
                additions = changes(directory, self.name, host.spawner.environment) if host.place else {}
                pid = host.spawner.start([b"./run"], directory, streams, additions)
        except CannotRead as trouble:
            self._say(b"fatal: unable to start %b/run: %b" % (self.name, trouble.message), trouble.error)
            return state.NotStarted()
        except OSError as error:
            self._complain(error)
            return state.NotStarted()
        self._complaints.clear()
        self._host.loop.on_death(pid, self._died)
        self._host.started()
        return state.Started(pid)

    def _complain(self, error: OSError) -> None:
        from errno import EAGAIN, ENOMEM

        if error.errno in (EAGAIN, ENOMEM):
            return self._say(b"warning: unable to fork for %b, trying again in a second" % self.name, error)
        return self._say(b"fatal: unable to start %b/run" % self.name, error, self._diagnosis(error))

    def _diagnosis(self, error: OSError) -> bytes:
        """What is wrong with `run` beyond the error, which the C program does not tell."""
        if self._host.repeats:
            return b""
        try:
            from pyinit.services.definition.doctor import of_program
        except (OSError, ImportError):  # it takes a descriptor, and there may be none
            return b""
        with self._kept as (directory, *_):
            findings = of_program(b"run", directory, self._host.spawner.environment.get(b"PATH"))
        return b"; ".join(finding for finding in findings if finding != b"run: " + report.reason(error))

    def _say(self, text: bytes, error: OSError, detail: bytes = b"") -> None:
        text += b": " + report.reason(error) + (b": " + detail if detail else b"")
        if self._complaints.is_new(text):
            report.say(PROG, text)

    def signal(self, number: int) -> None:
        """Send run a signal. Trouble is said."""
        try:
            posix.kill(self._state.pid, number)
        except ProcessLookupError:  # a command read between the death and its event
            pass
        except OSError as error:
            self._say(b"warning: unable to signal " + self.name, error)

    def _died(self, outcome: int) -> None:
        """What else a death calls for, and in any case the death itself."""
        try:
            if self._ring < 0:  # of a crowd, and not listened to yet: what run said comes before its death
                self._read_control()
            if outcome == -SIGKILL:
                self._tell_out_of_memory()
            if self.on_death:
                self.on_death()
        finally:
            self.handle(state.Died())

    def _tell_out_of_memory(self) -> None:
        if self._host.memory and self._host.memory.has_struck():
            report.say(PROG, b"warning: %b (pid %d) was killed: the container is out of memory" % (self.name, self.pid))

    def _wake(self) -> None:
        self._timer = None
        self.handle(state.Waited())

    def hear(self) -> None:
        """Take commands from here on, those first that were given before. Raises OSError without room for that."""
        if self._ring < 0 and self._kept:
            with self._kept as (*_, control):
                self._ring = self._host.loop.on_ring(control, self._read_control)

    def _read_control(self) -> None:
        if not self._kept:
            return
        with self._kept as (*_, control):
            letters = read_now(control, COMMANDS_AT_ONCE)
        if len(letters) == COMMANDS_AT_ONCE:
            self._host.loop.at(monotonic(), self._read_control)
        self.command(letters)

    def _status(self) -> bytes:
        return status.pack(self._state.pid, self._state.paused, self._state.want, self._state.since)

    def announce(self) -> None:
        """Replace the status if it is another. Trouble is said, unless nobody is left to read it, and the old stays."""
        content = self._status()
        if content == self._told or not self._kept:
            return
        try:
            with self._kept as (*_, place, _, _):
                replace_status(place, content)
            self._told = content
            return
        except CannotReplace as cannot:
            trouble = cannot
        except OSError as error:
            trouble = CannotReplace(b"open", b"", error)
        if not self.is_deleted:
            message = b"unable to %b %b/supervise/status.new%b" % (trouble.verb, self.name, trouble.ending)
            report.warn(PROG, message, trouble.error)

    def _close(self) -> None:
        if self._ring >= 0:
            self._host.loop.unring(self._ring)
        files.close_all(self._ok)
        self._ok = self._ring = -1
        self._kept.close()
