"""What PID 1 was asked for: one record, from whatever dialect it was asked in."""

from pyinit.system.spawn import GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.init.reactions import Reaction

PYINIT, TINI, DUMB_INIT = b"pyinit", b"tini", b"dumb-init"
STOP_TIMEOUT = b"8"

VARIABLES = frozenset(
    (
        *(b"PYINIT_SERVICE_DIR", b"PYINIT_STATE", b"PYINIT_STOP_TIMEOUT", b"PYINIT_SIGNALS", b"PYINIT_VERBOSITY"),
        *(b"PYINIT_LOG", b"PYINIT_LOG_DIR", b"PYINIT_LOG_FORMAT", b"PYINIT_LOG_FOLD", b"PYINIT_LOG_SIZE"),
        *(b"PYINIT_LOG_COUNT", b"PYINIT_KILL_PROCESS_GROUP", b"PYINIT_DIALECT"),
    )
)
"""All variables with our prefix that mean something; any other is probably misspelt."""
NOT_RUN = {PYINIT: (127, 126, 126), TINI: (127, 126, 1), DUMB_INIT: (2, 2, 2)}


class Options:
    """Everything that can be asked for, with defaults for the rest.

    `dialect`: the program that we are called as. `has_settings`: a service directory may have files that daemontools
    does not know. `asks`: `help`, `version`, `license` or nothing. `stop_timeout`: seconds from the stop to the kill.
    `verbosity`: 1 and more to say what happens. `subreaper`: adopt orphans. `parent_death`: a signal to get when the
    parent dies, 0 for none. `to_group`: signals go to the whole process group of the command. `leads`: what the command
    leads. `tells_reaped`: warn of each orphan that is reaped. `is_early`: the command does not wait for the services.
    `remapped`: exit codes of the command that count as success. `overrides`: reactions to signals other than the usual.
    `not_run`: the exit codes for a command that is not found, for one that may not be executed, and for any other
    reason.
    """

    __slots__ = (
        "asks",
        "command",
        "dialect",
        "has_settings",
        "is_early",
        "leads",
        "not_run",
        "overrides",
        "parent_death",
        "remapped",
        "service_dir",
        "stop_timeout",
        "subreaper",
        "tells_reaped",
        "to_group",
        "verbosity",
    )

    def __init__(self, dialect: bytes = PYINIT) -> None:
        self.dialect = dialect
        self.command: list[bytes] = []
        self.asks = b""
        self.service_dir: bytes | None = None
        self.has_settings = True
        self.stop_timeout = float(STOP_TIMEOUT)
        self.verbosity = 0
        self.subreaper = dialect == PYINIT
        self.parent_death = 0
        self.to_group = False
        self.leads = GROUP
        self.tells_reaped = False
        self.is_early = False
        self.remapped: set[int] = set()
        self.overrides: dict[int, Reaction] = {}
        self.not_run = NOT_RUN[dialect]
