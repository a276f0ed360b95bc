"""Logs on standard output as they grow: svlog -f."""

from time import monotonic, time_ns

from pyinit.logs.reading.printout import PROG, Printout, allow_descriptors, has_pipe
from pyinit.logs.reading.watching import Watcher
from pyinit.system.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyinit.logs.reading.query import Query
    from pyinit.logs.reading.reader import LogReader

LONGEST_WAIT = 86400.0
"""Seconds; epoll knows no much longer time."""


class FollowedPrintout(Printout):
    """Prints the logs, then the lines that are added, until the query's end."""

    is_whole = False

    def __init__(
        self, query: "Query", logs: bytes, services: bytes, is_on_stdout: "Callable[[], bool] | None" = None
    ) -> None:
        super().__init__(query, logs, services, is_on_stdout)
        self._is_first = True

    def run(self) -> int:
        """Print until the query's end, if it has one; returns the exit code."""
        allow_descriptors()
        loop = Loop(PROG)
        if has_pipe():
            loop.add_reader(1, self._leave)  # the only event at this end of a pipe is that its reader is gone
        Watcher(loop, self._search, self._follow).start()
        if self._query.until:
            self._end_by(loop)
        return loop.run()

    def _end_by(self, loop: Loop) -> None:
        """End when no more lines can come. It asks the wall clock again, because somebody may set that."""
        left = (self._query.end - time_ns()) / 1e9
        if left > 0:
            loop.call_at(monotonic() + min(left, LONGEST_WAIT), lambda: self._end_by(loop))
            return
        self._follow()
        loop.stop(self._code)

    def _search(self) -> "tuple[Iterable[bytes], Iterable[bytes]]":
        self._find()
        return self._readers, self._places.searched

    def _follow(self) -> None:
        """Print the lines that were added since the last time."""
        if self._is_first:
            self._is_first = False
            self._prepare()
        else:
            for reader in self._readers.values():
                self._refresh(reader)
        self._print()

    def _finish(self) -> None:
        self._output.flush()

    def _services(self) -> set[bytes]:
        return {*super()._services(), b"one more", b"that may come"}

    def _refresh(self, reader: "LogReader") -> None:
        """Refresh a log. A missing one may come again; other trouble is told once."""
        try:
            reader.refresh()
        except FileNotFoundError:
            return
        except OSError as error:
            if not reader.is_told:
                reader.is_told = True
                self._error(b"unable to read directory " + reader.path, error)
