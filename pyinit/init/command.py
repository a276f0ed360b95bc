"""The main command beside the services: started once, forwarded to, never restarted; its end is the container's end."""

import posix

from pyinit import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.init.options import Options
    from pyinit.system.loop import Loop
    from pyinit.system.spawn import Spawner


class Command:
    """`pid` is 0 before it starts and after it ended; `outcome` is then its exit code, or minus the signal's number.

    `options`: what was asked for. `spawner`: what knows the limits that the container was given.
    """

    __slots__ = ("_loop", "_options", "_spawner", "name", "on_end", "outcome", "pid")

    def __init__(self, loop: "Loop", spawner: "Spawner", options: "Options") -> None:
        self.name = options.command[0]
        self.pid = 0
        self.outcome: int | None = None
        self.on_end: Callable[[], None] | None = None
        self._loop = loop
        self._spawner = spawner
        self._options = options

    @property
    def is_waiting(self) -> bool:
        """Whether it has not been started yet."""
        return self.pid == 0 and self.outcome is None

    def start(self) -> None:
        """Start it. Raises OSError when it can't be forked; what can't be run is a child that ends so."""
        self._options.manner.starting()
        self.pid = self._spawn() or self._launch()
        self._loop.children[self.pid] = self._exited

    def _spawn(self) -> int:
        """The quick way, where there is no terminal to be handed over; 0 if it is not to be gone."""
        options = self._options
        if posix.isatty(0) or self._spawner.invalid_entries or options.manner.follows_child:
            return 0
        try:
            return self._spawner.start_here(options.command, options.leads, options.mask, options.ignored)
        except (OSError, ValueError):
            return 0

    def _launch(self) -> int:
        from pyinit.system.foreground import launch

        return launch(self._options.command, self._options, self._spawner.give_limit)

    def signal(self, number: int) -> None:
        """Send it a signal, while it runs."""
        if not self.pid:
            return
        try:
            self._loop.kernel.kill(-self.pid if self._options.to_group else self.pid, number)
        except ProcessLookupError:  # it has not come to lead its group yet
            self._loop.kernel.kill(self.pid, number)
        except PermissionError as error:
            report.warn(self._loop.prog, b"unable to signal " + self.name, error)

    def _exited(self, outcome: int) -> None:
        if self._options.farewell:
            try:
                self._loop.kernel.kill(-self.pid, self._options.farewell)
            except OSError:
                pass
        self.pid = 0
        self.outcome = outcome
        if self.on_end:
            self.on_end()
