"""The process on top: signals, readiness, the main command, going down in order, the exit code.

It runs a Scanner, as PID 1 of a container or anywhere else as a subreaper.
"""

import posix
from _signal import SIGALRM, SIGSTOP
from time import monotonic

from pyinit import report
from pyinit.init import reactions as signals
from pyinit.init.exit import exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from pyinit.init.command import Command
    from pyinit.init.ending import Ending
    from pyinit.services.pair import Pair
    from pyinit.services.runtime import Place
    from pyinit.services.scanner import Scanner
    from pyinit.system.loop import Loop

    class Logger(Protocol):
        """A process of this program's own that logs, and ends by itself once its pipes have."""

        @property
        def pid(self) -> int:
            """Its pid, 0 when it does not run."""

        def finish(self) -> None:
            """Let it end when the pipes it has are drained."""

        def rotate(self) -> None:
            """Begin new files."""


FORK_PAUSE = 1.0
"""Seconds between two tries to fork for the main command."""

LONGEST_WAIT = 5.0
"""Seconds that the main command waits for services to be up: one that never comes up must not keep it."""


class Plan:
    """What the process on top is to do. `patience`: seconds from the stop to the kill.

    `reactions`: what each signal does. `remapped`: exit codes of the main command that count as success. `is_early`:
    the command does not wait for the services. `verbosity`: 1 to say what happens. `tells_reaped`: warn of orphans.
    `began`: when the program did, monotonic s.
    """

    __slots__ = ("began", "is_early", "patience", "reactions", "remapped", "tells_reaped", "verbosity")

    def __init__(
        self, patience: float, reactions: "dict[int, signals.Reaction]", remapped: frozenset[int] = frozenset()
    ) -> None:
        self.patience = patience
        self.reactions = reactions
        self.remapped = remapped
        self.is_early = self.tells_reaped = False
        self.verbosity = 0
        self.began = monotonic()


class NoServices:
    """What a Scanner is where there is no directory of services: a container with a main command and nothing else."""

    __slots__ = ("pairs",)
    is_behind = False

    def __init__(self) -> None:
        self.pairs: dict[tuple[int, int], Pair] = {}

    def scan(self) -> None:
        """Nothing is found."""

    def stop(self) -> None:
        """Nothing is brought down."""

    def signal(self, name: bytes, number: int) -> None:
        """Nobody gets it."""

    def everything(self) -> "tuple[Pair, ...]":
        """Nothing."""
        return ()


class Init:
    """The scanner has scanned already. `place` gets the ready file; without one nothing is said of readiness."""

    def __init__(
        self,
        loop: "Loop",
        scanner: "Scanner | NoServices",
        plan: Plan,
        logger: "Logger | None" = None,
        command: "Command | None" = None,
        place: "Place | None" = None,
    ) -> None:
        self.name = loop.prog
        self._loop = loop
        self._scanner = scanner
        self._plan = plan
        self._logger = logger
        self._command = command
        self._place = place
        self._ending: Ending | None = None
        if command:
            command.on_end = self._command_ended
        if plan.tells_reaped or plan.verbosity:
            loop.on_orphan = self._tell_orphan

    def run(self) -> int:
        """Take signals, start the command, turn until everything is down; the exit code."""
        for number, reaction in self._plan.reactions.items():
            self._loop.on_signal(number, self._reacting(reaction))
        if self._scanner.pairs or not self._command:  # not before the services run, nor as late as it is needed
            import pyinit.init.ending  # noqa: F401
        if self._place and self._has_services:
            self._place.set_ready(b"")
        if self._command and (self._plan.is_early or not self._scanner.pairs):
            self._start_command()
        if self._command or self._place:
            self._loop.after_turn = self._await_ready
            self._loop.at(self._plan.began, _nothing)  # there is to be a turn even if nothing happens
        if self._command and self._command.is_waiting:
            self._loop.at(self._plan.began + LONGEST_WAIT, _nothing)
        return self._loop.run()

    @property
    def _has_services(self) -> bool:
        """Whether readiness means anything: not where a command is all there is."""
        return bool(self._scanner.pairs) or self._command is None

    def _await_ready(self) -> None:
        """When every service that should be up is: say so, once, and start the command."""
        is_ready = not self._scanner.is_behind and all(pair.is_as_wanted for pair in self._scanner.pairs.values())
        waited = monotonic() - self._plan.began
        if self._command and self._command.is_waiting and (is_ready or waited >= LONGEST_WAIT):
            if not is_ready:
                report.warn(self.name, b"not all services are up after %.0f seconds, starting the command" % waited)
            self._start_command()
        if not is_ready:
            return
        if self._loop.after_turn == self._await_ready:
            self._loop.after_turn = None
        if self._place and self._has_services:
            text = b"services=%d in %.3fs" % (len(self._scanner.pairs), waited)
            self._place.set_ready(text + b"\n")
            report.say(self.name, b"ready " + text)

    def _start_command(self) -> None:
        command = self._command
        if not command or self._ending:
            return
        try:
            command.start()
            self._tell(b"started %b (pid %d)" % (command.name, command.pid))
        except OSError as error:
            report.warn(self.name, b"unable to fork for %b, trying again in a second" % command.name, error)
            self._loop.at(monotonic() + FORK_PAUSE, self._start_command)

    def _tell(self, text: bytes) -> None:
        if self._plan.verbosity > 0:
            report.say(self.name, b"info: " + text)

    def _tell_orphan(self, pid: int, outcome: int) -> None:
        kind = b"warning" if self._plan.tells_reaped else b"info"
        report.say(self.name, b"%b: reaped orphan %d (%d)" % (kind, pid, outcome))

    def _reacting(self, reaction: signals.Reaction) -> "Callable[[], None]":
        match reaction.verb:
            case signals.STOP:
                return self.stop
            case signals.RESCAN:
                return self._scanner.scan
            case signals.ROTATE:
                return self._rotate
            case signals.FORWARD | signals.SUSPEND if self._command:
                return lambda: self._forward(reaction)
            case signals.DELIVER:
                return lambda: self._scanner.signal(reaction.service, reaction.number)
        return _nothing

    def _forward(self, reaction: signals.Reaction) -> None:
        """To the command; what would stop one that has not been started yet is for us."""
        if not self._command:
            return None
        if self._command.is_waiting and reaction.number in signals.STOPPING:
            return self.stop()
        self._command.signal(reaction.number)
        if reaction.verb == signals.SUSPEND:
            _signal(posix.getpid(), SIGSTOP)
        return None

    def _rotate(self) -> None:
        """Every log begins a new file: the logging process's, and by SIGALRM each multilog that a service brought."""
        if self._logger:
            self._logger.rotate()
        for pair in self._scanner.everything():
            if pair.log and pair.log.pid:
                _signal(pair.log.pid, SIGALRM)

    def _command_ended(self) -> None:
        """With nothing else to bring down the container ends at once, as under tini."""
        self._tell(b"the command ended: %d" % self._exit_code())
        if self._ending or self._scanner.pairs:
            self.stop(hurry=False)
        else:
            self._end()

    def _end(self) -> None:
        self._loop.stop(self._exit_code())

    def _exit_code(self) -> int:
        return exit_code(self._command.outcome if self._command else None, self._plan.remapped)

    def stop(self, hurry: bool = True) -> None:
        """Begin to go down; called again, leave a second of what is left of the deadline."""
        if self._ending:
            if hurry:
                self._ending.hurry()
            return
        self._tell(b"going down")
        if self._place and self._has_services:
            self._place.set_ready(b"")
        from pyinit.init.ending import Ending

        self._ending = Ending(self._loop, self._scanner, self._logger, self._command, self._end)
        self._ending.begin(self._plan.patience)


def _signal(pid: int, *numbers: int) -> None:
    for number in numbers:
        try:
            posix.kill(pid, number)
        except OSError:
            return


def _nothing() -> None:
    """What a deadline calls that only has to wake the loop, and a signal that means nothing."""
