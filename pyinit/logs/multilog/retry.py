"""Trouble with the files of a log: fatal at start-up, tried again for ever after it.

There is one way to retry: work is a generator. It yields each Trouble, and its caller resumes it after a pause.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

    Work = Generator["Trouble | int", "int | None", R]
    """Yields a Trouble, to be resumed after a pause; or the pid of a child, to be resumed with its outcome."""


class CannotOpenLog(Exception):
    """A log cannot be opened at start-up: `message` is daemontools' text for it, `error` the OSError behind it."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message, error)
        self.message = message
        self.error = error


class Trouble:
    """One failed try: daemontools' warning, and the OSError behind it, or None if no system call failed."""

    __slots__ = ("error", "message")

    def __init__(self, message: bytes, error: OSError | None = None) -> None:
        self.message = message + b", pausing"
        self.error = error


def fatal(what: bytes, path: bytes, operation: "Callable[P, R]", *args: "P.args", **named: "P.kwargs") -> "R":
    """Call the operation once. Raises CannotOpenLog; its message is `what`, which has %b for the path."""
    try:
        return operation(*args, **named)
    except OSError as error:
        raise CannotOpenLog(what % path, error) from None


def attempt(what: bytes, path: bytes, operation: "Callable[P, R]", *args: "P.args", **named: "P.kwargs") -> "Work[R]":
    """Call the operation until it succeeds. The message of a failed try is `what`, which has %b for the path."""
    while True:
        try:
            return operation(*args, **named)
        except OSError as error:
            yield Trouble(what % path, error)
