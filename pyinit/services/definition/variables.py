"""What a service's own directory adds to its environment: `env/` and `secrets`, and its name.

`env/` is read by envdir's rules: a file's first line is the value of the variable it is named for, an empty file
removes it. `secrets` names variables, one a line: for each NAME, the file that NAME_FILE names is read and its
content, less the newlines at its end, becomes NAME. It is read at each start and kept nowhere.
"""

import posix

from pyinit.system import files
from pyinit.system.process import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class CannotRead(Exception):
    """Something that the environment is to come from can't be read: `message` says what, `error` why."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message)
        self.message = message
        self.error = error


def changes(directory: int, name: bytes, given: "Mapping[bytes, bytes]") -> "dict[bytes, bytes | None]":
    """What to set (None: remove) for service `name`. `given`: the container's environment. Raises CannotRead."""
    found: dict[bytes, bytes | None] = {b"SERVICE_NAME": name}
    found.update(_env(directory))
    for secret in secrets(directory):
        source = found.get(secret + b"_FILE") or given.get(secret + b"_FILE")
        if source:
            found[secret] = _read(source, directory, b"unable to read secret " + secret).rstrip(b"\n")
    return found


def _env(directory: int) -> "dict[bytes, bytes | None]":
    if files.is_missing(b"env", directory):
        return {}
    try:
        opened = posix.open(b"env", files.READ_FLAGS | posix.O_DIRECTORY, dir_fd=directory)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CannotRead(b"unable to open env", error) from None
    from pyinit.system.environment import value

    try:
        found: dict[bytes, bytes | None] = {}
        for entry in posix.listdir(opened):
            if not entry.startswith("."):
                name = encoded(entry)
                content = _read(name, opened, b"unable to read env/" + name)
                found[name] = value(content) if content else None
        return found
    finally:
        posix.close(opened)


def secrets(directory: int) -> list[bytes]:
    """The names in the file `secrets`. Raises CannotRead."""
    if files.is_missing(b"secrets", directory):
        return []
    try:
        return files.read(b"secrets", directory).split()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CannotRead(b"unable to read secrets", error) from None


def _read(name: bytes, directory: int, message: bytes) -> bytes:
    try:
        return files.read(name, directory)
    except OSError as error:
        raise CannotRead(message, error) from None
