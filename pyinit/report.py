"""What the programs say on standard error: `prog: fatal: unable to VERB OBJECT: why`, in daemontools' words.

The reasons are djb's (his error_str.c), not the C library's: scripts compare them. Messages are bytes,
because the names in them are. They leave in one write each. Exit codes: 100 wrong usage, 111 trouble.
"""

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

USAGE = 100
TROUBLE = 111


def reason(error: "OSError | int") -> bytes:
    """djb's phrase for an error or errno; `unknown error` for those he has none for.

    The C library's where his can't be loaded: when there is no descriptor left to do that with, for example. An error
    of this program's own has no errno, and its text is the reason.
    """
    number = error if isinstance(error, int) else error.errno
    if not isinstance(error, int) and number is None and error.strerror:
        return error.strerror.encode()
    try:
        from pyinit.errors import PHRASES
    except (OSError, ImportError):
        return posix.strerror(number or 0).encode()
    return PHRASES.get(number or 0, b"unknown error") if number else b"no error"


PRINTABLE = bytes(range(32, 127))

keeps_bytes = True
"""Whether bytes that are no UTF-8 are shown as they are: the daemontools commands do as the C programs, PID 1 does not.
"""


def shown(text: bytes) -> bytes:
    """A name or a message as people see it: what could move a cursor or end a line is written `\\n`, `\\r` or `\\x1b`.

    So are the control characters of Unicode, and bytes that are no UTF-8 unless `keeps_bytes`.
    """
    if not text.translate(None, PRINTABLE):
        return text
    shown = []
    for character in text.decode(errors="surrogateescape"):
        number = ord(character)
        if 0xDC80 <= number <= 0xDCFF:  # a byte that is no UTF-8; terminals of one byte a character obey 0x80 to 0x9f
            is_kept = keeps_bytes and number >= 0xDCA0
            shown.append(character if is_kept else f"\\x{number - 0xDC00:02x}")
        elif number < 32 or 127 <= number < 160 or 0x2028 <= number <= 0x202E or 0x2066 <= number <= 0x2069:
            shown.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or f"\\x{number:02x}")
        else:
            shown.append(character)
    return "".join(shown).encode(errors="surrogateescape")


def write_stderr(message: bytes) -> None:
    """One write to descriptor 2; a standard error that is gone is nobody's business."""
    try:
        posix.write(2, message)
    except OSError:
        pass


write: "Callable[[bytes], None]" = write_stderr
"""Where messages go. PID 1 replaces it by one that never blocks."""


def say(prog: bytes, message: bytes, error: "OSError | int | None" = None) -> None:
    """`prog: message[: reason]`: always one line, whatever is in the names that it tells of."""
    write(b"%b: %b\n" % (prog, shown(message + (b"" if error is None else b": " + reason(error)))))


def warn(prog: bytes, message: bytes, error: "OSError | int | None" = None) -> None:
    """`prog: warning: message[: reason]`; the caller goes on."""
    say(prog, b"warning: " + message, error)


def die(prog: bytes, message: bytes, error: "OSError | int | None" = None, code: int = TROUBLE) -> "NoReturn":
    """`prog: fatal: message[: reason]`, then exit. For commands only: an actor that must live uses `warn`."""
    say(prog, b"fatal: " + message, error)
    posix._exit(code)


def usage(prog: bytes, arguments: bytes, code: int = USAGE) -> "NoReturn":
    """`prog: usage: prog arguments`, then exit."""
    say(prog, b"usage: %b %b" % (prog, arguments))
    posix._exit(code)
