"""Files as daemontools opens them: relative to a directory descriptor, never waiting, close-on-exec.

Every function takes `directory`, a descriptor that names are relative to (O_PATH will do), and raises OSError.
The returned descriptors belong to the caller.
"""

import posix
from _stat import S_ISREG
from errno import ENOSPC

WRITE_FLAGS = posix.O_WRONLY | posix.O_NONBLOCK | posix.O_CLOEXEC
READ_FLAGS = posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC

NOT_REGULAR = "not a regular file"

CAN_ASK = posix.access(b"/", posix.F_OK, follow_symlinks=False)
"""Whether a name is there; a sandbox may refuse that call (faccessat2 under Docker before 20.10)."""


def open_directory(name: bytes, directory: int | None = None) -> int:
    """A descriptor that only names the directory (O_PATH): search permission is asked for, as by chdir, not read.

    The `.` asks for it.
    """
    path = name + b"/." if name else name
    return posix.open(path, posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC, dir_fd=directory)


def lock(name: bytes, directory: int) -> int:
    """Open for append, make if missing (0600), and flock without waiting: BlockingIOError when held elsewhere.

    No link is followed: the directory may be another user's, and the link lead to a file of ours.
    """
    import fcntl

    flags = WRITE_FLAGS | posix.O_APPEND | posix.O_CREAT | posix.O_NOFOLLOW
    descriptor = posix.open(name, flags, 0o600, dir_fd=directory)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        posix.close(descriptor)
        raise
    return descriptor


def make_fifo(name: bytes, directory: int) -> None:
    """A FIFO of mode 0600; whatever has the name already is kept, to be judged by the open that follows."""
    try:
        posix.mkfifo(name, 0o600, dir_fd=directory)
    except OSError:
        pass


def create(name: bytes, content: bytes, directory: int) -> int:
    """Make a file of mode 0644 with this content; FileExistsError where there is something of that name.

    Returns the descriptor that it was written with.
    """
    flags = WRITE_FLAGS | posix.O_CREAT | posix.O_EXCL
    descriptor = posix.open(name, flags, 0o644, dir_fd=directory)
    try:
        is_whole = posix.write(descriptor, content) == len(content)
    except OSError:
        is_whole = False
    if not is_whole:
        posix.close(descriptor)
        posix.unlink(name, dir_fd=directory)
        raise OSError("partial write")
    return descriptor


def replace(path: bytes, content: bytes) -> None:
    """Write a file of mode 0644 beside, then rename: a reader sees the old file or the new one."""
    beside = path + b".new"
    descriptor = posix.open(beside, WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT | posix.O_NOFOLLOW, 0o644)
    try:
        posix.fchmod(descriptor, 0o644)
        if posix.write(descriptor, content) != len(content):
            raise OSError(ENOSPC, "")
    finally:
        posix.close(descriptor)
    posix.rename(beside, path)


def is_missing(name: bytes, directory: int | None = None) -> bool:
    """Whether there is nothing of that name, not even a link that leads nowhere; False also where that can't be told.

    For what is missing most of the time: an error takes ten times as long, and more after a while of sleep. A directory
    on the way that may not be searched hides its names: ask only for names in one that can be.
    """
    return CAN_ASK and not posix.access(name, posix.F_OK, dir_fd=directory, follow_symlinks=False)


def exists(name: bytes, directory: int | None = None) -> bool:
    """Whether stat finds it. ENOENT alone means no; any other trouble is raised."""
    try:
        posix.stat(name, dir_fd=directory)
    except FileNotFoundError:
        return False
    return True


def make_directories(name: bytes) -> None:
    """Make an absolute directory and those on the way to it, where they are missing. Failing is left for its user."""
    try:
        posix.stat(name)
        return
    except OSError:
        parts = name.split(b"/")
    for count in range(2, len(parts) + 1):
        try:
            posix.mkdir(b"/".join(parts[:count]), 0o755)
        except OSError:
            continue


def fill_standard_descriptors() -> None:
    """Open descriptors 0, 1 and 2 on /dev/null where they are closed: another file could become one of them."""
    for standard_fd in range(3):
        try:
            posix.fstat(standard_fd)
        except OSError:
            posix.open("/dev/null", posix.O_RDWR)


def close_all(*descriptors: int) -> None:
    """Close those that are descriptors; -1 stands for none."""
    for descriptor in descriptors:
        if descriptor >= 0:
            posix.close(descriptor)


def read(name: bytes, directory: int | None = None, most: int = 1 << 62) -> bytes:
    """The whole of a file; at the most its first `most` bytes."""
    descriptor = posix.open(name, READ_FLAGS, dir_fd=directory)
    chunks = []
    try:
        while most > 0 and (chunk := posix.read(descriptor, min(most, 65536))):
            chunks.append(chunk)
            most -= len(chunk)
    finally:
        posix.close(descriptor)
    return b"".join(chunks)


def read_bounded(name: bytes, directory: int | None, most: int) -> bytes:
    """The whole of a small regular file, opened without waiting. Raises OSError, as read_regular does."""
    return read_regular(posix.open(name, READ_FLAGS, dir_fd=directory), most)


def read_regular(descriptor: int, most: int) -> bytes:
    """The whole of a small regular file that was opened without waiting; closes it.

    Raises OSError; without an errno where it is no regular file, or larger than `most` bytes: `strerror` says so.
    """
    try:
        if not S_ISREG(posix.fstat(descriptor).st_mode):
            raise OSError(None, NOT_REGULAR)
        content = b""
        while chunk := posix.read(descriptor, most + 1 - len(content)):
            content += chunk
            if len(content) > most:
                raise OSError(None, f"longer than {most} bytes")
        return content
    finally:
        posix.close(descriptor)
