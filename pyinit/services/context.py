"""What the supervisors of one process share, and how each of them tells its troubles."""

import posix
from time import monotonic, time_ns

from pyinit import report
from pyinit.system import files
from pyinit.system.descriptors import Storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.supervisor import Supervisor
    from pyinit.system.loop import Loop
    from pyinit.system.memory import OutOfMemory
    from pyinit.system.spawn import Spawner

PROG = b"supervise"
HEAR_PAUSE = 1.0
"""Seconds between two tries to take commands of a service for which there is no room."""

TOLD_AT_ONCE = 32
"""So many statuses are replaced in one turn after a crowd was started."""


class Complaints:
    """What one actor has said about a lasting trouble: each reason once, until it changes or is over."""

    __slots__ = ("_said", "repeats")

    def __init__(self, repeats: bool) -> None:
        self.repeats = repeats
        self._said = b""

    def is_new(self, text: bytes) -> bool:
        """Whether to say it: always where `repeats` is set, as the C programs do."""
        is_new = self.repeats or text != self._said
        self._said = text
        return is_new

    def clear(self) -> None:
        """The trouble is over."""
        self._said = b""


class FirstStatuses:
    """The first statuses of services that begin together: those that are alike are one file, until they are replaced.

    One more name for a file takes a third of the time that a file takes, and no memory. `began`, unix ns, is since when
    all of them are as they are.
    """

    __slots__ = ("_descriptors", "_made", "began")

    def __init__(self) -> None:
        self.began = time_ns()
        self._made: dict[bytes, int] = {}
        self._descriptors = -1

    def make(self, content: bytes, directory: int) -> None:
        """Make `supervise/status`. Raises OSError, FileExistsError where there is one."""
        made = self._made.get(content)
        try:
            if made is not None:  # by descriptor: its name may be another user's to change
                name = b"%d" % made
                return posix.link(name, b"supervise/status", src_dir_fd=self._descriptors, dst_dir_fd=directory)
            if self._descriptors < 0:
                self._descriptors = files.open_directory(b"/proc/self/fd")
        except OSError:  # another file system, or one without links; or the file has no name any more; or no /proc
            pass
        self._made[content] = files.create(b"supervise/status", content, directory)
        if made is not None:
            posix.close(made)
        return None

    def close(self) -> None:
        """Make no more."""
        files.close_all(self._descriptors, *self._made.values())
        self._descriptors = -1
        self._made.clear()


class Host:
    """What the supervisors of one process share.

    `place`: a directory for the state of services whose own can't be written; with one, services are also given what
    their `env/` and `secrets` say, and their name. Without, it is as the C program does it, which also says every
    failed start and not only each new reason (`repeats`). `storage`: where descriptors are put that are seldom used.
    """

    __slots__ = ("_first", "_has_started", "_untold", "loop", "memory", "place", "spawner", "storage")

    def __init__(self, loop: "Loop", spawner: "Spawner", place: "Callable[[], bytes | None] | None" = None) -> None:
        self.loop = loop
        self.spawner = spawner
        self.place = place
        self.storage = Storage()
        self.memory: OutOfMemory | None = None
        """With it, a service that the kernel killed for want of memory is told as such."""
        self._first: FirstStatuses | None = None
        self._untold: list[Supervisor] | None = None
        self._has_started = False

    @property
    def repeats(self) -> bool:
        """Whether every failure is said, and not only new ones."""
        return self.place is None

    def since(self) -> int:
        """Since when a service is as it is that is taken up now, unix ns."""
        return self._first.began if self._first else time_ns()

    def make_first_status(self, content: bytes, directory: int) -> None:
        """Make `supervise/status` where there is none. Raises OSError."""
        if self._first:
            self._first.make(content, directory)
        else:
            posix.close(files.create(b"supervise/status", content, directory))

    def started(self) -> None:
        """Let what was just started go first; in a crowd, when all of that is started."""
        if self._untold is None:
            self.loop.give_way()
        else:
            self._has_started = True

    def tell(self, supervisor: "Supervisor") -> None:
        """Have its status replaced: now, or when all that is to be started has been."""
        if self._untold is None:
            supervisor.announce()
        else:
            self._untold.append(supervisor)

    def start_crowd(self) -> None:
        """From here on nothing is told: what is to be started comes before what is told of it."""
        self._untold = self._untold or []
        self._has_started = False
        self._first = FirstStatuses()

    def crowd_started(self) -> None:
        """Let the last that was started go first; then tell of all that has changed, of a crowd's rest in the loop.

        It may still wait for this processor. Only that is waited for: the logging process comes behind all of this.
        """
        if self._first:
            self._first.close()
            self._first = None
        if self._has_started:
            posix.sched_yield()
        self._tell_some()

    @property
    def is_behind(self) -> bool:
        """Whether the status of a service that has been started is still to be replaced."""
        return self._untold is not None

    def _tell_some(self) -> None:
        """Of all that has changed, a turn's part: the logging process is not to wait for pipes until all is told."""
        untold = self._untold or []
        now, self._untold = untold[:TOLD_AT_ONCE], untold[TOLD_AT_ONCE:] or None
        for supervisor in now:
            self.loop.guard(supervisor.announce)
            self.loop.guard(self._let_hear, supervisor)
        if self._untold:
            self.loop.at(monotonic(), self._tell_some)

    def _let_hear(self, supervisor: "Supervisor", is_again: bool = False) -> None:
        """Have it take commands, which waits until all of a crowd are started; without room, try until there is."""
        try:
            supervisor.hear()
        except OSError as error:
            if not is_again:
                report.warn(PROG, b"unable to read %b/supervise/control" % supervisor.name, error)
            self.loop.at(monotonic() + HEAR_PAUSE, lambda: self._let_hear(supervisor, is_again=True))
