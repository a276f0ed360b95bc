"""What one service directory says, as data, and what may be in it. Pure; `reading.py` makes it from the directory."""

from pyinit.services.life.policy import AS_DAEMONTOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.policy import Policy

WORD, WORDS, NAMES, OUTCOMES, NUMBER = b"word", b"words", b"names", b"outcomes", b"number"
CODE, SIGNAL, MILLISECONDS, PROGRAM, PROGRAM_OR_WORDS = b"code", b"signal", b"milliseconds", b"program", b"either"
"""Kinds of values.

WORD: one of a few words. WORDS: several, in an order of their own. NAMES: of services. OUTCOMES: exit codes and
signals. NUMBER: a descriptor. CODE: an exit code, or nothing, so that the file is a flag. SIGNAL: a name or a number.
MILLISECONDS: a duration, which a bare number gives in milliseconds. PROGRAM: an executable file.
PROGRAM_OR_WORDS: whichever of the two the file is.
"""

SETTINGS = {
    "type": WORD,
    "needs": NAMES,
    "after": NAMES,
    "before": NAMES,
    "ready": WORDS,
    "notification-fd": NUMBER,
    "check": PROGRAM,
    "timeout-up": MILLISECONDS,
    "restart": WORDS,
    "success": OUTCOMES,
    "backoff": WORDS,
    "max-restarts": WORDS,
    "critical": CODE,
    "finish": PROGRAM,
    "timeout-finish": MILLISECONDS,
    "down-signal": SIGNAL,
    "reload-signal": SIGNAL,
    "timeout-kill": MILLISECONDS,
    "kill-mode": WORD,
    "health": PROGRAM_OR_WORDS,
    "timer": WORDS,
}
"""What a file says of a service's life, by its name. `policy_files.py` reads them in this order."""

LONGEST = 65536
"""Bytes of a file."""

HAS_NUL = b"has a NUL byte"


class LogDefinition:
    """What the `log` directory of a service says.

    `brings_logger`: it has a `run`. `script` and `user`: the first lines of the files of these names, empty without.
    `is_multiline`: it has a file `fold`.
    """

    __slots__ = ("brings_logger", "is_multiline", "script", "user")

    def __init__(
        self, brings_logger: bool = False, script: bytes = b"", user: bytes = b"", is_multiline: bool = False
    ) -> None:
        self.brings_logger = brings_logger
        self.script = script
        self.user = user
        self.is_multiline = is_multiline


class Definition:
    """What a service directory says. `log` is None where there is no usable `log`.

    `is_down`: it has a file `down`. `has_env`, `has_secrets`: it has these, which `variables.py` reads at each start.
    `troubles`: (file, reason) of each file that cannot be used. `policy`: what it says of the service's life.
    `refusal`: (file, reason) of the first file with bad content that keeps the service from starting, or None.
    """

    __slots__ = ("has_env", "has_secrets", "is_down", "log", "policy", "refusal", "troubles")

    def __init__(
        self,
        is_down: bool = False,
        has_env: bool = False,
        has_secrets: bool = False,
        log: LogDefinition | None = None,
        troubles: tuple[tuple[bytes, bytes], ...] = (),
        policy: "Policy" = AS_DAEMONTOOLS,
        refusal: tuple[bytes, bytes] | None = None,
    ) -> None:
        self.is_down = is_down
        self.has_env = has_env
        self.has_secrets = has_secrets
        self.log = log
        self.troubles = troubles
        self.policy = policy
        self.refusal = refusal


PLAIN = Definition()
"""The definition of a directory with nothing but a `run`: shared, since most are so."""
