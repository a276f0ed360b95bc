#!/usr/bin/env python3
"""Writes down which functions of pyinit are called, one a line, deeper ones further in.

    python3 -IS tools/calls.py FILE bin/pyinit [ARGUMENT ...]     the calls of process 1, into FILE

Each line has the seconds since the start, and the function. Start it under `unshare`, as HACKING.md shows.
"""

import posix
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

ROOM = "/pyinit/"


class Tracer:
    """A profile function: it is told of each call and return, and keeps the depth of those in the package."""

    def __init__(self, path: str) -> None:
        self.out = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, 0o644)
        self.began = monotonic()
        self.pid = posix.getpid()
        self.depth = 0

    def __call__(self, frame: "FrameType", event: str, argument: object) -> None:
        """Called by the interpreter."""
        code = frame.f_code
        if posix.getpid() != self.pid:
            return sys.setprofile(None)  # a forked child closes our descriptor
        if event not in ("call", "return") or ROOM not in code.co_filename:
            return None
        self.depth -= event == "return"
        if event == "call":
            module = code.co_filename.rpartition(ROOM)[2].removesuffix(".py").replace("/", ".")
            indent = "  " * self.depth
            posix.write(self.out, f"{monotonic() - self.began:9.4f} {indent}{module}: {code.co_qualname}\n".encode())
            self.depth += 1
        return None


def main() -> None:
    """Run the launcher that the command line names, traced."""
    path, launcher = sys.argv[1:3]
    del sys.argv[:2]
    with open(launcher, "rb") as file:
        program = compile(file.read(), launcher, "exec")
    sys.setprofile(Tracer(path))
    exec(program, {"__name__": "__main__", "__file__": launcher})


if __name__ == "__main__":
    main()
