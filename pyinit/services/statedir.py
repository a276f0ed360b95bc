"""What a service directory says, whether it is down, whether it brings a logger; and how its state lives in it."""

import posix

from pyinit.system import files

STATE = b"supervise"
LONGEST_LINK = 255
"""Debian's supervise follows a dangling `supervise` link only this far."""


def is_down(directory: int) -> bool:
    """Whether a file `down`, of any type, keeps the service from starting by itself. Raises OSError."""
    return not files.is_missing(b"down", directory) and files.exists(b"down", directory)


def has_log(name: bytes, parent: int) -> bool:
    """Whether service `name` has a `log`, of any type: daemontools' own rule. Raises OSError."""
    return files.exists(name + b"/log", parent)


def has_logger(name: bytes, parent: int) -> bool:
    """Whether service `name` brings a logger of its own, `log/run`; the sticky bit means nothing. Raises OSError."""
    if files.is_missing(name + b"/log", parent):
        return False
    try:
        return files.exists(name + b"/log/run", parent)
    except NotADirectoryError:
        return False


def make_state(directory: int) -> bool:
    """Make `supervise/`, mode 0700, and say so. One that is there, or cannot be made, is left for its users to judge.

    If `supervise` is a dangling link its target is made, one level, as Debian's supervise does (an image then keeps
    the state on a tmpfs). Raises OSError only when that link cannot be read.
    """
    try:
        posix.mkdir(STATE, 0o700, dir_fd=directory)
        return True
    except OSError:
        pass
    try:
        target = posix.readlink(STATE, dir_fd=directory)
    except OSError:
        return False
    if len(target) > LONGEST_LINK:
        raise OSError(36, "link too long")
    try:
        posix.mkdir(target, 0o700, dir_fd=directory)
    except OSError:
        return False
    return True


def open_fifo(name: bytes, directory: int, mode: int, verb: bytes, service: bytes) -> int:
    """Make the FIFO, if it is missing, and open it without waiting. Raises CannotOpen: unable to `verb` it."""
    files.make_fifo(name, directory)
    flags = posix.O_NONBLOCK | posix.O_CLOEXEC
    try:
        return posix.open(name, mode | flags, dir_fd=directory)
    except OSError as error:
        from pyinit.services.trouble import (
            CannotOpen,  # which svstat, that asks whether a service is down, does not need
        )

        trouble = CannotOpen(b"unable to %b %b/%b" % (verb, service, name), error)
    try:  # which of the two it was that failed, as a program with two descriptors would say
        posix.close(posix.open(name, posix.O_RDONLY | flags, dir_fd=directory))
    except OSError as error:
        trouble = CannotOpen(b"unable to read %b/%b" % (service, name), error)
    raise trouble


def open_ok(directory: int, service: bytes) -> int:
    """Have `supervise/ok` open for reading, as another name of `control`, which is open: -1. Where that can't be, as a
    FIFO of its own: its descriptor. Raises CannotOpen.
    """
    try:
        posix.link(b"supervise/control", b"supervise/ok", src_dir_fd=directory, dst_dir_fd=directory)
        return -1
    except OSError:  # it is there already, or there are no hard links here
        return open_fifo(b"supervise/ok", directory, posix.O_RDONLY, b"read", service)


class CannotReplace(Exception):
    """A status could not be replaced: what was to be done to `status.new`, and why not; None where no call failed."""

    def __init__(self, verb: bytes, ending: bytes, error: OSError | None) -> None:
        super().__init__(verb)
        self.verb = verb
        self.ending = ending
        self.error = error


def replace_status(directory: int, content: bytes) -> None:
    """Write beside, then rename. Raises CannotReplace; then the old status stays."""
    verb, ending = b"open", b""
    try:
        flags = files.WRITE_FLAGS | posix.O_TRUNC | posix.O_CREAT | posix.O_NOFOLLOW
        descriptor = posix.open(b"supervise/status.new", flags, 0o644, dir_fd=directory)
        verb = b"write"
        try:
            written = posix.write(descriptor, content)
        finally:
            posix.close(descriptor)
        if written < len(content):
            raise CannotReplace(verb, b": partial write", None)
        verb, ending = b"rename", b" to status"
        posix.rename(b"supervise/status.new", b"supervise/status", src_dir_fd=directory, dst_dir_fd=directory)
    except OSError as error:
        raise CannotReplace(verb, ending, error) from None
