"""How the container logs services without a logger: from its environment to a job for each service. Pure."""

from pyinit.formats.paths import LOGS
from pyinit.formats.wire import JSON, NOTHING, RAW, TEXT, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

STDOUT, VOLUME, BOTH = b"stdout", b"volume", b"both"


class Settings:
    """`mode` is STDOUT, VOLUME or BOTH. `directory` holds one log directory for each service."""

    def __init__(self) -> None:
        self.mode = STDOUT
        self.directory = LOGS
        self.style = TEXT
        self.multiline = False
        self.size = self.count = b""

    @classmethod
    def from_environment(cls, environment: "Mapping[bytes, bytes]") -> "Settings":
        """Read PYINIT_LOG and its like. Raises ValueError; its text begins with the name of the variable."""
        settings = cls()
        settings.mode = _one_of(environment, b"PYINIT_LOG", (STDOUT, VOLUME, BOTH))
        settings.style = _one_of(environment, b"PYINIT_LOG_FORMAT", (TEXT, JSON, RAW))
        settings.directory = environment.get(b"PYINIT_LOG_DIR") or LOGS
        if not settings.directory.startswith(b"/"):
            raise ValueError("PYINIT_LOG_DIR: not an absolute path")
        settings.size = _digits(environment, b"PYINIT_LOG_SIZE", 4096)
        settings.count = _digits(environment, b"PYINIT_LOG_COUNT", 2)
        fold = environment.get(b"PYINIT_LOG_FOLD") or b"0"
        if fold not in (b"0", b"1"):
            raise ValueError("PYINIT_LOG_FOLD: not 0 or 1")
        settings.multiline = fold == b"1"
        return settings

    def job(self, name: bytes) -> Job:
        """The job of a service without settings of its own."""
        actions: list[bytes] = []
        if self.mode != STDOUT:
            limits = [letter + value for letter, value in ((b"s", self.size), (b"n", self.count)) if value]
            actions = [b"t", *limits, b"%b/%b" % (self.directory, name)]
        job = Job(name, NOTHING if self.mode == VOLUME else self.style, actions)
        job.fallback = self.style
        job.multiline = self.multiline
        return job


def _one_of(environment: "Mapping[bytes, bytes]", name: bytes, values: tuple[bytes, ...]) -> bytes:
    """The first value is the default."""
    value = environment.get(name) or values[0]
    if value not in values:
        *most, last = (each.decode() for each in values)
        raise ValueError(f"{name.decode()}: not {', '.join(most)} or {last}")
    return value


def _digits(environment: "Mapping[bytes, bytes]", name: bytes, least: int) -> bytes:
    value = environment.get(name) or b""
    if not value:
        return value
    from pyinit.logs.multilog.script import leading_number

    if not value.isdigit() or leading_number(value) < least:
        raise ValueError(f"{name.decode()}: not a number from {least} on")
    return value
