"""The descriptors of one owner, by name."""

import posix


class Fds:
    """A subclass lists its descriptors in `__slots__`. Each is -1 while it is not open, and belongs to this object."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, **fds: int) -> None:
        for name in self.__slots__:
            setattr(self, name, fds.get(name, -1))

    def close(self, *names: str) -> None:
        """Close those that are open: the named ones, or all."""
        for name in names or self.__slots__:
            fd = getattr(self, name)
            if fd >= 0:
                setattr(self, name, -1)
                try:
                    posix.close(fd)
                except OSError:  # it is closed all the same (close(2)), and the others are to be
                    pass
