"""Runs a program to its end for its answer: little input, little output, and not for long.

Not for a process with a loop: this waits.
"""

import posix
import select
from _signal import SIGKILL, SIGPIPE, SIGXFSZ
from time import monotonic

from pyinit.system.spawn import redirection

MOST = 4096
"""Bytes of output that are kept; a program that says more is killed."""


def run_briefly(argv: list[bytes], text: bytes, seconds: float) -> tuple[int, bytes] | None:
    """(exit code or minus a signal, what it said) of argv[0], a path, with `text` as its standard input.

    Its environment is empty but for the language, C. None if it was not done within the time, and was killed. Raises
    OSError when it cannot be executed.
    """
    text_fd = posix.memfd_create("text", posix.MFD_CLOEXEC)
    output_fd, write_fd = posix.pipe2(posix.O_CLOEXEC)
    try:
        posix.write(text_fd, text)
        posix.lseek(text_fd, 0, 0)
        actions = [redirection(text_fd, 0), redirection(write_fd, 1), redirection(write_fd, 2)]
        pid = posix.posix_spawn(
            argv[0], argv, {b"LC_ALL": b"C"}, file_actions=actions, setsigmask=(), setsigdef=(SIGPIPE, SIGXFSZ)
        )
        posix.close(write_fd)
        write_fd = -1
        output = _read(output_fd, monotonic() + seconds)
        # A program that has closed its output has begun to exit, and keeps its code. Any other is not waited for.
        posix.kill(pid, SIGKILL)
        code = posix.waitstatus_to_exitcode(posix.waitpid(pid, 0)[1])
        return None if output is None else (code, output)
    finally:
        for descriptor in (text_fd, output_fd, write_fd):
            if descriptor >= 0:
                posix.close(descriptor)


def _read(output_fd: int, deadline: float) -> bytes | None:
    """All of the output, or its beginning if it is long; None if its end does not come by then."""
    poll = select.poll()
    poll.register(output_fd, select.POLLIN)
    output = b""
    while len(output) < MOST:
        left = deadline - monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return None
        chunk = posix.read(output_fd, MOST - len(output))
        if not chunk:
            break
        output += chunk
    return output
