"""What PID 1 was asked for: one record, from whatever dialect it was asked in."""

from pyinit import report
from pyinit.system.spawn import GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from pyinit.init.reactions import Reaction

PYINIT, TINI, DUMB_INIT = b"pyinit", b"tini", b"dumb-init"
STOP_TIMEOUT = b"8"

VARIABLES = frozenset(
    (
        *(b"PYINIT_SERVICE_DIR", b"PYINIT_STATE", b"PYINIT_STOP_TIMEOUT", b"PYINIT_SIGNALS", b"PYINIT_VERBOSITY"),
        *(b"PYINIT_LOG", b"PYINIT_LOG_DIR", b"PYINIT_LOG_FORMAT", b"PYINIT_LOG_FOLD", b"PYINIT_LOG_SIZE"),
        *(b"PYINIT_LOG_COUNT", b"PYINIT_KILL_PROCESS_GROUP", b"PYINIT_DIALECT"),
        *(b"PYINIT_WAIT", b"PYINIT_START", b"PYINIT_QUIET", b"PYINIT_TERMINATION_LOG", b"PYINIT_SERVICES"),
    )
)
"""All variables with our prefix that mean something; any other is probably misspelt."""
NOT_RUN = {PYINIT: (127, 126, 126), TINI: (127, 126, 1), DUMB_INIT: (2, 2, 2)}


class Answer(Exception):
    """A question or wrong use that a text answers: `code` is the exit code, `fd` where the `text` goes."""

    def __init__(self, code: int, fd: int, text: bytes) -> None:
        super().__init__(text)
        self.code = code
        self.fd = fd
        self.text = text


class Manner:
    """What a program of this name says and does beside its work: here pyinit's own.

    A dialect has a class of its own, so that nothing else asks for the name.
    """

    __slots__ = ("_options",)

    def __init__(self, options: "Options | None" = None) -> None:
        self._options = options

    @property
    def follows_child(self) -> bool:
        """Whether the child has to tell how it became the command."""
        return False

    def _tell(self, text: bytes) -> None:
        if self._options and self._options.verbosity > 0:
            report.say(self._options.dialect, b"info: " + text)

    def took_place(self, is_subreaper: bool, is_told: bool, is_first: bool) -> None:
        """Orphans are adopted, and the parent's death is told, or not. `is_first`: this is process 1."""
        options = self._options
        if not options:
            return
        if options.subreaper and not is_subreaper:
            report.warn(options.dialect, b"not process 1, and no subreaper without prctl: orphans are lost")
        elif options.subreaper and not is_first:
            report.say(options.dialect, b"info: not process 1, adopting orphans as a subreaper")
        if not is_told:
            report.warn(options.dialect, b"unable to use -p without prctl")

    def starting(self) -> None:
        """The command is about to be started."""

    def led(self, error: OSError | None) -> None:
        """In the child: it leads what it is to lead, with an `error` of the terminal."""

    def started(self, name: bytes, pid: int) -> None:
        """The command runs."""
        self._tell(b"started %b (pid %d)" % (name, pid))

    def not_run(self, name: bytes, error: OSError) -> None:
        """In the child: the command could not be executed."""
        report.say(PYINIT, b"fatal: unable to run " + name, error)

    def received(self, number: int) -> bool:
        """Whether to react to a signal that came. Asked only where `hears` of the options says so."""
        return True

    def forwarded(self, number: int, sent: int) -> None:
        """A signal went to the command, as another one or, as 0, not at all."""

    def suspending(self) -> None:
        """This process stops."""

    def reaped(self, pid: int, outcome: int) -> None:
        """An orphan was reaped."""
        if self._options and self._options.tells_reaped:
            report.warn(self._options.dialect, b"reaped orphan %d (%d)" % (pid, outcome))
        else:
            self._tell(b"reaped orphan %d (%d)" % (pid, outcome))

    def ended(self, outcome: int, code: int) -> None:
        """The command has ended, and `code` is what becomes of its `outcome`."""
        self._tell(b"the command ended: %d" % code)


class Options:
    """Everything that can be asked for, with defaults for the rest.

    `dialect`: the program that we are called as. `has_settings`: a service directory may have files that daemontools
    does not know. `asks`: `help`, `version`, `license` or nothing. `stop_timeout`: seconds from the stop to the kill.
    `verbosity`: 1 and more to say what happens. `subreaper`: adopt orphans. `parent_death`: a signal to get when the
    parent dies, 0 for none. `to_group`: signals go to the whole process group of the command. `leads`: what the command
    leads. `tells_reaped`: warn of each orphan that is reaped. `is_early`: the command does not wait for the services.
    `wait`: seconds that it waits at most, None for no limit. `starts_anyway`: it runs after that, too, and where a
    service that it waits for cannot come. `is_quiet`: `ready` is not said beside a command.
    `remapped`: exit codes of the command that count as success. `overrides`: reactions to signals other than the usual.
    `not_run`: the exit codes for a command that is not found, for one that may not be executed, and for any other
    reason.

    `services`: a file of services that are to be unpacked, empty for none.

    `manner`: how we speak. `hears`: the manner is asked of each signal. `untouched`: signals that are not taken, None
    for the usual. `let_through`: signals that are not even held, and do what they do to any program. `farewell`: a
    signal to what the command led, at its end; 0 for none. `clears`: what a command alone leaves behind is stopped.
    `inherits`: the command gets the signal mask `mask`, and ignores the signals `ignored` of a terminal. Both are as
    they came. Without it none is blocked or ignored.
    """

    __slots__ = (
        "asks",
        "clears",
        "command",
        "dialect",
        "farewell",
        "has_settings",
        "hears",
        "ignored",
        "inherits",
        "is_early",
        "is_quiet",
        "leads",
        "let_through",
        "manner",
        "mask",
        "not_run",
        "overrides",
        "parent_death",
        "remapped",
        "service_dir",
        "services",
        "starts_anyway",
        "stop_timeout",
        "subreaper",
        "tells_reaped",
        "to_group",
        "untouched",
        "verbosity",
        "wait",
    )

    def __init__(self, dialect: bytes = PYINIT, manner: Manner | None = None) -> None:
        self.dialect = dialect
        self.manner = manner or Manner(self)
        self.hears = False
        self.untouched: frozenset[int] | None = None
        self.let_through: frozenset[int] = frozenset()
        self.farewell = 0
        self.clears = dialect == PYINIT
        self.inherits = False
        self.mask: Collection[int] = ()
        self.ignored: Collection[int] = ()
        self.command: list[bytes] = []
        self.asks = b""
        self.service_dir: bytes | None = None
        self.services = b""
        self.has_settings = True
        self.stop_timeout = float(STOP_TIMEOUT)
        self.verbosity = 0
        self.subreaper = dialect == PYINIT
        self.parent_death = 0
        self.to_group = False
        self.leads = GROUP
        self.tells_reaped = False
        self.is_early = False
        self.is_quiet = False
        self.starts_anyway = False
        self.wait: float | None = None
        self.remapped: set[int] = set()
        self.overrides: dict[int, Reaction] = {}
        self.not_run = NOT_RUN[dialect]
