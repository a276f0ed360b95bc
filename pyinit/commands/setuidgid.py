"""setuidgid account child: run child under an account's user and primary group, and no other group."""

import posix
import pwd

from pyinit.report import die, usage
from pyinit.system.process import become, decoded, restore

PROG = b"setuidgid"


def main(argv: list[bytes]) -> int:
    """Look the account up by name, then give up the groups, the group and the user, in this order."""
    restore()
    if len(argv) < 3:
        usage(PROG, b"account child")
    try:
        account = pwd.getpwnam(decoded(argv[1]))
    except (KeyError, OSError):
        die(PROG, b"unknown account " + argv[1])
    try:
        posix.setgroups([account.pw_gid])
        posix.setgid(account.pw_gid)
    except OSError as error:
        die(PROG, b"unable to setgid", error)
    try:
        posix.setuid(account.pw_uid)
    except OSError as error:
        die(PROG, b"unable to setuid", error)
    become(PROG, argv[2:])
