"""envuidgid account child: run child with UID and GID in its environment, an account's numbers in decimal."""

import pwd

from pyinit.report import die, usage
from pyinit.system.process import become, decoded, restore

PROG = b"envuidgid"


def main(argv: list[bytes]) -> int:
    """Look the account up by name; no right changes, and none is needed."""
    restore()
    if len(argv) < 3:
        usage(PROG, b"account child")
    try:
        account = pwd.getpwnam(decoded(argv[1]))
    except (KeyError, OSError):
        die(PROG, b"unknown account " + argv[1])
    become(PROG, argv[2:], [b"GID=%d" % account.pw_gid, b"UID=%d" % account.pw_uid])
