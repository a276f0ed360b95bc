"""Logs on standard output, merged in the order of time: the svlog command."""

import posix
from _stat import S_ISFIFO

from pyinit.logs.reading.logfile import Reporter
from pyinit.logs.reading.merging import clip, rounds
from pyinit.logs.reading.output import Output, progress_bar
from pyinit.logs.reading.places import Places
from pyinit.logs.reading.reader import LogReader
from pyinit.logs.reading.show import PlainLook, Renderer, count
from pyinit.logs.reading.times import Clock
from pyinit.report import TROUBLE, die, say, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    from pyinit.logs.reading.matching import Matcher
    from pyinit.logs.reading.merging import Batch
    from pyinit.logs.reading.objects import ObjectLook
    from pyinit.logs.reading.query import Query

PROG = b"svlog"

GREATEST_BLOCK, LEAST_BLOCK = 1 << 18, 1 << 12
BLOCKS = 1 << 22
"""Bytes of all blocks that are merged at a time, about."""

ON_STDOUT = (
    b"services are logged to the container's standard output: docker logs CONTAINER shows that",
    b"with docker run -e PYINIT_LOG=both -v logs:/var/log/services their lines are kept for svlog too",
)
"""What is said where nothing is kept."""

MANY = 100
"""Logs that fit into the descriptors that every process may have."""


class Printout:
    """Prints the lines of a query. `logs`: the container's log directory; `services`: the service directory."""

    is_whole = True
    """Whether a line that has not ended counts as one."""

    def __init__(
        self, query: "Query", logs: bytes, services: bytes, is_on_stdout: "Callable[[], bool] | None" = None
    ) -> None:
        """`is_on_stdout`, asked where there is no log: whether lines go to the container's standard output instead."""
        self._query = query
        self._is_on_stdout = is_on_stdout
        self._places = Places(logs, services, query.names, self._error)
        self._reporter = Reporter(self._error)
        self._readers: dict[bytes, LogReader] = {}
        self._look = _look(query)
        self._output = _output(query)
        self._renderer = Renderer(self._look)
        self._matchers: dict[bytes, Matcher | None] = {}
        self._code = 0

    def run(self) -> int:
        """Print the logs as they are now; returns the exit code."""
        self._find()
        self._prepare()
        bar = progress_bar(sum(reader.left for reader in self._readers.values()))
        if bar:
            self._reporter.advance = bar.update
        self._print()
        if bar:
            bar.close()
        return self._code

    def _error(self, message: bytes, error: OSError | None) -> None:
        warn(PROG, message, error)
        self._code = TROUBLE

    def _find(self) -> None:
        """Take up new logs."""
        for name, path in self._places.find():
            if path not in self._readers:
                self._readers[path] = LogReader(name, path, self._query.since, self._reporter)
        if len(self._readers) > MANY:
            allow_descriptors()
        if not self._readers and self._is_on_stdout:
            if self._is_on_stdout():
                for message in ON_STDOUT:
                    say(PROG, message)
            self._is_on_stdout = None

    def _prepare(self) -> None:
        """Find out how much there is to read, and how much of that to leave out."""
        readers = list(self._readers.values())
        for reader in readers:
            self._refresh(reader)
        if isinstance(self._look, PlainLook):
            self._look.is_naming = len(set(self._query.names) or self._services()) > 1
        lines = self._query.lines
        if lines is None:
            return
        for reader in readers:
            if self._query.until and self.is_whole:
                reader.end_at(self._query.until)
            self._keep_tail(reader, lines)
        total = sum(map(self._count, readers))
        self._renderer.drop = max(0, total - lines)

    def _keep_tail(self, reader: LogReader, lines: int) -> None:
        """Leave out lines that are too far from the end to be shown. Matches may be far: look again, farther each time.

        As many as the context are read more: the first lines that are kept may be around a match that is not.
        """
        query, mark = self._query, reader.mark()
        reader.keep_tail(lines, query.until)
        if not query.search:
            return
        wanted, farther = lines + query.context, lines
        while reader.mark() != mark and self._count(reader) < wanted:
            farther = (farther + wanted) * 16
            reader.go_back(mark)
            reader.keep_tail(farther, query.until)

    def _count(self, reader: LogReader) -> int:
        """How many lines of a log are to be shown."""
        return count(self._select(reader.preview(self._block, self.is_whole), self._matcher()))

    def _services(self) -> set[bytes]:
        """The services that logs may belong to, if the query names none."""
        return {reader.name for reader in self._readers.values()}

    def _refresh(self, reader: LogReader) -> None:
        try:
            reader.refresh()
        except FileNotFoundError as error:
            if self._query.names:
                self._error(b"unable to open %b/current" % reader.path, error)
        except OSError as error:
            self._error(b"unable to read directory " + reader.path, error)

    @property
    def _block(self) -> int:
        return max(LEAST_BLOCK, min(GREATEST_BLOCK, BLOCKS // max(1, len(self._readers))))

    def _select(self, batches: "Iterator[Batch]", matcher: "Matcher | None") -> "Iterator[Batch]":
        """The lines of a log that the query asks for."""
        query = self._query
        if query.since or query.until:
            batches = clip(batches, query.since, query.until)
        return matcher.matching(batches) if matcher else batches

    def _matcher(self) -> "Matcher | None":
        if not self._query.search:
            return None
        from pyinit.logs.reading.matching import Matcher

        return Matcher(self._query.search, self._query.context)

    def _batches(self, reader: LogReader) -> "Iterator[Batch]":
        """The lines of a log that are not printed yet. What was around the last match is remembered."""
        if self._query.search and reader.path not in self._matchers:
            self._matchers[reader.path] = self._matcher()
        return self._select(self._unread(reader), self._matchers.get(reader.path))

    def _unread(self, reader: LogReader) -> "Iterator[Batch]":
        yield from reader.batches(self._block)
        if self.is_whole:
            yield from reader.finish()

    def _print(self) -> None:
        """Read and write everything found."""
        try:
            self._lay_out()
            self._finish()
        except BrokenPipeError:
            self._leave()
        except OSError as error:
            self._output.leave()
            die(PROG, b"unable to write to standard output", error)

    def _lay_out(self) -> None:
        readers = list(self._readers.values())
        text = self._renderer.text
        names = [reader.name for reader in readers]
        for parts in rounds([self._batches(reader) for reader in readers]):
            self._output.add(text(parts, names))

    def _finish(self) -> None:
        self._output.finish()

    def _leave(self) -> "NoReturn":
        """End: nobody reads any more."""
        self._output.leave()
        posix._exit(self._code)


def _look(query: "Query") -> "PlainLook | ObjectLook":
    if not query.is_json and not posix.isatty(1):
        return PlainLook(Clock(query.is_utc))
    if not query.is_json:
        from pyinit.logs.reading.terminal import TerminalLook, guard, has_colours

        guard()
        return TerminalLook(Clock(query.is_utc), has_colours(posix.environ))
    from pyinit.logs.reading.objects import ObjectLook

    return ObjectLook()


def _output(query: "Query") -> Output:
    """Standard output; through a pager where a person can see it and type: `docker exec -t` alone gives no keyboard."""
    if not query.is_following and posix.isatty(1) and posix.isatty(0):
        from pyinit.logs.reading.terminal import PagedOutput, pager

        if command := pager(posix.environ):
            return PagedOutput(command)
    return Output()


def has_pipe() -> bool:
    """Whether standard output is a pipe, whose reader may go."""
    return S_ISFIFO(posix.fstat(1).st_mode)


def allow_descriptors() -> None:
    """Raise the soft limit of descriptors to the hard one: each log takes some."""
    from resource import RLIMIT_NOFILE, getrlimit, setrlimit

    _, most = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (most, most))
