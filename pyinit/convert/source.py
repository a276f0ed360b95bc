"""services.toml -> the files of each service in it, or what is wrong, with its line."""

import posix
import tomllib
from _stat import S_ISDIR
from errno import EISDIR

from pyinit.convert.positions import line_numbers, line_of
from pyinit.convert.tables import Mistake, files_of
from pyinit.services.definition.policy_files import CODE_OF_BAD_CRITICAL
from pyinit.system.files import read_bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.convert.tables import Files

LONGEST_SOURCE = 16 << 20
"""Bytes of a file of services."""


BAD_CRITICAL = b"%d\n" % CODE_OF_BAD_CRITICAL


class NotToml(Exception):
    """The text is no TOML: `line` is where, 0 if that is not known, `reason` why."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class Source:
    """A file of services: `services` are the good ones, by name. `mistakes`: (line, mistake), by line.

    `names`: all that it has, in its order. `critical`: what the file of this name is to say for a service that is not
    good, by its name. A bad value counts as one, too.
    """

    __slots__ = ("critical", "lines", "mistakes", "names", "services")

    def __init__(self, text: str) -> None:
        """Raises NotToml."""
        self.services: dict[bytes, Files] = {}
        self.critical: dict[str, bytes] = {}
        self.mistakes: list[tuple[int, Mistake]] = []
        try:
            document = tomllib.loads(text)
            self.lines = line_numbers(text) if document else {}
        except RecursionError:
            raise NotToml("nested too deeply") from None
        except tomllib.TOMLDecodeError as error:
            raise NotToml(*_place_in(str(error), text)) from None
        self.names = list(document)
        for name, table in document.items():
            files, mistakes = files_of(name, table)
            if mistakes:
                if isinstance(table, dict) and table.get("critical", False) is not False:
                    self.critical[name] = files.contents.get(b"critical", BAD_CRITICAL)
                self.mistakes += [(line_of(mistake.path, self.lines), mistake) for mistake in mistakes]
            else:
                self.services[name.encode()] = files
        self.mistakes.sort(key=lambda found: found[0])

    def refuse(self, name: bytes, reason: str) -> None:
        """Take a service off the good ones, for a reason outside of the file."""
        del self.services[name]
        path = (name.decode(),)
        self.mistakes.append((line_of(path, self.lines), Mistake(path, reason)))


def _place_in(message: str, text: str) -> tuple[str, int]:
    """The reason and the line in a message of tomllib: `Invalid value (at line 3, column 4)`."""
    reason, _, place = message.rpartition(" (at ")
    line = place.removeprefix("line ").partition(",")[0]
    return reason, int(line) if line.isdigit() else text.count("\n") + 1


def read_source(path: bytes) -> Source:
    """Read a file of services. Raises NotToml, and OSError; IsADirectoryError for a directory."""
    content = _content(path)
    try:
        return Source(content.decode())
    except UnicodeDecodeError as error:
        raise NotToml("not UTF-8", content.count(b"\n", 0, error.start) + 1) from None


def _content(path: bytes) -> bytes:
    if S_ISDIR(posix.stat(path).st_mode):
        raise IsADirectoryError(EISDIR, "")
    return read_bounded(path, None, LONGEST_SOURCE)


def described(path: bytes, line: int, mistake: Mistake) -> bytes:
    """A mistake as a message has it: the file, the line, the service, the key, the reason."""
    service, *keys = mistake.path
    words = [service, ".".join(keys), mistake.reason] if keys else [service, mistake.reason]
    return b"%b:%d: %b" % (path, line, ": ".join(words).encode())
