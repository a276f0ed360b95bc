"""What goes wrong with files that logs are written to: fatal at start-up, tried again for ever after it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import ParamSpec, Protocol, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

    class Troubled(Protocol):
        """What has steps."""

        def trouble_names(self) -> dict[bytes, bytes]:
            """What the messages of its steps speak of."""

    T = TypeVar("T", bound=Troubled)

    Steps = tuple[tuple[bytes, Callable[[T], bool | None]], ...]
    """Each: what could not be done if it fails, with names such as %(path)b; and the method that does it.

    A method that says True is the last to be called.
    """

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


def take(steps: "Steps[T]", owner: "T") -> "Iterable[Trouble]":
    """Take the steps, now; what is left of them if one fails is work. A generator for each would cost more than it."""
    left = _take(steps, owner)
    return _take_again(*left, owner) if left else ()


def _take(steps: "Steps[T]", owner: "T") -> "tuple[Steps[T], OSError] | None":
    """Take the steps; when one fails: those that are left, it among them, and why."""
    done = 0
    try:
        for _, step in steps:
            if step(owner):
                break
            done += 1
    except OSError as error:
        return steps[done:], error
    return None


def _take_again(steps: "Steps[T]", error: OSError, owner: "T") -> "Iterator[Trouble]":
    """Take the steps, of which the first has failed, however often that takes."""
    left: tuple[Steps[T], OSError] | None = (steps, error)
    while left:
        steps, error = left
        yield Trouble(steps[0][0] % owner.trouble_names(), error)
        left = _take(steps, owner)
