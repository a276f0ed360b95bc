"""softlimit [-a allbytes] [-c corebytes] ... child: run child with soft resource limits.

A value is a decimal number, reduced to the hard limit where it is above, or `=` for the hard limit. Later options
override earlier ones. Source: softlimit.c of daemontools 0.76.
"""

import resource

import pyinit.errors  # noqa: F401  # now, for a message: under the limits nothing can be opened
from pyinit.getopt import BadOption, parse
from pyinit.report import die, say, usage
from pyinit.system.process import become, restore

PROG = b"softlimit"
USAGE = (
    b"[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] "
    b"[-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child"
)
LIMITS = {
    b"a": (resource.RLIMIT_AS,),
    b"c": (resource.RLIMIT_CORE,),
    b"d": (resource.RLIMIT_DATA,),
    b"f": (resource.RLIMIT_FSIZE,),
    b"l": (resource.RLIMIT_MEMLOCK,),
    b"m": (resource.RLIMIT_DATA, resource.RLIMIT_STACK, resource.RLIMIT_MEMLOCK, resource.RLIMIT_AS),
    b"o": (resource.RLIMIT_NOFILE,),
    b"p": (resource.RLIMIT_NPROC,),
    b"r": (resource.RLIMIT_RSS,),
    b"s": (resource.RLIMIT_STACK,),
    b"t": (resource.RLIMIT_CPU,),
}
WORD = 2**64


def main(argv: list[bytes]) -> int:
    """Decide every limit first, set them last: the interpreter may be unable to go on under them."""
    restore()
    try:
        options, child = parse(argv[1:], b"", b"".join(LIMITS))
        wanted = [(limit, number(value)) for letter, value in options for limit in LIMITS[letter]]
    except BadOption as error:
        say(argv[0].rpartition(b"/")[2], error.message)
        usage(PROG, USAGE)
    except ValueError:
        usage(PROG, USAGE)
    if not child:
        usage(PROG, USAGE)
    for limit, value in dict(wanted).items():
        set_soft(limit, value)
    become(PROG, child)


def number(value: bytes) -> int | None:
    """The number in a value, None for `=`; ValueError for anything else. Empty is 0, 64 bits wrap around."""
    if value == b"=":
        return None
    if value.strip(b"0123456789"):
        raise ValueError(value)
    return int(value or b"0") % WORD


def set_soft(limit: int, value: int | None) -> None:
    """Set one soft limit, at most to the hard one. Python versions differ in the sign of what exceeds 63 bits."""
    try:
        hard = resource.getrlimit(limit)[1]
    except OSError as error:
        die(PROG, b"getrlimit failed", error)
    if value is None or value >= hard % WORD:
        value = hard
    try:
        try:
            resource.setrlimit(limit, (value, hard))
        except OverflowError:
            resource.setrlimit(limit, (value - WORD, hard))
    except OSError as error:
        die(PROG, b"setrlimit failed", error)
    except ValueError:
        from errno import EPERM

        die(PROG, b"setrlimit failed", EPERM)
