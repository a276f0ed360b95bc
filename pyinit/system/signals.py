"""Names of signals, as kill(1) has them: with or without SIG, in either case, or the number.

TERM, SIGTERM, term, 15, RTMIN+3, RTMAX-1.
"""

import _signal
from _signal import SIGRTMAX, SIGRTMIN

NAMES = {name[3:].encode(): int(value) for name, value in vars(_signal).items() if name[:3] == "SIG" and name[3] != "_"}
del NAMES[b"RTMIN"], NAMES[b"RTMAX"]

MOST_DIGITS = 3


def number_of(text: bytes) -> int:
    """The number of a signal by name or number; ValueError for anything else."""
    word = text.upper().removeprefix(b"SIG")
    base, sign, offset = word.partition(b"+") if b"+" in word else word.partition(b"-")
    if base in (b"RTMIN", b"RTMAX") and (not sign or _is_short_number(offset)):
        distance = int(offset or b"0")
        number = SIGRTMIN + distance if base == b"RTMIN" else SIGRTMAX - distance
        if (sign == b"+") != (base == b"RTMIN") and sign:
            number = 0
    else:
        number = int(word) if _is_short_number(word) else NAMES.get(word, 0)
    if not 1 <= number <= SIGRTMAX:
        raise ValueError(f"{text[:64].decode(errors='replace')} is not a signal")
    return number


def _is_short_number(word: bytes) -> bool:
    return word.isdigit() and len(word) <= MOST_DIGITS
