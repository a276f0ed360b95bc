"""setlock [ -nNxX ] file program [ arg ... ]: run program while holding a lock on file.

-n: do not wait for the lock; -N: wait (default). -x: without the file or the lock, exit 0 silently; -X: complain
(default). The lock is flock's, on a descriptor that the program inherits; it lasts as long as any copy of it.
"""

import posix
from fcntl import LOCK_EX, LOCK_NB, flock

from pyinit.getopt import BadOption, parse_options
from pyinit.report import die, say, usage
from pyinit.system.process import become, restore

PROG = b"setlock"
USAGE = b"[ -nNxX ] file program [ arg ... ]"


def main(argv: list[bytes]) -> int:
    """Open for append, lock, run: the file's contents are nobody's business."""
    restore()
    try:
        options, operands = parse_options(argv[1:], b"nNxX")
    except BadOption as error:
        say(argv[0].rpartition(b"/")[2], error.message)
        usage(PROG, USAGE)
    if len(operands) < 2:
        usage(PROG, USAGE)
    waits, complains = True, True
    for letter, _ in options:
        if letter in b"nN":
            waits = letter == b"N"
        else:
            complains = letter == b"X"
    _lock(operands[0], waits, complains)
    become(PROG, operands[1:])


def _lock(file: bytes, waits: bool, complains: bool) -> None:
    """Leave a locked lock_fd for the program to inherit; leave altogether when that fails."""
    attempt = b"open "
    try:
        lock_fd = posix.open(file, posix.O_WRONLY | posix.O_NONBLOCK | posix.O_APPEND | posix.O_CREAT, 0o600)
        attempt = b"lock "
        flock(lock_fd, LOCK_EX if waits else LOCK_EX | LOCK_NB)
    except OSError as error:
        if not complains:
            posix._exit(0)
        die(PROG, b"unable to %b%b" % (attempt, file), error)
    posix.set_inheritable(lock_fd, True)
