"""The termination message of Kubernetes: one line that says why the container ends. Loaded when it ends badly."""

import posix

from pyinit.report import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = b"/dev/termination-log"
LONGEST = 1024
"""Bytes of the line, its newline included."""


def leave_message(environment: "Mapping[bytes, bytes]", text: bytes) -> None:
    """Write the line, if there is a file for it: PATH, or the one that PYINIT_TERMINATION_LOG names. Never raises."""
    line = shown(text)[: LONGEST - 1].decode(errors="ignore").encode() + b"\n"
    flags = posix.O_WRONLY | posix.O_TRUNC | posix.O_NONBLOCK | posix.O_CLOEXEC | posix.O_NOCTTY
    try:
        message_fd = posix.open(environment.get(b"PYINIT_TERMINATION_LOG") or PATH, flags)
    except OSError:
        return
    try:
        posix.write(message_fd, line)
    except OSError:
        pass
    finally:
        posix.close(message_fd)
