"""The main command beside the services: started once, forwarded to, never restarted; its end is the container's end."""

import posix

from pyinit.system.foreground import launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.loop import Loop


class Command:
    """`pid` is 0 before it starts and after it ended; `outcome` is then its exit code, or minus the signal's number.

    `to_group`: signals go to its whole process group. `has_session`: it leads a session and not just a group.
    """

    __slots__ = ("_argv", "_has_session", "_loop", "_prog", "_to_group", "name", "on_end", "outcome", "pid")

    def __init__(self, prog: bytes, loop: "Loop", argv: list[bytes], to_group: bool, has_session: bool) -> None:
        self.name = argv[0]
        self.pid = 0
        self.outcome: int | None = None
        self.on_end: Callable[[], None] | None = None
        self._prog = prog
        self._loop = loop
        self._argv = argv
        self._to_group = to_group
        self._has_session = has_session

    def start(self, prepare: "Callable[[], None]") -> None:
        """Start it; `prepare` runs in the child first. Raises OSError when it can't be forked."""
        self.pid = launch(self._prog, self._argv, self._has_session, prepare)
        self._loop.on_death(self.pid, self._died)

    def signal(self, number: int) -> None:
        """Send it a signal, while it runs."""
        if self.pid:
            try:
                posix.kill(-self.pid if self._to_group else self.pid, number)
            except OSError:  # its group may not exist yet: it leads it from its first moment on
                posix.kill(self.pid, number)

    def _died(self, status: int) -> None:
        self.pid = 0
        self.outcome = posix.waitstatus_to_exitcode(status)
        if self.on_end:
            self.on_end()
