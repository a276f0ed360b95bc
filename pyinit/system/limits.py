"""Soft resource limits, as softlimit names and sets them. Source: softlimit.c of daemontools 0.76."""

import resource

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
"""What each letter limits."""

WORD = 2**64


class CannotLimit(Exception):
    """The kernel refused: the name of the call, and its error."""

    def __init__(self, call: bytes, error: "OSError | int") -> None:
        super().__init__(call)
        self.call = call
        self.error = error


def limits_of(letter: bytes, value: bytes) -> "dict[int, int | None]":
    """What a letter and its value ask for: for each limit a number, or None for its hard limit.

    A value is a decimal number, or `=`. Empty is 0, and 64 bits wrap around. Raises ValueError for anything else.
    """
    number = None
    if value != b"=":
        if value.strip(b"0123456789"):
            raise ValueError(value)
        number = int(value or b"0") % WORD
    return dict.fromkeys(LIMITS[letter], number)


def set_soft_limit(limit: int, value: int | None) -> None:
    """Set one soft limit, at most to the hard one. Raises CannotLimit.

    Python's versions differ in the sign of a number that exceeds 63 bits.
    """
    try:
        hard = resource.getrlimit(limit)[1]
    except OSError as error:
        raise CannotLimit(b"getrlimit", error) from None
    if value is None or value >= hard % WORD:
        value = hard
    try:
        try:
            resource.setrlimit(limit, (value, hard))
        except OverflowError:
            resource.setrlimit(limit, (value - WORD, hard))
    except OSError as error:
        raise CannotLimit(b"setrlimit", error) from None
    except ValueError:
        from errno import EPERM

        raise CannotLimit(b"setrlimit", EPERM) from None
