"""What the supervisors of one process share. Data only."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from pyinit.services.census import Searches
    from pyinit.services.checker.wording import Order
    from pyinit.services.life.account import Accounts
    from pyinit.services.life.moment import State
    from pyinit.services.notices import NotifySocket
    from pyinit.services.runtime import RuntimeDirectory
    from pyinit.system.loop import Loop
    from pyinit.system.memory import OutOfMemory
    from pyinit.system.spawn import Spawner

    RenewLog = Callable[[bytes, Callable[[], None]], None]
    """Begins a new pipe to the log of a service. The second is called when a line in it has the first."""

    class Asking(Protocol):
        """Who asks questions again and again: the checker. `pid` is that of its process, or 0."""

        pid: int

        def ask(self, order: Order) -> int:
            """Have a question asked; its number."""

        def drop(self, number: int) -> None:
            """Ask it no more."""

        def close(self) -> None:
            """Ask nothing any more."""


PROG = b"supervise"
"""Whose messages a supervisor's are."""


class Context:
    """`runtime`: where the state of services lives if their own directories cannot be written.

    With a runtime directory a service directory may also say what pyinit alone understands. Without one
    (`is_classical`) all is as in the C programs, which also say every failed start and not only each new reason.
    `tells`: what happens to services is told, by `accounts` from the first time on. `has_settings`: the files that say
    something of a service's life count, too. `is_verbose`: a restart is a change to be told of. `end_by`: when
    everything has to be down, monotonic s, as soon as that is known. `memory`: with it, a service that the kernel
    killed for want of memory is reported as such. `notices`: the socket of sd_notify, once a service asked for it, and
    `checker` the same. `searches`: looks for what services left behind, once one of them asked for that.

    `on_step`: called with each supervisor that goes on to another state, and the state before. `strays_killed`: how
    many processes that services left behind were killed.
    """

    __slots__ = (
        "accounts",
        "checker",
        "end_by",
        "has_settings",
        "is_classical",
        "is_verbose",
        "loop",
        "memory",
        "notices",
        "on_step",
        "runtime",
        "searches",
        "spawner",
        "strays_killed",
        "tells",
    )

    def __init__(self, loop: "Loop", spawner: "Spawner", runtime: "RuntimeDirectory | None" = None) -> None:
        self.loop = loop
        self.spawner = spawner
        self.runtime = runtime
        self.is_classical = runtime is None
        self.has_settings = True
        self.is_verbose = False
        self.tells = False
        self.accounts: Accounts | None = None
        self.end_by = float("inf")
        self.memory: OutOfMemory | None = None
        self.searches: Searches | None = None
        self.notices: NotifySocket | None = None
        self.checker: Asking | None = None
        self.on_step: Callable[[object, State], None] | None = None
        self.strays_killed = 0
