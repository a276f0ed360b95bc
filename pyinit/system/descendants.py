"""Run a program and stay until everything that it started is gone, for daemons that go into the background.

The program holds the writing end of a pipe on many descriptors. As long as any descendant has one of them open, it
lives. Source: fghack.c of daemontools 0.76.
"""

import posix

from pyinit.report import die
from pyinit.system.process import become

COPIES = 30
"""Duplicates beside the writing end itself: a daemon that closes descriptors 0 to 9, say, still holds some."""


def outlive(prog: bytes, argv: list[bytes]) -> int:
    """Wait for the end of the pipe; returns the program's exit code. Trouble is fatal, told for `prog`."""
    try:
        reader_fd, writer_fd = posix.pipe()
    except OSError as error:
        die(prog, b"unable to create pipe", error)
    try:
        pid = posix.fork()
    except OSError as error:
        die(prog, b"unable to fork", error)
    if pid == 0:
        posix.close(reader_fd)
        _hold(writer_fd)
        become(prog, argv)
    posix.close(writer_fd)
    while posix.read(reader_fd, 4096):
        pass
    try:
        code = posix.waitstatus_to_exitcode(posix.waitpid(pid, 0)[1])
    except OSError as error:
        die(prog, b"wait failed", error)
    if code < 0:
        die(prog, b"child crashed")
    return code


def _hold(writer_fd: int) -> None:
    """Let the program inherit the writing end and its duplicates, as many as there is room for."""
    posix.set_inheritable(writer_fd, True)
    try:
        for _ in range(COPIES):
            posix.set_inheritable(posix.dup(writer_fd), True)
    except OSError:
        pass
