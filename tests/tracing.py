"""Which Python functions of the package are called: the length of a flow, in calls instead of seconds."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import CO_GENERATOR
from types import FrameType

from kernel import FakeSpawner
from machine import ROOT

PACKAGE = str(ROOT / "pyinit")
STANDING_IN = {FakeSpawner.start.__code__, FakeSpawner.start_here.__code__}
"""Functions of the fakes that take the place of one of the package."""

INLINE = ("<listcomp>", "<dictcomp>", "<setcomp>")
"""Python 3.11 calls them as functions, and 3.12 does not."""


class Calls(list[str]):
    """The names of the functions that were called, in order. A generator is there once."""

    def path(self) -> str:
        return f"{len(self)} calls:\n  " + "\n  ".join(self)

    def until(self, name: str) -> "Calls":
        """The calls up to the first one of that function, and this one."""
        return Calls(self[: self.index(name) + 1])


@contextmanager
def traced(begin: str = "", end: Sequence[str] = ()) -> Iterator[Calls]:
    """Note the calls: with `begin` from the first call of that function on, with `end` up to the first of those."""
    calls = Calls()
    is_over = False
    generators: list[FrameType] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal is_over
        code = frame.f_code
        is_ours = code.co_filename.startswith(PACKAGE) or code in STANDING_IN
        if is_over or event != "call" or not is_ours:
            return
        is_over = bool(calls) and code.co_qualname in end
        if is_over or code.co_name in INLINE or any(frame is known for known in generators):
            return
        if not calls and begin and code.co_qualname != begin:
            return
        if code.co_flags & CO_GENERATOR:
            generators.append(frame)
        calls.append(code.co_qualname)

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)
