"""The arguments of this process, which `ps` shows, as a place to write to: the last of them, in its own memory.

Source: readproctitle.c of daemontools 0.76.
"""

import posix


class Title:
    """The last `room` bytes of the last argument, and three dots before them.

    The argument ends, with a NUL, where the kernel says that the arguments end. Raises OSError where that cannot be
    read, or this process's memory cannot be opened.
    """

    __slots__ = ("_memory_fd", "_start")

    def __init__(self, room: int) -> None:
        self._start = _argument_end() - 1 - room
        self._memory_fd = posix.open("/proc/self/mem", posix.O_WRONLY | posix.O_CLOEXEC)

    def show(self, text: bytes) -> None:
        """Replace what follows the three dots."""
        posix.pwrite(self._memory_fd, b"..." + text, self._start - 3)


def _argument_end() -> int:
    """The address after the arguments: field 49 of /proc/self/stat, counted after the name, which may hold anything."""
    stat_fd = posix.open("/proc/self/stat", posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return int(posix.read(stat_fd, 4096).rpartition(b")")[2].split()[46])
    finally:
        posix.close(stat_fd)
