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

    The C library's where his can't be loaded: when there is no descriptor left to do that with, for example.
    """
    number = error if isinstance(error, int) else error.errno
    try:
        from pyinit.errors import PHRASES
    except (OSError, ImportError):
        return posix.strerror(number or 0).encode()
    return PHRASES.get(number or 0, b"unknown error") if number else b"no error"


def write_stderr(message: bytes) -> None:
    """One write to descriptor 2; a standard error that is gone is nobody's business."""
    try:
        posix.write(2, message)
    except OSError:
        pass


write: "Callable[[bytes], None]" = write_stderr
"""Where messages go. PID 1 replaces it by one that never blocks."""


def say(prog: bytes, message: bytes, error: "OSError | int | None" = None) -> None:
    """`prog: message[: reason]`."""
    write(b"%b: %b%b\n" % (prog, message, b"" if error is None else b": " + reason(error)))


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
