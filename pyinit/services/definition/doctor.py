"""What is wrong with a service directory, before it is booted or when it does not start.

Each check is a function that yields findings, one text each. `pyinit doctor` prints them all, and a failed start is
told with those of its program. Nothing is changed and nothing is run.
"""

import posix
from stat import S_ISDIR, S_ISREG

from pyinit.report import reason
from pyinit.services.definition.reading import read_definition
from pyinit.services.definition.variables import read_variables, secret_names
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.process import DEFAULT_PATH, candidates, encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEAD = 4096
"""How much of a program is looked at, bytes."""

LONGEST_INTERPRETER_LINE = 255
"""What the kernel reads of `#!` (BINPRM_BUF_SIZE of execve(2)); the rest is cut off without a word."""


def of_program(name: bytes, directory: int, path: bytes | None) -> "Iterator[bytes]":
    """Why `name` in the directory would not run: missing, no file, not executable, a wrong first line.

    `path` is the PATH that `#!/usr/bin/env NAME` would be looked up on.
    """
    try:
        found = posix.stat(name, dir_fd=directory)
    except OSError as error:
        yield name + b": " + reason(error)
        return
    if not S_ISREG(found.st_mode):
        yield name + (b" is a directory" if S_ISDIR(found.st_mode) else b" is not a file")
        return
    if not found.st_mode & 0o111:
        yield name + b" is not executable: chmod +x"
    try:
        head = files.read(name, directory, HEAD)
    except OSError as error:
        yield b"%b can't be read: %b" % (name, reason(error))
        return
    yield from _of_head(name, head, path)


def _of_head(name: bytes, head: bytes, path: bytes | None) -> "Iterator[bytes]":
    if head[:4] == b"\x7fELF":
        return
    line, _, _ = head.partition(b"\n")
    if head[:2] != b"#!":
        yield name + (b" is empty" if not head else b" has no #! line")
        return
    if b"\r" in line:
        yield name + b" has lines that end in CR LF: its interpreter is looked for with the CR in its name"
        return
    if len(line) > LONGEST_INTERPRETER_LINE:
        yield name + b" has a #! line that is too long"
        return
    words = line[2:].split()
    if not words:
        yield name + b" has a #! line that names nothing"
    elif trouble := _not_executable(words[0]):
        yield b"%b: its interpreter %b %b" % (name, words[0], trouble)
    elif words[0].endswith(b"/env") and len(words) > 1 and words[1][:1] != b"-" and not _is_found(words[1], path):
        yield b"%b: env will not find %b on PATH" % (name, words[1])


def _is_found(name: bytes, path: bytes | None) -> bool:
    return not all(_not_executable(candidate) for candidate in candidates(name, path or DEFAULT_PATH))


def _not_executable(path: bytes) -> bytes:
    try:
        mode = posix.stat(path).st_mode
    except OSError as error:
        return b"can't be used: " + reason(error)
    return b"" if S_ISREG(mode) and mode & 0o111 else b"is not executable"


def of_logger(directory: int, path: bytes | None) -> "Iterator[bytes]":
    """What is wrong with `log`. That it has no `run` is not: the built-in logger is used then."""
    try:
        mode = posix.stat(b"log", dir_fd=directory).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        yield b"log: " + reason(error)
        return
    if not S_ISDIR(mode):
        yield b"log is not a directory"
    elif files.exists(b"log/run", directory):
        yield from of_program(b"log/run", directory, path)


def of_environment(directory: int, given: "Mapping[bytes, bytes]") -> "Iterator[bytes]":
    """What is wrong with `env/` and `secrets`."""
    definition = read_definition(directory)
    found: dict[bytes, bytes | None] = {}
    try:
        read_variables(definition, directory, given, found)
        for name in secret_names(directory) if definition.has_secrets else ():
            if name not in found:
                yield b"secrets: %b is asked for, but %b_FILE is not set" % (name, name)
    except CannotOpen as trouble:
        yield trouble.message + b": " + reason(trouble.error)


def of_state(directory: int, has_place: bool) -> "Iterator[bytes]":
    """Whether supervise/ can be made, there or in a place of PID 1's."""
    name = b"supervise" if files.exists(b"supervise", directory) else b"."
    if not has_place and not posix.access(name, posix.W_OK | posix.X_OK, dir_fd=directory):
        yield b"supervise/ can't be written, and there is no other place for it: set PYINIT_STATE"


def examine_all(top: bytes, given: "Mapping[bytes, bytes]", has_place: bool) -> "Iterator[tuple[bytes, bytes]]":
    """(name, finding) for every service in the directory `top`. Raises OSError when that can't be read."""
    directory = posix.open(top, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
    seen: dict[tuple[int, int], bytes] = {}
    for text in sorted(posix.listdir(directory)):
        name = encoded(text)
        if name.startswith(b"."):
            continue
        try:
            found = posix.stat(name, dir_fd=directory)
            if not S_ISDIR(found.st_mode):
                continue
            opened = files.open_directory(name, directory)
        except OSError as error:
            yield name, reason(error)
            continue
        first = seen.setdefault((found.st_dev, found.st_ino), name)
        if first != name:
            yield name, b"is the same directory as %b: one service, under either name" % first
        else:
            for finding in _of_service(opened, given, has_place):
                yield name, finding
        posix.close(opened)
    posix.close(directory)


def _of_service(directory: int, given: "Mapping[bytes, bytes]", has_place: bool) -> "Iterator[bytes]":
    path = given.get(b"PATH")
    yield from of_program(b"run", directory, path)
    yield from of_logger(directory, path)
    yield from of_environment(directory, given)
    yield from of_state(directory, has_place)
