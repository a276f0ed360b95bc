"""Files inside a directory: a link is followed only where it ends in there.

openat2(2) with RESOLVE_BENEATH would do it, but Python cannot call it. Instead the file at the end of the link is
pinned by O_PATH, which opens no device and waits for no FIFO. Then its path in /proc is compared with the directory's.
What is read afterwards is the pinned file, so a link that changes meanwhile decides nothing.

Two races are accepted. A directory that is renamed between the two looks counts as outside; it is read again at its
next change. Who may write to the directory may also link (hard) or copy a file into it, and is not kept from that.
"""

import posix
from _stat import S_ISREG
from errno import ELOOP

from pyinit.system.files import NOT_REGULAR, READ_FLAGS


def open_beneath(name: bytes, directory: int, *others: int) -> int:
    """A descriptor of the file `name`, for reading without waiting; it belongs to the caller.

    A link may also end inside one of the `others`, which are descriptors of directories as `directory` is.
    Raises FileNotFoundError only where nothing has that name, else OSError, without an errno for a link that may not be
    followed.
    """
    try:
        return posix.open(name, READ_FLAGS | posix.O_NOFOLLOW, dir_fd=directory)
    except OSError as error:
        if error.errno != ELOOP:
            raise
    try:
        pinned_fd = posix.open(name, posix.O_PATH | posix.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        raise OSError(None, "a link that leads nowhere") from None
    try:
        if not S_ISREG(posix.fstat(pinned_fd).st_mode):
            raise OSError(None, NOT_REGULAR)
        tops = tuple(_path(top_fd).rstrip(b"/") + b"/" for top_fd in (directory, *others))
        if not _path(pinned_fd).startswith(tops):
            raise OSError(None, "a link that leads outside the directory")
        return posix.open(b"/proc/self/fd/%d" % pinned_fd, READ_FLAGS)
    finally:
        posix.close(pinned_fd)


def _path(descriptor: int) -> bytes:
    """Where an open file is now. A file that was removed keeps its path, with ` (deleted)` behind it."""
    try:
        return posix.readlink(b"/proc/self/fd/%d" % descriptor)
    except FileNotFoundError:
        raise OSError(None, "a link, and there is no /proc to see where it leads") from None
