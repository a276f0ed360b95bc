"""Process 1: signals, readiness, the main command, going down in order, the exit code.

It runs a Scanner, as PID 1 of a container or anywhere else as a subreaper.
"""

from _signal import SIGALRM, SIGSTOP
from posix import environ, getpid

from pyinit import report
from pyinit.init import reactions
from pyinit.init.exit import exit_code
from pyinit.system.adoption import has_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyinit.init.command import Command
    from pyinit.init.ending import Ending
    from pyinit.init.options import Options
    from pyinit.init.parts import Logger, Services
    from pyinit.init.reactions import Reaction
    from pyinit.init.telling import Telling
    from pyinit.services.pair import Pair
    from pyinit.services.runtime import RuntimeDirectory
    from pyinit.system.loop import Loop

ROTATING = (b"multilog", b"svlogd", b"s6-log")
"""Loggers that begin a new file at SIGALRM."""

FORK_PAUSE = 1.0
"""Seconds between two tries to fork for the main command."""

LOOK_PAUSE = 1.0
"""Seconds between two looks whether a service that could not be taken up has been."""

LONGEST_WAIT = 5.0
"""Seconds that the main command waits for services to be up: a service that never comes up must not keep it."""


class Init:
    """The services have been scanned already. `began`: when the program did, monotonic s.

    `runtime` gets the ready file; without a runtime directory nothing is said of readiness.
    """

    def __init__(
        self,
        loop: "Loop",
        services: "Services",
        options: "Options",
        began: float,
        logger: "Logger | None" = None,
        command: "Command | None" = None,
        runtime: "RuntimeDirectory | None" = None,
    ) -> None:
        self.name = loop.prog
        self._loop = loop
        self._services = services
        self._options = options
        self._began = began
        self._logger = logger
        self._command = command
        self._runtime = runtime
        self._ending: Ending | None = None
        self._is_ready = False
        self._telling: Telling | None = None
        self._later: Callable[[], Mapping[int, Reaction]] | None = None
        self._is_to_look = False
        self._unready: set[Pair] = set()
        """The pairs that are not as wanted, until all are for the first time."""
        if command:
            command.on_end = self._command_ended
        if options.verbosity > 0:
            from pyinit.init import telling

            self._telling = telling.Telling(self.name, options.verbosity)
        if options.tells_reaped or options.verbosity:
            loop.on_orphan.append(options.manner.reaped)

    def run(self, table: "Mapping[int, Reaction]", later: "Callable[[], Mapping[int, Reaction]] | None" = None) -> int:
        """Take signals as the table says, start the command, turn until everything is down; the exit code.

        `later` makes the table that holds once there is a service, where there is none yet.
        """
        self._later = later
        self._take_signals(table)
        if self._command and (self._options.is_early or not self._services.pairs):
            self._start_command()
        if self._command or self._runtime:
            self._await_ready()
        return self._loop.run()

    def _take_signals(self, table: "Mapping[int, Reaction]") -> None:
        for number, reaction in table.items():
            react = self._reacting(number, reaction)
            if self._telling:
                react = self._telling.wrap(number, reaction, react)
            self._loop.add_signal_handler(number, react)

    @property
    def _has_services(self) -> bool:
        """Whether readiness means anything: not where a command is all there is."""
        return bool(self._services.pairs) or self._command is None

    def _await_ready(self) -> None:
        """Follow the services until each is as wanted: then say so, once, and start the command."""
        self._unready = {pair for pair in self._services.everything() if not pair.is_as_wanted}
        self._services.subscribe(self._pair_changed)
        if self._telling:
            self._telling.follow(self._services)
        self._loop.call_at(self._began, self._look_ready)
        if self._command and self._command.is_waiting:
            self._loop.call_at(self._began + LONGEST_WAIT, self._start_anyway)

    def _pair_changed(self, pair: "Pair") -> None:
        if self._later and not self._ending:
            self._begin_services(self._later())
        if self._is_ready:
            return
        if pair.is_as_wanted or not pair.listed:
            self._unready.discard(pair)
            self._look_ready()
        else:
            self._unready.add(pair)

    def _begin_services(self, table: "Mapping[int, Reaction]") -> None:
        """Services have come beside a command that was alone: from here on this is a container of both."""
        self._later = None
        self._take_signals(table)
        self._is_ready = False
        self._began = self._loop.kernel.monotonic()
        self._unready = {pair for pair in self._services.everything() if not pair.is_as_wanted}

    def _look_ready(self) -> None:
        if self._unready or self._is_ready or self._ending:
            return
        if self._services.untaken:  # a scan by deadline tries again, and may have nothing to tell
            self._look_later()
            return
        self._is_ready = True
        if self._command and self._command.is_waiting:
            self._start_command()
        if self._runtime and self._has_services:
            text = b"services=%d in %.3fs" % (len(self._services.pairs), self._loop.kernel.monotonic() - self._began)
            self._runtime.set_ready(text + b"\n")
            report.say(self.name, b"ready " + text)
            if environ.get(b"NOTIFY_SOCKET"):
                self._tell_outward(environ[b"NOTIFY_SOCKET"])

    def _tell_outward(self, value: bytes) -> None:
        """Say that the container is ready to who started it."""
        from pyinit.system.outward import tell

        try:
            tell(value, b"READY=1")
        except OSError as error:
            report.warn(self.name, b"unable to notify " + value, error)

    def _look_later(self) -> None:
        if not self._is_to_look:
            self._is_to_look = True
            self._loop.call_at(self._loop.kernel.monotonic() + LOOK_PAUSE, self._look_again)

    def _look_again(self) -> None:
        self._is_to_look = False
        self._look_ready()

    def _start_anyway(self) -> None:
        if self._command and self._command.is_waiting and not self._ending:
            report.warn(self.name, b"not all services are up after %.0f seconds, starting the command" % LONGEST_WAIT)
            self._start_command()

    def _start_command(self) -> None:
        command = self._command
        if not command or self._ending:
            return
        try:
            command.start()
            self._options.manner.started(command.name, command.pid)
        except OSError as error:
            report.warn(self.name, b"unable to fork for %b, trying again in a second" % command.name, error)
            self._loop.call_at(self._loop.kernel.monotonic() + FORK_PAUSE, self._start_command)

    def _tell(self, text: bytes) -> None:
        if self._options.verbosity > 0:
            report.say(self.name, b"info: " + text)

    def _reacting(self, number: int, reaction: "Reaction") -> "Callable[[], None]":
        match reaction.verb:
            case reactions.STOP:
                return self.stop
            case reactions.RESCAN:
                return self._services.rescan
            case reactions.ROTATE:
                return self._rotate
            case reactions.FORWARD | reactions.SUSPEND if self._command:
                return lambda: self._forward(number, reaction)
            case reactions.DELIVER:
                return lambda: self._services.signal(reaction.service, reaction.number)
        return _nothing

    def _forward(self, number: int, reaction: "Reaction") -> None:
        """To the command. A signal that would stop it is for us before it has started, and once it has ended."""
        if not self._command:
            return
        if reaction.number in reactions.STOPPING and not self._command.pid:
            self.stop()
            return
        self._command.signal(reaction.number)
        self._options.manner.forwarded(number, reaction.number)
        if reaction.verb == reactions.SUSPEND:
            self._options.manner.suspending()
            self._loop.kernel.kill(getpid(), SIGSTOP)

    def _rotate(self) -> None:
        """Every log begins a new file: those of the collector, and by SIGALRM each multilog that a service brought.

        To another program than those ALRM may mean death, so it gets none.
        """
        from pyinit.system.processes import program_name

        if self._logger:
            self._logger.rotate()
        for pair in self._services.everything():
            if pair.log and pair.log.pid and program_name(pair.log.pid) in ROTATING:
                pair.log.signal(SIGALRM)

    def _command_ended(self) -> None:
        """With nothing else to bring down the container ends at once, as under tini."""
        if self._command and self._command.outcome is not None:
            self._options.manner.ended(self._command.outcome, self._exit_code())
        if self._ending:
            self._ending.look_soon()
        elif self._services.pairs:
            self.stop()
        elif self._options.clears:
            self._loop.call_at(self._began, self._clear)
        else:
            self._end()

    def _clear(self) -> None:
        """Stop what a command alone has left behind, if there is anything. By now all that is dead has been reaped."""
        if has_children(self._loop.kernel):
            self.stop()
        else:
            self._end()

    def _end(self) -> None:
        self._loop.stop(self._exit_code())

    def _exit_code(self) -> int:
        has_lost = self._logger is not None and self._logger.has_lost
        return exit_code(self._command.outcome if self._command else None, frozenset(self._options.remapped), has_lost)

    def stop(self) -> None:
        """Begin to go down. A second call leaves a second of what is left of the deadline."""
        if self._ending:
            self._ending.hurry()
            return
        try:
            from pyinit.init.ending import Ending
        except (OSError, ImportError):  # no descriptor is left to load it with
            if self._logger:
                self._logger.release()
            from pyinit.init.ending import Ending

        self._ending = Ending(self._loop, self._services, self._logger, self._command, self._end)
        self._ending.begin(self._options.stop_timeout)
        self._tell(b"going down")
        if self._runtime and self._has_services:
            self._runtime.set_ready(b"")


def _nothing() -> None:
    """The reaction to a signal that means nothing."""
