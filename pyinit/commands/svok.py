"""svok dir: whether supervise is running in dir (exit 0) or not (exit 100)."""

import posix
from errno import ENOENT, ENXIO

from pyinit.report import USAGE, die, usage
from pyinit.view.names import find, state_of

PROG = b"svok"


def main(argv: list[bytes]) -> int:
    """Open supervise/ok for writing: only a living reader lets that succeed."""
    if len(argv) < 2:
        usage(PROG, b"dir")
    directory = argv[1]
    try:
        path = find(directory)
        state = state_of(path)
        posix.chdir(path)
        if state != path:
            posix.chdir(state)
    except OSError as error:
        die(PROG, b"unable to chdir to " + directory, error)
    try:
        posix.open("supervise/ok", posix.O_WRONLY | posix.O_NONBLOCK)
    except OSError as error:
        if error.errno in (ENOENT, ENXIO):
            return USAGE
        die(PROG, b"unable to open %b/supervise/ok" % directory, error)
    return 0
