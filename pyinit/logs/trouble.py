"""What goes wrong with files that logs are written to: fatal at start-up, tried again for ever after it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

    Work = Generator["Trouble | int", "int | None", R]
    """Yields a Trouble, to be resumed after a pause, or a child's pid, to be resumed with its wait status."""


class CannotOpen(Exception):
    """What could not be done at start-up, in daemontools' words, and why."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message, error)
        self.message = message
        self.error = error


class Trouble:
    """What is to be tried again after a pause: daemontools' warning, and why; None where no system call failed."""

    __slots__ = ("error", "message")

    def __init__(self, message: bytes, error: OSError | None = None) -> None:
        self.message = message + b", pausing"
        self.error = error


def fatal(what: bytes, path: bytes, operation: "Callable[P, R]", *args: "P.args", **named: "P.kwargs") -> "R":
    """Do it; raises CannotOpen. `what` could not be done has %b for the path."""
    try:
        return operation(*args, **named)
    except OSError as error:
        raise CannotOpen(what % path, error) from None


def attempt(what: bytes, path: bytes, operation: "Callable[P, R]", *args: "P.args", **named: "P.kwargs") -> "Work[R]":
    """Do it, however often that takes. `what` could not be done has %b for the path."""
    while True:
        try:
            return operation(*args, **named)
        except OSError as error:
            yield Trouble(what % path, error)
