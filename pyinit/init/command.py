"""The main command beside the services: started once, forwarded to, never restarted; its end is the container's end."""

import posix
from _signal import SIGTERM

from pyinit import report
from pyinit.system.spawn import SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.loop import Loop
    from pyinit.system.spawn import Spawner


class Command:
    """`pid` is 0 before it starts and after it ended; `outcome` is then its exit code, or minus the signal's number.

    `to_group`: signals go to its whole process group. `leads`: what it leads; what is left of a session when it
    ends gets TERM, as under dumb-init. `not_run`: see `launch`.
    `spawner`: what knows the limits that the container was given.
    """

    __slots__ = (
        "_argv",
        "_leads",
        "_loop",
        "_not_run",
        "_spawner",
        "_to_group",
        "name",
        "on_end",
        "outcome",
        "pid",
    )

    def __init__(
        self,
        loop: "Loop",
        spawner: "Spawner",
        argv: list[bytes],
        to_group: bool,
        leads: int,
        not_run: tuple[int, int, int],
    ) -> None:
        self.name = argv[0]
        self.pid = 0
        self.outcome: int | None = None
        self.on_end: Callable[[], None] | None = None
        self._loop = loop
        self._spawner = spawner
        self._argv = argv
        self._to_group = to_group
        self._leads = leads
        self._not_run = not_run

    @property
    def is_waiting(self) -> bool:
        """Whether it has not been started yet."""
        return self.pid == 0 and self.outcome is None

    def start(self) -> None:
        """Start it. Raises OSError when it can't be forked; what can't be run is a child that ends so."""
        self.pid = self._spawn() or self._launch()
        self._loop.children[self.pid] = self._exited

    def _spawn(self) -> int:
        """The quick way, where there is no terminal to be handed over; 0 if it is not to be gone."""
        if posix.isatty(0) or self._spawner.invalid_entries:
            return 0
        try:
            return self._spawner.start_here(self._argv, self._leads)
        except (OSError, ValueError):
            return 0

    def _launch(self) -> int:
        from pyinit.system.foreground import launch

        return launch(self._loop.prog, self._argv, self._leads, self._not_run, self._spawner.give_limit)

    def signal(self, number: int) -> None:
        """Send it a signal, while it runs."""
        if not self.pid:
            return
        try:
            self._loop.kernel.kill(-self.pid if self._to_group else self.pid, number)
        except ProcessLookupError:  # it has not come to lead its group yet
            self._loop.kernel.kill(self.pid, number)
        except PermissionError as error:
            report.warn(self._loop.prog, b"unable to signal " + self.name, error)

    def _exited(self, outcome: int) -> None:
        if self._leads == SESSION:
            try:
                self._loop.kernel.kill(-self.pid, SIGTERM)
            except OSError:
                pass
        self.pid = 0
        self.outcome = outcome
        if self.on_end:
            self.on_end()
