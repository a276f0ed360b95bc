"""Descriptors kept for later: held by nothing but their numbers, and given back when something must be opened."""

import posix


class Reserve:
    """Up to `count` descriptors. Whoever needs them calls `release`, opens at once, and then `fill`."""

    __slots__ = ("_count", "_fds")

    def __init__(self, count: int) -> None:
        self._count = count
        self._fds: list[int] = []

    def fill(self) -> None:
        """Hold as many as can be had. Never raises."""
        try:
            while len(self._fds) < self._count:
                self._fds.append(posix.open("/", posix.O_PATH | posix.O_CLOEXEC))
        except OSError:
            pass

    def release(self) -> None:
        """Give all of them back."""
        while self._fds:
            try:
                posix.close(self._fds.pop())
            except OSError:
                pass
