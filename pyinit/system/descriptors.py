"""Descriptors that are held and seldom used: a lock, a FIFO, the ends of a pipe. Where there are many, in flight.

For every program started the kernel copies and closes each entry of the table of descriptors, which with two thousand
services was a fifth of a start. What is in flight (see `shelf`) is open, and locked, and is no entry. It counts
against the same limit (RLIMIT_NOFILE, though for all processes of a user together); what doesn't fit stays at hand, and
so does everything where descriptors can't be put in flight.
"""

import posix
from fcntl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyinit.system.shelf import Shelf


FIONREAD, NOTHING = 0x541B, bytes(4)
"""How many bytes can be read (ioctl_tty(2)), and the answer for none."""


def read_now(fifo: int, most: int) -> bytes:
    """What can be read without waiting, nothing if nothing can. Raises OSError.

    That is asked first: a read that finds nothing is an error, which takes ten times as long.
    """
    try:
        if ioctl(fifo, FIONREAD, NOTHING) == NOTHING:
            return b""
    except OSError:  # it has another number on this processor
        pass
    try:
        return posix.read(fifo, most)
    except BlockingIOError:
        return b""


class Descriptors:
    """Some descriptors that belong together, and to this object, in a fixed order.

    `with` gives them for as long as they are used, which must not be nested.
    """

    __slots__ = ("_at_hand", "_shelf")

    def __init__(self, *descriptors: int) -> None:
        self._at_hand = descriptors
        self._shelf: Shelf | None = None

    def __bool__(self) -> bool:
        return bool(self._at_hand) or self._shelf is not None

    def __enter__(self) -> tuple[int, ...]:
        """Raises OSError (EMFILE) where they are in flight and there is no room for them."""
        if self._shelf:
            self._at_hand = self._shelf.look(self)
        return self._at_hand

    def __exit__(self, *trouble: object) -> None:
        if self._shelf:
            self._close_at_hand()

    def store(self, storage: "Storage") -> None:
        """Put them away, if the storage takes them."""
        if self._at_hand and not self._shelf:
            storage.take(self)

    def lay_on(self, shelf: "Shelf") -> bool:
        """Put them on this shelf; False, and they stay at hand, if it takes no more. Raises OSError."""
        if not shelf.put(self, self._at_hand):
            return False
        self._shelf = shelf
        self._close_at_hand()
        return True

    def take_out(self) -> None:
        """Have them at hand again. Raises OSError, and they stay where they are, without room for them."""
        if self._shelf:
            with self as descriptors:
                self._shelf.drop(self)
                self._shelf = None  # and so they are not closed behind this
            self._at_hand = descriptors

    def close(self) -> None:
        """Close them. Raises OSError, and they stay open, without the room to move others that are in flight."""
        if self._shelf:
            self._shelf.drop(self)
            self._shelf = None
        self._close_at_hand()

    def _close_at_hand(self) -> None:
        descriptors, self._at_hand = self._at_hand, ()
        for descriptor in descriptors:
            posix.close(descriptor)


class Streams:
    """What a program is given at each start: the end of a `pipe`, as the descriptors `taken` there; and `others`, pairs
    of a descriptor here and one there. All stay the caller's.
    """

    __slots__ = ("_others", "_pipe", "_taken")

    def __init__(self, pipe: Descriptors, taken: "Sequence[int]", others: "Sequence[tuple[int, int]]" = ()) -> None:
        self._pipe = pipe
        self._taken = taken
        self._others = [(posix.POSIX_SPAWN_DUP2, here, there) for here, there in others]

    def __enter__(self) -> "list[tuple[int, int, int]]":
        """posix_spawn's file actions for them. Raises OSError."""
        ends = self._pipe.__enter__()
        return self._others + [(posix.POSIX_SPAWN_DUP2, end, there) for end in ends for there in self._taken]

    def __exit__(self, *trouble: object) -> None:
        self._pipe.__exit__(*trouble)


NO_STREAMS = Streams(Descriptors(), ())


class Storage:
    """Takes nothing before `begin`."""

    __slots__ = ("_is_in_use", "_shelves")

    def __init__(self) -> None:
        self._is_in_use = False
        self._shelves: list[Shelf] = []

    def begin(self) -> None:
        """From here on take what is put, if descriptors can be put in flight here."""
        from pyinit.system.shelf import can_store

        try:
            self._is_in_use = self._is_in_use or can_store()
        except OSError:
            pass

    def take(self, descriptors: Descriptors) -> None:
        """Put these away if that can be."""
        if not self._is_in_use:
            return
        try:
            if not self._shelves or not self._lay_on_last(descriptors):
                self._shelves.append(self._with_room())
                self._lay_on_last(descriptors)
        except OSError:  # too many are in flight, or there is no descriptor left for another shelf
            pass

    def _lay_on_last(self, descriptors: Descriptors) -> bool:
        shelf = self._shelves[-1]
        return shelf.has_room and descriptors.lay_on(shelf)

    def _with_room(self) -> "Shelf":
        """A shelf that has room again, taken from its place in the list; or a new one."""
        for index, shelf in enumerate(self._shelves):
            if shelf.has_room:
                return self._shelves.pop(index)
        from pyinit.system.shelf import Shelf

        return Shelf()
