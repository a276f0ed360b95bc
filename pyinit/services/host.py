"""What the supervisors of one process share, and how each of them tells its troubles."""

from time import monotonic

from pyinit.system.descriptors import Storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.supervisor import Supervisor
    from pyinit.system.loop import Loop
    from pyinit.system.memory import OutOfMemory
    from pyinit.system.spawn import Spawner


class CannotOpen(Exception):
    """A directory cannot be taken up: `message` is supervise's text for it, `error` the OSError behind it."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message)
        self.message = message
        self.error = error


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


class Host:
    """What the supervisors of one process share.

    `place`: a directory for the state of services whose own can't be written; with one, services are also given what
    their `env/` and `secrets` say, and their name. Without, it is as the C program does it, which also says every
    failed start and not only each new reason (`repeats`). `storage`: where descriptors are put that are seldom used.
    """

    __slots__ = ("_has_started", "_untold", "loop", "memory", "place", "spawner", "storage")

    def __init__(self, loop: "Loop", spawner: "Spawner", place: "Callable[[], bytes | None] | None" = None) -> None:
        self.loop = loop
        self.spawner = spawner
        self.place = place
        self.storage = Storage()
        self.memory: OutOfMemory | None = None
        """With it, a service that the kernel killed for want of memory is told as such."""
        self._untold: list[Supervisor] | None = None
        self._has_started = False

    @property
    def repeats(self) -> bool:
        """Whether every failure is said, and not only new ones."""
        return self.place is None

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

    def crowd_started(self) -> None:
        """Let those that were started go first, and in the loop tell of all that has changed."""
        if self._has_started:
            self._has_started = False
            self.loop.give_way()
        self.loop.at(monotonic(), self._tell_all)

    def _tell_all(self) -> None:
        untold, self._untold = self._untold or (), None
        for supervisor in untold:
            self.loop.guard(supervisor.announce)
