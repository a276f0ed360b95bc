"""Standard output in large pieces, and how far a long read has come."""

import posix

from pyinit.system.optional import imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PIECE = 1 << 16
LONG_READ = 1 << 23
"""Bytes that a person waits for long enough to be shown how far it is."""


class Output:
    """Descriptor 1. `add`, `flush` and `finish` raise OSError, BrokenPipeError where nobody reads any more."""

    __slots__ = ("_chunks", "_fd", "_size")

    def __init__(self) -> None:
        self._fd = 1
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, text: bytes) -> None:
        """Write it, now or with what follows."""
        self._chunks.append(text)
        self._size += len(text)
        if self._size >= PIECE:
            self.flush()

    def flush(self) -> None:
        """Write all of it."""
        view = memoryview(b"".join(self._chunks))
        self._chunks, self._size = [], 0
        while view:
            try:
                view = view[posix.write(self._fd, view) :]
            except BlockingIOError:
                _wait_for_room()

    def finish(self) -> None:
        """Write all of it: nothing follows."""
        self.flush()

    def leave(self) -> None:
        """Nobody reads any more."""


def _wait_for_room() -> None:
    """Standard output is non-blocking by somebody else's wish."""
    from select import POLLOUT, poll

    ready = poll()
    ready.register(1, POLLOUT)
    ready.poll()


def progress_bar(total: int) -> "Any":
    """A bar on standard error for so many bytes, with `update` and `close`; None if no person waits, or not for long.

    That is when standard error is a terminal and standard output, on which lines go by, is none. By tqdm, if there is.
    """
    if total < LONG_READ or not posix.isatty(2) or posix.isatty(1):
        return None
    tqdm = imported("tqdm")
    return tqdm.tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, leave=False) if tqdm else None
