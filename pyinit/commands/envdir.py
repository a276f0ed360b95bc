"""envdir dir child: run child with the environment changed as the files in dir say.

The first line of a file NAME becomes the value of NAME, without spaces and tabs at its end, NULs as newlines. An empty
file removes NAME. Files beginning with a dot are skipped. Source: envdir.c of daemontools 0.76.
"""

import posix

from pyinit.report import TROUBLE, die, usage
from pyinit.system.environment import read_changes
from pyinit.system.process import become, restore

PROG = b"envdir"


def main(argv: list[bytes]) -> int:
    """Read every file while in the directory, come back, run the child."""
    restore()
    if len(argv) < 3:
        usage(PROG, b"dir child", TROUBLE)
    directory = argv[1]
    try:
        origin_fd = posix.open(".", posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except OSError as error:
        die(PROG, b"unable to switch to current directory", error)
    try:
        posix.chdir(directory)
    except OSError as error:
        die(PROG, b"unable to switch to directory " + directory, error)
    try:
        changes = read_changes()
    except OSError as error:
        if error.filename == b".":
            die(PROG, b"unable to read directory " + directory, error)
        die(PROG, b"unable to read %b/%b" % (directory, error.filename), error)
    try:
        posix.fchdir(origin_fd)
    except OSError as error:
        die(PROG, b"unable to switch to starting directory", error)
    posix.close(origin_fd)
    become(PROG, argv[2:], changes)
