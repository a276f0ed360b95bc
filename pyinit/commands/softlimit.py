"""softlimit [-a allbytes] [-c corebytes] ... child: run child with soft resource limits.

A value is a decimal number, reduced to the hard limit where it is above, or `=` for the hard limit. Later options
override earlier ones.
"""

import pyinit.errors  # noqa: F401  # now, for a message: under the limits nothing can be opened
from pyinit.getopt import BadOption, parse_options
from pyinit.report import die, say, usage
from pyinit.system.limits import LIMITS, CannotLimit, limits_of, set_soft_limit
from pyinit.system.process import become, restore

PROG = b"softlimit"
USAGE = (
    b"[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] "
    b"[-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child"
)


def main(argv: list[bytes]) -> int:
    """Decide every limit first, set them last: the interpreter may be unable to go on under them."""
    restore()
    wanted: dict[int, int | None] = {}
    try:
        options, child = parse_options(argv[1:], b"", b"".join(LIMITS))
        for letter, value in options:
            wanted |= limits_of(letter, value)
    except BadOption as error:
        say(argv[0].rpartition(b"/")[2], error.message)
        usage(PROG, USAGE)
    except ValueError:
        usage(PROG, USAGE)
    if not child:
        usage(PROG, USAGE)
    try:
        for limit, number in wanted.items():
            set_soft_limit(limit, number)
    except CannotLimit as trouble:
        die(PROG, trouble.call + b" failed", trouble.error)
    become(PROG, child)
