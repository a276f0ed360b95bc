"""envdir dir child: run child with the environment changed as the files in dir say.

A file NAME holding a line sets NAME to that line, without spaces and tabs at its end and with NULs turned into
newlines; an empty one removes NAME. Files beginning with a dot are skipped. Source: envdir.c of daemontools 0.76.
"""

import posix

from pyinit.report import TROUBLE, die, usage
from pyinit.system.environment import value
from pyinit.system.process import become, restore

PROG = b"envdir"


def main(argv: list[bytes]) -> int:
    """Read every file while in the directory, come back, run the child."""
    restore()
    if len(argv) < 3:
        usage(PROG, b"dir child", TROUBLE)
    directory = argv[1]
    try:
        origin = posix.open(".", posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except OSError as error:
        die(PROG, b"unable to switch to current directory", error)
    try:
        posix.chdir(directory)
    except OSError as error:
        die(PROG, b"unable to switch to directory " + directory, error)
    changes = read_changes(directory)
    try:
        posix.fchdir(origin)
        posix.close(origin)
    except OSError as error:
        die(PROG, b"unable to switch to starting directory", error)
    become(PROG, argv[2:], changes)


def read_changes(directory: bytes) -> list[bytes]:
    """What the files of the current directory ask for: `NAME=VALUE` to set, `NAME` to remove."""
    try:
        names = posix.listdir(b".")
    except OSError as error:
        die(PROG, b"unable to read directory " + directory, error)
    changes = []
    for name in names:
        if name.startswith(b"."):
            continue
        try:
            content = read_file(name)
        except OSError as error:
            die(PROG, b"unable to read %b/%b" % (directory, name), error)
        changes.append(b"%b=%b" % (name, value(content)) if content else name)
    return changes


def read_file(name: bytes) -> bytes:
    """The whole file; nothing for a link that leads nowhere, where the C program repeats what it read before."""
    try:
        descriptor = posix.open(name, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    chunks = []
    try:
        while chunk := posix.read(descriptor, 65536):
            chunks.append(chunk)
    finally:
        posix.close(descriptor)
    return b"".join(chunks)
