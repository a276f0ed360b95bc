"""The environment of the program that follows, as a list of entries: order, duplicates and odd entries kept.

A dictionary cannot say what daemontools hands on: the list may name a variable twice, and may hold entries without `=`.
Loaded only by the commands that change the environment.
"""

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn


def changed(entries: list[bytes], changes: "Iterable[bytes]") -> list[bytes]:
    """Apply changes, `NAME=VALUE` to set and `NAME` to remove, as daemontools does (pathexec_env.c).

    Only the first entry of a name goes, the last entry of the list taking its place; what is set is appended.
    """
    entries = list(entries)
    for change in changes:
        name, is_set, _ = change.partition(b"=")
        for index, entry in enumerate(entries):
            if entry.startswith(name + b"="):
                entries[index] = entries[-1]
                del entries[-1]
                break
        if is_set:
            entries.append(change)
    return entries


def value(content: bytes) -> bytes:
    """The value that a file of an environment directory holds, if it is not empty (envdir.c)."""
    return content.partition(b"\n")[0].rstrip(b" \t").replace(b"\0", b"\n")


def read_changes() -> list[bytes]:
    """What the files of the current directory ask for: `NAME=VALUE` to set, `NAME` to remove (envdir.c).

    Raises OSError; its `filename` is that of the file in trouble, or `.`.
    """
    changes = []
    for name in posix.listdir(b"."):
        if name.startswith(b"."):
            continue
        try:
            content = _read(name)
        except OSError as error:
            error.filename = name
            raise
        changes.append(b"%b=%b" % (name, value(content)) if content else name)
    return changes


def _read(name: bytes) -> bytes:
    """The whole file; nothing for a link that leads nowhere, where the C program repeats what it read before."""
    try:
        file_fd = posix.open(name, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    chunks = []
    try:
        while chunk := posix.read(file_fd, 65536):
            chunks.append(chunk)
    finally:
        posix.close(file_fd)
    return b"".join(chunks)


class _Pairs:
    """What posix.execve takes for a mapping; unlike a dict it keeps order and duplicates."""

    __slots__ = ("_names", "_values")

    def __init__(self, entries: list[bytes]) -> None:
        self._names, self._values = [], []
        for entry in entries:
            split = entry.index(b"=", 1)
            self._names.append(entry[:split])
            self._values.append(entry[split + 1 :])

    def __len__(self) -> int:
        return len(self._names)

    def keys(self) -> list[bytes]:
        return self._names

    def values(self) -> list[bytes]:
        return self._values

    def __getitem__(self, name: bytes) -> bytes:  # without it execve takes nothing for a mapping
        raise KeyError(name)


def execve(program: bytes, argv: list[bytes], entries: list[bytes]) -> "NoReturn":
    """Become program with exactly these entries. Raises OSError.

    Python refuses entries without a name or without `=`. A list that has one goes through ctypes, which takes
    milliseconds to import.
    """
    if all(b"=" in entry[1:] for entry in entries):
        mapping: Any = _Pairs(entries)
        posix.execve(program, argv, mapping)
    import ctypes

    def pointers(strings: list[bytes]) -> "ctypes.Array[ctypes.c_char_p]":
        return (ctypes.c_char_p * (len(strings) + 1))(*strings, None)

    ctypes.CDLL(None, use_errno=True).execve(program, pointers(argv), pointers(entries))
    raise OSError(ctypes.get_errno(), "")
