"""The pipe of a service, as the collector reads it."""

import posix
from select import POLLIN, poll

BLOCK = 65536
"""The capacity of a pipe, bytes: the most that one read brings."""


def unread_lines(pipe_fd: int) -> int:
    """Empty the pipe; how many lines were in it, an unended one included. It does not wait for a writer."""
    ready = poll()
    ready.register(pipe_fd, POLLIN)
    lines, last = 0, b""
    while ready.poll(0) and (block := posix.read(pipe_fd, BLOCK)):
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (last not in (b"", b"\n"))
