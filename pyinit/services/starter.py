"""Starts `run` of one service: its environment, its redirections, and what is said when that fails."""

from errno import EAGAIN, ENOMEM

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.definition.reading import read_definition
from pyinit.services.life.events import Finished, NotStarted, Refused, Started
from pyinit.services.life.policy import AS_DAEMONTOOLS, PROCESS
from pyinit.services.trouble import UNSTARTABLE, CannotOpen
from pyinit.system.process import WATCHDOG_PID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.context import Context, RenewLog
    from pyinit.services.definition.definition import Definition
    from pyinit.services.finishing import Finishing
    from pyinit.services.inquiry import Inquiry
    from pyinit.services.life.events import Event
    from pyinit.services.life.policy import Policy
    from pyinit.services.statedir import StateDir
    from pyinit.system.spawn import Redirections


class Starter:
    """Starts the service `name`, each time with the `redirections`; their descriptors stay the caller's.

    `definition`: what the directory says, if that has just been read: for the first start. `handle` takes events of the
    process, where a policy asks more about it than whether it runs.
    """

    __slots__ = (
        "_context",
        "_directory",
        "_good",
        "_handle",
        "_name",
        "_redirections",
        "_renew_log",
        "_said",
        "definition",
        "finishing",
        "inquiry",
    )

    def __init__(
        self,
        context: "Context",
        name: bytes,
        directory: "StateDir",
        redirections: "Redirections",
        handle: "Callable[[Event], None]",
        renew_log: "RenewLog | None" = None,
    ) -> None:
        self.definition: Definition | None = None
        self.inquiry: Inquiry | None = None
        self.finishing: Finishing | None = None
        self._handle = handle
        self._renew_log = renew_log
        self._context = context
        self._name = name
        self._directory = directory
        self._redirections = redirections
        self._good: Definition | None = None
        """What the directory said when the service was last started."""
        self._said = b""
        """The trouble that was told last, until a start succeeds."""

    def start(self, is_anew: bool) -> "Started | NotStarted | Refused":
        """Start run. `is_anew`: the service was at rest, so that bad content keeps it from starting.

        After an end that nobody asked for the last good content holds.
        """
        context, directory_fd = self._context, self._directory.fds.directory
        definition, self.definition = self.definition, None
        policy, redirections = AS_DAEMONTOOLS, self._redirections
        try:
            changes: dict[bytes, bytes | None] = {}
            if not context.is_classical:
                changes[b"SERVICE_NAME"] = self._name
                definition = definition or read_definition(directory_fd, context.has_settings)
                if definition.refusal:
                    definition = self._refused(definition, is_anew)
                    if definition.refusal:
                        return refused(definition)
                policy, self._good = definition.policy, definition
                if definition.has_env or definition.has_secrets:
                    self._add_variables(definition, changes)
                if policy.readiness or policy.health or self.inquiry:
                    redirections = self.inquire().prepare(policy, redirections, changes)
                if policy.has_finish or policy.kill_mode != PROCESS:
                    self._load_finishing()
            start = context.spawner.start_told if WATCHDOG_PID in changes else context.spawner.start
            pid = start([b"./run"], directory_fd, redirections, changes)
            if self.inquiry:
                self.inquiry.began(pid)
            if self.finishing:
                self.finishing.began(pid)
        except CannotOpen as trouble:
            self._give_up()
            self.say(b"fatal: unable to start %b/run: %b" % (self._name, trouble.message), trouble.error)
            return NotStarted()
        except UNSTARTABLE as error:
            self._give_up()
            self._complain(error)
            return NotStarted()
        self._said = b""
        return Started(pid, policy)

    def inquire(self) -> "Inquiry":
        """What asks about the process; its module is loaded for the first service that wants it."""
        if not self.inquiry:
            from pyinit.services.inquiry import Inquiry

            directory_fd = self._directory.fds.directory
            self.inquiry = Inquiry(self._context, self._name, directory_fd, self._handle, self._renew_log)
        return self.inquiry

    def _load_finishing(self) -> None:
        """What follows an end; its module is loaded for the first service that wants it, before it is needed."""
        if not self.finishing:
            from pyinit.services.finishing import Finishing

            self.finishing = Finishing(self._context, self._name, self._start_beside, self.say, self._handle)

    def _start_beside(self, argv: list[bytes]) -> int:
        """Start another program of the directory as `run` is started; its pid. Raises CannotOpen and UNSTARTABLE."""
        changes: dict[bytes, bytes | None] = {b"SERVICE_NAME": self._name}
        if self._good and (self._good.has_env or self._good.has_secrets):
            self._add_variables(self._good, changes)
        return self._context.spawner.start(argv, self._directory.fds.directory, self._redirections, changes)

    def finish(self, outcome: int, pid: int, policy: "Policy") -> Finished | None:
        """End what the process left, and run `finish`. None: that takes a while, and Finished comes by `handle`."""
        try:
            return self.finishing.begin(outcome, pid, policy) if self.finishing else Finished()
        except UNSTARTABLE as error:
            self._complain(error)
            return Finished()

    def _give_up(self) -> None:
        """Nothing has been started: nobody is to be asked."""
        if self.inquiry:
            self.inquiry.end()

    def _refused(self, definition: "Definition", is_anew: bool) -> "Definition":
        """Tell of bad content, and say what holds: that, or the last good one."""
        file, reason = definition.refusal or (b"", b"")
        self.say(b"fatal: unable to use %b/%b: %b" % (self._name, file, reason), None)
        return definition if is_anew or not self._good else self._good

    def _add_variables(self, definition: "Definition", changes: "dict[bytes, bytes | None]") -> None:
        """What the directory adds to the environment; that module is loaded where there is something to add."""
        from pyinit.services.definition.variables import read_variables

        read_variables(definition, self._directory.fds.directory, self._context.spawner.environment, changes)

    def _complain(self, error: Exception) -> None:
        if not isinstance(error, OSError):
            self.say(b"fatal: unable to start %b/run: %b" % (self._name, repr(error).encode(errors="replace")), None)
        elif error.errno in (EAGAIN, ENOMEM):
            self.say(b"warning: unable to fork for %b, trying again in a second" % self._name, error)
        else:
            self.say(b"fatal: unable to start %b/run" % self._name, error, self._diagnosis(error))

    def _diagnosis(self, error: OSError) -> bytes:
        """What is wrong with `run` beyond the error. The C program does not tell."""
        if self._context.is_classical:
            return b""
        try:
            from pyinit.services.definition.programs import of_program
        except (OSError, ImportError):  # the import takes a descriptor, and there may be none
            return b""
        findings = of_program(b"run", self._directory.fds.directory, self._context.spawner.environment.get(b"PATH"))
        return b"; ".join(finding.said for finding in findings if finding.text != report.reason(error))

    def say(self, text: bytes, error: OSError | None, detail: bytes = b"") -> None:
        """Say a trouble, once until another one comes; always where the C programs do."""
        text += (b": " + report.reason(error) if error else b"") + (b": " + detail if detail else b"")
        if text != self._said or self._context.is_classical:
            report.say(PROG, text)
        self._said = text


def refused(definition: "Definition") -> Refused:
    """The event of a directory with bad content."""
    file, reason = definition.refusal or (b"", b"")
    return Refused(b"%b: %b" % (file, reason), definition.policy)
