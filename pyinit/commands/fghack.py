"""fghack child: run child and stay until everything it started is gone, for daemons that go into the background.

The child holds the writing end of a pipe on many descriptors; as long as any descendant has one of them open, it
lives. Signals are not forwarded. Source: fghack.c of daemontools 0.76.
"""

import posix

from pyinit.report import die, usage
from pyinit.system.process import become, restore

PROG = b"fghack"
COPIES = 30
"""Duplicates beside the writing end itself: a daemon that closes descriptors 0 to 9, say, still holds some."""


def main(argv: list[bytes]) -> int:
    """Wait for the end of the pipe, then take the child's exit code."""
    restore()
    if len(argv) < 2:
        usage(PROG, b"child")
    try:
        reading, writing = posix.pipe()
    except OSError as error:
        die(PROG, b"unable to create pipe", error)
    try:
        pid = posix.fork()
    except OSError as error:
        die(PROG, b"unable to fork", error)
    if pid == 0:
        posix.close(reading)
        hold(writing)
        become(PROG, argv[1:])
    posix.close(writing)
    while posix.read(reading, 4096):
        pass
    try:
        code = posix.waitstatus_to_exitcode(posix.waitpid(pid, 0)[1])
    except OSError as error:
        die(PROG, b"wait failed", error)
    if code < 0:
        die(PROG, b"child crashed")
    return code


def hold(writing: int) -> None:
    """Let the program inherit the writing end and its duplicates, as many as there is room for."""
    posix.set_inheritable(writing, True)
    try:
        for _ in range(COPIES):
            posix.set_inheritable(posix.dup(writing), True)
    except OSError:
        pass
