"""readproctitle label dots: show the end of standard input in this process's title, for ps.

The last argument is overwritten in its own memory, so `/proc/PID/cmdline` shows three dots and then the last bytes
read, NULs left out. The label is for whoever reads it. Source: readproctitle.c of daemontools 0.76.
"""

import posix

from pyinit.report import TROUBLE, USAGE, warn

PROG = b"readproctitle"


def main(argv: list[bytes]) -> int:
    """Until the end of input. There is no message about wrong usage, nor about a failed read."""
    if len(argv) < 2 or len(argv[-1]) < 5:
        return USAGE
    room = len(argv[-1]) - 3
    title = Title(room)
    text = b"." * room
    title.show(text)
    while True:
        try:
            block = posix.read(0, 65536)
        except OSError:
            return TROUBLE
        if not block:
            return 0
        text = (text + block.replace(b"\0", b""))[-room:]
        title.show(text)


class Title:
    """The last argument in memory: it ends, with a NUL, where the kernel says the arguments end."""

    __slots__ = ("_memory", "_start")

    def __init__(self, room: int) -> None:
        try:
            self._memory = posix.open("/proc/self/mem", posix.O_WRONLY | posix.O_CLOEXEC)
            self._start = argument_end() - 1 - room
        except OSError as error:
            warn(PROG, b"unable to show anything", error)
            self._memory = -1

    def show(self, text: bytes) -> None:
        """Replace what follows the three dots. Without the memory, input is still read: its writer must not block."""
        if self._memory >= 0:
            posix.pwrite(self._memory, b"..." + text, self._start - 3)


def argument_end() -> int:
    """The address after the arguments: field 49 of /proc/self/stat, counted after the name, which may hold anything."""
    descriptor = posix.open("/proc/self/stat", posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return int(posix.read(descriptor, 4096).rpartition(b")")[2].split()[46])
    finally:
        posix.close(descriptor)
