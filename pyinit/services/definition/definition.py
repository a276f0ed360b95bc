"""What one service directory says, as data. Pure; `reading.py` makes it from the directory."""

from pyinit.services.life.policy import AS_DAEMONTOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.policy import Policy


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
