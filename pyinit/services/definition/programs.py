"""Why a program of a service directory would not run. A failed start is told with these findings, and doctor's are too.

Nothing is run and nothing is changed.
"""

import posix
from _stat import S_ISDIR, S_ISREG

from pyinit.report import reason
from pyinit.services.definition.findings import Finding
from pyinit.system import files
from pyinit.system.process import DEFAULT_PATH, candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = 4096
"""How much of a program is looked at, bytes."""

LONGEST_INTERPRETER_LINE = 255
"""What the kernel reads of `#!` (BINPRM_BUF_SIZE of execve(2)); the rest is cut off without a word."""

SHELLS = (b"sh", b"bash", b"dash")
"""Interpreters whose scripts are looked into."""


def of_program(name: bytes, directory: int, path: bytes | None) -> "Iterator[Finding]":
    """Why `name` in the directory would not run: missing, no file, not executable, a wrong first line.

    `path` is the PATH that `#!/usr/bin/env NAME` would be looked up on.
    """
    try:
        found = posix.stat(name, dir_fd=directory)
    except OSError as error:
        yield Finding(name, reason(error), b"no-run")
        return
    if not S_ISREG(found.st_mode):
        text = b"is a directory" if S_ISDIR(found.st_mode) else b"not a regular file"
        yield Finding(name, text, b"not-a-program")
        return
    if not found.st_mode & 0o111:
        yield Finding(name, b"not executable: chmod +x", b"not-executable")
    try:
        head = files.read(name, directory, HEAD)
    except OSError as error:
        yield Finding(name, b"unable to read: " + reason(error), b"unusable-file")
        return
    yield from _of_head(name, head, path)


def _of_head(name: bytes, head: bytes, path: bytes | None) -> "Iterator[Finding]":
    if head[:4] == b"\x7fELF":
        return
    line, _, _ = head.partition(b"\n")
    if not head:
        yield Finding(name, b"empty", b"empty-program")
    elif head[:2] != b"#!":
        yield Finding(name, b"no #! line", b"no-interpreter-line")
    elif b"\r" in line:
        text = b"lines end in CR LF: its interpreter is looked for with the CR in its name"
        yield Finding(name, text, b"carriage-return")
    elif len(line) > LONGEST_INTERPRETER_LINE:
        yield Finding(name, b"the #! line is too long", b"bad-interpreter-line")
    elif not (words := line[2:].split()):
        yield Finding(name, b"the #! line names nothing", b"bad-interpreter-line")
    elif trouble := _not_executable(words[0]):
        yield Finding(name, b"the interpreter %b %b" % (words[0], trouble), b"no-interpreter")
    elif _is_looked_up(words) and not _find(words[1], path):
        yield Finding(name, b"env will not find %b on PATH" % words[1], b"no-interpreter")


def shell_of(head: bytes, path: bytes | None) -> bytes:
    """The shell that runs a script which begins so; empty where its interpreter is none, or is missing."""
    line, _, _ = head.partition(b"\n")
    words = line[2:].split() if head[:2] == b"#!" and b"\r" not in line else []
    if not words:
        return b""
    shell = _find(words[1], path) if _is_looked_up(words) else words[0]
    return shell if shell.rpartition(b"/")[2] in SHELLS and not _not_executable(shell) else b""


def _is_looked_up(words: list[bytes]) -> bool:
    """Whether env looks for the interpreter on PATH."""
    return words[0].endswith(b"/env") and len(words) > 1 and words[1][:1] != b"-"


def _find(name: bytes, path: bytes | None) -> bytes:
    """Where env finds the program; empty if it does not."""
    return next((found for found in candidates(name, path or DEFAULT_PATH) if not _not_executable(found)), b"")


def _not_executable(path: bytes) -> bytes:
    try:
        mode = posix.stat(path).st_mode
    except OSError as error:
        return b"can't be used: " + reason(error)
    return b"" if S_ISREG(mode) and mode & 0o111 else b"is not executable"
