"""Chains: a command of ours is called by the one before it, in the same process, instead of executed.

`envdir ./env setuidgid mail softlimit -o 64 smtpd` so starts one interpreter instead of three. The next program is
called if execve would take the launcher that this process was started from: the same file, with links followed. What
exec hands on stays as it is: the descriptors, signals, limits and ids, the working directory. The environment is put
in place as a new interpreter would find it.

Whatever cannot be exactly so is executed. So is a command that cannot be imported, because a limit is too low or the
user may not read the package. The trouble is then told as that of any executed command.
"""

import posix
import sys

from pyinit.report import die
from pyinit.system.process import inherit, initial_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CHANGE_ENVIRONMENT = ("envdir", "envuidgid")

ASKING = ([b"--help"], [b"--version"])
"""Arguments that may ask about the command itself, which the launcher finds out."""

READ_AT_START = (b"LD_", b"GLIBC_", b"PYTHON")
"""Variables that an interpreter and its dynamic loader read when they are executed, and never again."""

DEEPEST = 200
"""Frames on the stack. A chain that gets deeper is executed, long before the interpreter's limit of 1,000."""

NEIGHBOURS = 8
"""A descriptor opened since the start is the lowest one that was free: behind so many closed ones there is none."""


def follow(
    launcher: str, programs: list[bytes], argv: list[bytes], changes: "Sequence[bytes]", entries: list[bytes] | None
) -> None:
    """Call the command that argv names, found among `programs`, and leave with its exit code; return to execute it.

    `entries` is the environment it is to have, if `changes` made it another than this process's.
    """
    program = _find(programs, launcher)
    if not program or _is_deep() or _would_close() or any(change.startswith(READ_AT_START) for change in changes):
        return
    if argv[1:] in ASKING:
        return
    name = program.rpartition(b"/")[2].decode()
    try:
        command = __import__("pyinit.commands." + name, fromlist=["main"])
        if name in CHANGE_ENVIRONMENT:
            import pyinit.system.environment  # noqa: F401  # while this may still be the reason to execute it

            initial_environment()
    except (OSError, ImportError, MemoryError):
        return
    if entries is not None and not inherit(entries):
        return
    try:
        posix._exit(command.main([program, *argv[1:]]))
    except MemoryError:
        die(name.encode(), b"out of memory")


def _find(programs: list[bytes], launcher: str) -> bytes | None:
    """The program that execve would take, if that is the launcher and may be executed."""
    for program in programs:
        try:
            found = posix.stat(program)
            ours = posix.stat(launcher)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        if (found.st_dev, found.st_ino) != (ours.st_dev, ours.st_ino):
            return None
        return program if posix.access(program, posix.X_OK, effective_ids=True) else None
    return None


def _is_deep() -> bool:
    try:
        sys._getframe(DEEPEST)
    except ValueError:
        return False
    return True


def _would_close() -> bool:
    """Whether exec would close a descriptor: one of the C library's, say, that it keeps for the next account."""
    number = closed = 0
    while closed < NEIGHBOURS:
        try:
            if not posix.get_inheritable(number):
                return True
            closed = 0
        except OSError:
            closed += 1
        number += 1
    return False
