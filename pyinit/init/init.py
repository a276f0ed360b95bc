"""Process 1: signals, readiness, the main command, going down in order, the exit code.

It runs a Scanner, as PID 1 of a container or anywhere else as a subreaper.
"""

from _signal import SIGSTOP
from posix import environ, getpid

from pyinit import report
from pyinit.formats.paths import READY, STARTING, STOPPING
from pyinit.init import reactions
from pyinit.init.exit import exit_code
from pyinit.system.adoption import has_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyinit.init.arrival import Arrival
    from pyinit.init.command import Command
    from pyinit.init.ending import Ending
    from pyinit.init.options import Options
    from pyinit.init.parts import Logger, Services
    from pyinit.init.reactions import Reaction
    from pyinit.init.telling import Telling
    from pyinit.services.pair import Pair
    from pyinit.services.runtime import RuntimeDirectory
    from pyinit.system.loop import Loop

FORK_PAUSE = 1.0
"""Seconds between two tries to fork for the main command."""

FAILED_BEFORE = 1
"""The code of a container whose services failed before the main command could start."""


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
        self.on_state: Callable[[bytes, float | None], None] = lambda state, seconds: None
        """Called with `starting`, `ready` and the seconds until then, and `stopping`, of services."""
        self._ending: Ending | None = None
        self._code: int | None = None
        """The code that a service has ended the container with."""
        self._cause = b""
        self._telling: Telling | None = None
        self._later: Callable[[], Mapping[int, Reaction]] | None = None
        self._arrival: Arrival | None = None
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
        if self._runtime:
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
        """Follow the services until each counts: then say so, once, and start the command."""
        from pyinit.init.arrival import Arrival  # a command alone needs none

        self._arrival = Arrival(self._loop, self._services, self._arrived, self._given_up)
        self._services.subscribe(self._pair_changed)
        if self._telling:
            self._telling.follow(self._services)
        self._arrival.begin(self._began, self._command is not None and self._command.is_waiting, self._options.wait)
        for pair in self._services.everything():
            self._look_critical(pair)

    def _pair_changed(self, pair: "Pair") -> None:
        if self._later and not self._ending:
            self._begin_services(self._later())
        if self._arrival:
            self._arrival.changed(pair)
        self._look_critical(pair)

    def _look_critical(self, pair: "Pair") -> None:
        """The end for good of a critical service is the container's."""
        service = pair.service
        if not service or service.state.policy.critical is None or self._ending:
            return
        from pyinit.services.life.presence import code_of_end, verdict

        code = code_of_end(service.state)
        if code is not None:
            self._fail(code, verdict(pair.name, service.state))

    def _fail(self, code: int, why: bytes) -> None:
        """End the container with a code, because of what a service did."""
        if self._code is None and (self._command is None or self._command.outcome is None):
            self._code, self._cause = code, why
            report.say(self.name, b"fatal: %b, the container ends with %d" % (why, code))
        if not self._ending:
            self.stop()

    def _begin_services(self, table: "Mapping[int, Reaction]") -> None:
        """Services have come beside a command that was alone: from here on this is a container of both."""
        self._later = None
        self._take_signals(table)
        self.on_state(STARTING, None)
        self._began = self._loop.kernel.monotonic()
        if self._arrival:
            self._arrival.begin(self._began, is_awaited=False)

    def _arrived(self) -> None:
        """Every service counts."""
        if self._ending:
            return
        if self._command and self._command.is_waiting:
            self._start_command()
        if self._runtime and self._has_services:
            seconds = self._loop.kernel.monotonic() - self._began
            text = b"services=%d in %.3fs" % (len(self._services.pairs), seconds)
            self._runtime.set_ready(text + b"\n")
            self.on_state(READY, seconds)
            if not (self._command and self._options.is_quiet):
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

    def _given_up(self, why: bytes) -> None:
        """A service that the command waits for cannot come: the command runs without it, or never."""
        if self._options.starts_anyway:
            report.warn(self.name, b"%b, starting the command anyway" % why)
            self._start_command()
        else:
            self._fail(FAILED_BEFORE, why)

    def _start_command(self) -> None:
        command = self._command
        if not command or self._ending:
            return
        if self._arrival:
            self._arrival.is_awaited = False
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
        from pyinit.init.rotation import rotate

        rotate(self._services, self._logger)

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
        code = self._exit_code()
        if code:
            self._loop.guard(self._leave_message, code)
        self._loop.stop(code)

    def _leave_message(self, code: int) -> None:
        """Say why the container ends so, to who looks for that."""
        from pyinit.init.termination import leave_message

        cause = self._cause
        if not cause and self._command:
            outcome = self._command.outcome or 0
            how = b"killed by signal %d" % -outcome if outcome < 0 else b"exited %d" % outcome
            cause = b"%b %b" % (self._command.name, how)
        leave_message(environ, b"%b: %b, code %d" % (self.name, cause or b"lines of a service were lost", code))

    def _exit_code(self) -> int:
        has_lost = self._logger is not None and self._logger.has_lost
        if self._code is not None:
            return self._code
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

        if self._arrival:
            self._arrival.is_awaited = False
        self._ending = Ending(self._loop, self._services, self._logger, self._command, self._end)
        self._ending.begin(self._options.stop_timeout)
        self._tell(b"going down")
        if self._runtime and self._has_services:
            self._runtime.set_ready(b"")
        self.on_state(STOPPING, None)


def _nothing() -> None:
    """The reaction to a signal that means nothing."""
