"""What a service's own directory adds to its environment: `env/` and `secrets`.

`env/` is read by envdir's rules: the first line of a file is the value of the variable of that name. An empty file
removes the variable. `secrets` names variables. For each NAME the file that NAME_FILE names is read, and its content,
less the newlines at its end, becomes NAME. All of it is read at each start and kept nowhere.

Others write these files. Each has to be a regular file of at most LONGEST bytes, or a link to one. Those in `env/` have
together at most MOST bytes: the kernel gives a program no more.
"""

import posix

from pyinit.services.definition.definition import HAS_NUL, LONGEST
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.environment import value
from pyinit.system.process import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyinit.services.definition.definition import Definition

    Changes = dict[bytes, bytes | None]


HAS_EQUALS = b"= in the name of a variable"
MOST = 2 << 20
"""Bytes of all variables in `env/`, and of their names."""


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
                changes[name] = read_secret(name, source, directory_fd)


def _read_env(directory_fd: int, changes: "Changes") -> None:
    try:
        env_fd = posix.open(b"env", files.READ_FLAGS | posix.O_DIRECTORY, dir_fd=directory_fd)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotOpen(b"unable to open env", error) from None
    left = MOST
    try:
        for entry in posix.listdir(env_fd):
            if not entry.startswith("."):
                name = encoded(entry)
                changes[name] = read_value(name, env_fd)
                left -= len(name) + len(changes[name] or b"")
                if left < 0:
                    raise _unusable(b"env", b"longer than %d bytes" % MOST)
    finally:
        posix.close(env_fd)


def read_value(name: bytes, env_fd: int) -> bytes | None:
    """The value that the file `name` in `env/` gives its variable, None to remove it. Raises CannotOpen."""
    if b"=" in name:
        raise _unusable(b"env/" + name, HAS_EQUALS)
    content = _read(name, env_fd, b"unable to read env/" + name)
    return value(content) if content else None


def read_secret(name: bytes, source: bytes, directory_fd: int) -> bytes:
    """The content of the file `source`, the value of `name`. Raises CannotOpen."""
    content = _read(source, directory_fd, b"unable to read secret " + name).rstrip(b"\n")
    if b"\0" in content:
        raise _unusable(b"secret %b: %b" % (name, source), HAS_NUL)
    return content


def secret_names(directory_fd: int) -> list[bytes]:
    """The names in the file `secrets`. Raises CannotOpen."""
    try:
        names = files.read_bounded(b"secrets", directory_fd, LONGEST).split()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CannotOpen(b"unable to read secrets", error) from None
    for name in names:
        if b"=" in name or b"\0" in name:
            raise _unusable(b"secrets", HAS_EQUALS if b"=" in name else HAS_NUL)
    return names


def _read(name: bytes, directory_fd: int, message: bytes) -> bytes:
    try:
        return files.read_bounded(name, directory_fd, LONGEST)
    except OSError as error:
        raise CannotOpen(message, error) from None


def _unusable(name: bytes, why: bytes) -> CannotOpen:
    """The trouble with content that is no system call's."""
    return CannotOpen(b"unable to use " + name, OSError(None, why.decode()))
