"""Tests wait for facts, never for time to pass."""

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")
NotYet = Literal[False] | None


def until(condition: Callable[[], T | NotYet], what: "str | Callable[[], str]" = "", seconds: float = 10.0) -> T:
    """The first true value that `condition` returns, asked again and again; fails after `seconds`.

    `what` was waited for; what it returns where it can tell more then.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what() if callable(what) else what or condition}"
        time.sleep(0.02)
    return value
