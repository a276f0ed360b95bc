"""What process 1 is put together from, as Init and Ending see it; and the set of services where there are none."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sized
    from typing import Protocol

    from pyinit.services.pair import Pair

    class Services(Protocol):
        """The set of services: a Scanner, or NoServices."""

        @property
        def pairs(self) -> Sized:
            """The services that are known."""

        @property
        def untaken(self) -> Collection[bytes]:
            """The names that could not be taken up as services, for now."""

        def subscribe(self, callback: Callable[[Pair], None]) -> None:
            """Call when something of a pair has changed."""

        def rescan(self) -> None:
            """Look for new services, and at what all of them say."""

        def stop(self, deadline: float, in_order_until: float) -> None:
            """Bring every service down by the deadline; until a moment before, in the order that they ask for.

            Both in monotonic s.
            """

        def finish_by(self, deadline: float) -> None:
            """The deadline is another one (monotonic s)."""

        def stuck(self, pairs: Iterable[Pair], waits_for_anything: bool) -> list[bytes]:
            """Why only a person brings up some of these services; also those that wait for unknown ones, or not."""

        def signal(self, name: bytes, number: int) -> None:
            """Send a signal to one service."""

        def everything(self) -> Iterable[Pair]:
            """All pairs of which something may be left."""

        @property
        def worker(self) -> int:
            """The pid of a process of ours that asks about them, which ends by itself; 0 when none runs."""

    class Logger(Protocol):
        """A process of this program's own that logs, and ends by itself once its pipes have."""

        @property
        def pid(self) -> int:
            """Its pid, 0 when it does not run."""

        @property
        def has_lost(self) -> bool:
            """Whether lines were given up at the deadline."""

        def finish_by(self, deadline: float) -> None:
            """Give up at this moment (monotonic s) what cannot be written."""

        def release(self) -> None:
            """Give back the descriptors that it keeps in reserve."""

        def subscribe(self, callback: Callable[[], None]) -> None:
            """Call when it has ended."""

        def finish(self) -> None:
            """Let it end when the pipes that it has are drained."""

        def rotate(self) -> None:
            """Begin new files."""


class NoServices:
    """The Services of a container that has a main command and nothing else."""

    __slots__ = ()
    pairs: "Sized" = ()
    untaken: "Collection[bytes]" = ()
    worker = 0

    def subscribe(self, callback: "Callable[[Pair], None]") -> None:
        """Nothing will change."""

    def rescan(self) -> None:
        """Nothing is found."""

    def stop(self, deadline: float, in_order_until: float) -> None:
        """Nothing is brought down."""

    def finish_by(self, deadline: float) -> None:
        """Nothing takes time."""

    def stuck(self, pairs: "Iterable[Pair]", waits_for_anything: bool) -> list[bytes]:
        """Nobody waits."""
        return []

    def signal(self, name: bytes, number: int) -> None:
        """Nobody gets it."""

    def everything(self) -> "tuple[Pair, ...]":
        """Nothing."""
        return ()
