"""pgrphack child: run child as the leader of a new session and process group, without a terminal."""

import posix

from pyinit.report import usage
from pyinit.system.process import become, restore

PROG = b"pgrphack"


def main(argv: list[bytes]) -> int:
    """Make the session; that this process leads a group already is no trouble."""
    restore()
    if len(argv) < 2:
        usage(PROG, b"child")
    try:
        posix.setsid()
    except OSError:
        pass
    become(PROG, argv[1:])
