"""What a service's own directory adds to its environment: `env/` and `secrets`.

`env/` is read by envdir's rules: the first line of a file is the value of the variable of that name, and an empty file
removes the variable. `secrets` names variables. For each NAME the file that NAME_FILE names is read, and its content,
less the newlines at its end, becomes NAME. All of it is read at each start and kept nowhere.
"""

import posix

from pyinit.services.definition.reading import LONGEST
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.environment import value
from pyinit.system.process import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyinit.services.definition.definition import Definition

    Changes = dict[bytes, bytes | None]


def read_variables(
    definition: "Definition", directory_fd: int, given: "Mapping[bytes, bytes]", changes: "Changes"
) -> None:
    """Add to `changes` what is to be set (None: removed). `given`: the container's environment. Raises CannotOpen."""
    if definition.has_env:
        _read_env(directory_fd, changes)
    if definition.has_secrets:
        for name in secret_names(directory_fd):
            source = changes.get(name + b"_FILE") or given.get(name + b"_FILE")
            if source:
                changes[name] = _read(source, directory_fd, b"unable to read secret " + name).rstrip(b"\n")


def _read_env(directory_fd: int, changes: "Changes") -> None:
    try:
        env_fd = posix.open(b"env", files.READ_FLAGS | posix.O_DIRECTORY, dir_fd=directory_fd)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotOpen(b"unable to open env", error) from None
    try:
        for entry in posix.listdir(env_fd):
            if not entry.startswith("."):
                name = encoded(entry)
                content = _read(name, env_fd, b"unable to read env/" + name)
                changes[name] = value(content) if content else None
    finally:
        posix.close(env_fd)


def secret_names(directory_fd: int) -> list[bytes]:
    """The names in the file `secrets`. Raises CannotOpen."""
    try:
        return files.read(b"secrets", directory_fd, LONGEST).split()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CannotOpen(b"unable to read secrets", error) from None


def _read(name: bytes, directory_fd: int, message: bytes) -> bytes:
    try:
        return files.read(name, directory_fd)
    except OSError as error:
        raise CannotOpen(message, error) from None
