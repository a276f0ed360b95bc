"""Programs on a file system without the right to execute (noexec): started through the interpreter that they name.

Docker mounts a tmpfs so. The arguments are those that the kernel itself would give the interpreter: see execve(2).
"""

import posix
from errno import EACCES

from pyinit.system import files

HEAD = 256
"""Bytes that the kernel reads of a program to find its interpreter (BINPRM_BUF_SIZE)."""


class Interpreter:
    """Names interpreters for programs in directories of one file system, if that is noexec."""

    __slots__ = ("_device",)

    def __init__(self, directory: bytes) -> None:
        """`directory`: any of that file system. Raises OSError."""
        is_noexec = posix.statvfs(directory).f_flag & posix.ST_NOEXEC
        self._device = posix.stat(directory).st_dev if is_noexec else None

    def arguments(self, argv: list[bytes], directory_fd: int) -> list[bytes]:
        """The command line that starts argv[0], a script in the directory. Raises PermissionError if that is not ours.

        What follows the interpreter in the first line is one argument, whatever is in it.
        """
        if posix.fstat(directory_fd).st_dev == self._device:
            words = interpreter_of(files.read(argv[0], directory_fd, HEAD))
            if words:
                return words + argv
        raise PermissionError(EACCES, "")


def interpreter_of(head: bytes) -> list[bytes]:
    """The interpreter that the beginning of a program names, and its argument if it has one; nothing without any."""
    if not head.startswith(b"#!"):
        return []
    line = head.partition(b"\n")[0][2:].replace(b"\t", b" ").strip(b" ")
    name, _, argument = line.partition(b" ")
    return [word for word in (name, argument.lstrip(b" ")) if word]
