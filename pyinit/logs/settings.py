"""How the services that bring no logger are logged: from the container's environment to multilog scripts. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

STDOUT, VOLUME, BOTH = b"stdout", b"volume", b"both"
DEFAULT_DIRECTORY = b"/var/log/services"


class Settings:
    """`mode` is one of STDOUT, VOLUME and BOTH; `directory` holds one log directory a service."""

    __slots__ = ("directory", "mode")

    def __init__(self, mode: bytes = STDOUT, directory: bytes = DEFAULT_DIRECTORY) -> None:
        self.mode = mode
        self.directory = directory

    @classmethod
    def from_environment(cls, environment: "Mapping[bytes, bytes]") -> "Settings":
        """From PYINIT_LOG and PYINIT_LOG_DIR. Raises ValueError, whose text ends `unable to use NAME: `."""
        mode = environment.get(b"PYINIT_LOG") or STDOUT
        if mode not in (STDOUT, VOLUME, BOTH):
            raise ValueError("PYINIT_LOG is not stdout, volume or both")
        directory = environment.get(b"PYINIT_LOG_DIR") or DEFAULT_DIRECTORY
        if not directory.startswith(b"/"):
            raise ValueError("PYINIT_LOG_DIR is not an absolute path")
        return cls(mode, directory)

    def scripts(self, name: bytes) -> list[list[bytes]]:
        """The multilog scripts that a service's output goes through, each from the first byte on."""
        found = []
        if self.mode != STDOUT:
            found.append([b"t", b"%b/%b" % (self.directory, name)])
        if self.mode != VOLUME:
            found.append([b"p%b: " % name, b"1"])
        return found
