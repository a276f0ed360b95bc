"""Directories that tell when they change: dnotify (fcntl(2), F_NOTIFY).

The kernel sends SIGIO, which does not tell which directory changed. inotify would tell, but Python's standard library
has no call for it.
"""

import posix
from fcntl import DN_ATTRIB, DN_CREATE, DN_DELETE, DN_MODIFY, DN_MULTISHOT, DN_RENAME, F_NOTIFY, fcntl

NAMES_CHANGE = DN_CREATE | DN_DELETE | DN_RENAME | DN_ATTRIB | DN_MULTISHOT
"""A name comes, goes, or gets another mode."""

FILES_CHANGE = NAMES_CHANGE | DN_MODIFY
"""Or a file in the directory is written to."""


FILES_CHANGE_ONCE = FILES_CHANGE & ~DN_MULTISHOT
"""The same, once: the watch sleeps until `watch_again`."""


def watch(directory_fd: int, changes: int) -> int:
    """Have SIGIO sent at each change until the returned descriptor, the caller's, is closed. Raises OSError.

    The watch has a descriptor of its own: closing any duplicate of one ends its watch, and `listdir` closes one.
    """
    watch_fd = posix.open(".", posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC, dir_fd=directory_fd)
    try:
        fcntl(watch_fd, F_NOTIFY, changes)
    except OSError:
        posix.close(watch_fd)
        raise
    return watch_fd


def watch_again(watch_fd: int, changes: int) -> None:
    """Wake a watch of FILES_CHANGE_ONCE, asleep or not. Raises OSError."""
    fcntl(watch_fd, F_NOTIFY, changes)
