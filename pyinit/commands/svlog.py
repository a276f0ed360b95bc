"""svlog [-f] [-n LINES] [--since T] [--until T] [--utc] [SERVICE...]: prints logs, merged in the order of time."""

import posix
from _stat import S_ISFIFO
from time import monotonic, time_ns

from pyinit.formats.paths import LOGS
from pyinit.logs.reading.file import Witness
from pyinit.logs.reading.merging import clip, rounds
from pyinit.logs.reading.output import Output, progress_bar
from pyinit.logs.reading.places import Places
from pyinit.logs.reading.reader import LogReader
from pyinit.logs.reading.show import Printer, count
from pyinit.logs.reading.times import Clock, key, understand
from pyinit.report import TROUBLE, die, say, usage, warn
from pyinit.view.names import service_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import NoReturn

    from pyinit.logs.reading.merging import Batch
    from pyinit.system.loop import Loop

PROG = b"svlog"
ARGUMENTS = b"[-f] [-n LINES] [--since T] [--until T] [--utc] [SERVICE...]"
FOLLOWED = 10
"""Lines shown before those that are followed, unless -n says so."""

GREATEST_BLOCK, LEAST_BLOCK = 1 << 18, 1 << 12
BLOCKS = 1 << 22
"""Bytes of all blocks that are merged at a time, about."""

LONGEST_WAIT = 86400.0
"""Seconds; epoll knows no much longer time."""

MANY = 100
"""Logs that fit into the descriptors that every process may have."""


def main(argv: list[bytes]) -> int:
    """Print what there is, and with -f what comes; 111 if anything could not be read."""
    options = Options(argv[1:])
    return Follow(options).run() if options.is_following else Print(options).run()


class Options:
    """The command line. Wrong usage ends the program."""

    __slots__ = ("_now", "end", "is_following", "is_utc", "lines", "names", "since", "until")

    def __init__(self, arguments: list[bytes]) -> None:
        self.is_following = self.is_utc = False
        self.lines: int | None = None
        self.names: list[bytes] = []
        self._now = time_ns()
        times = {b"--since": b"", b"--until": b""}
        self._parse(arguments, times)
        since, until = map(self._time, times.values())
        self.since = b"" if since is None else key(since)
        self.until = b"" if until is None else key(until)
        self.end = until or 0
        """`until` in unix ns."""
        if self.is_following and self.lines is None:
            self.lines = FOLLOWED
        if self.until and self.end <= self._now:
            self.is_following = False

    def _parse(self, arguments: list[bytes], times: dict[bytes, bytes]) -> None:
        """Options may be anywhere before `--`."""
        rest = iter(arguments)
        for argument in rest:
            name, equals, value = argument.partition(b"=")
            if argument == b"--":
                self.names += rest
            elif name in times:
                times[name] = value if equals else next(rest, b"")
                if not times[name]:
                    usage(PROG, ARGUMENTS)
            elif argument == b"--utc":
                self.is_utc = True
            elif argument[:1] == b"-" and argument != b"-":
                self._letters(argument[1:], rest)
            else:
                self.names.append(argument)

    def _letters(self, letters: bytes, rest: "Iterator[bytes]") -> None:
        while letters[:1] == b"f":
            self.is_following = True
            letters = letters[1:]
        if letters[:1] == b"n":
            number = letters[1:] or next(rest, b"")
            if number.isdigit() and len(number) < 19:
                self.lines = int(number)
                return
        if letters:
            usage(PROG, ARGUMENTS)

    def _time(self, text: bytes) -> int | None:
        if not text:
            return None
        try:
            return understand(text, self._now, self.is_utc)
        except ValueError:
            say(PROG, b"fatal: unable to understand time " + text)
            usage(PROG, ARGUMENTS)


class Print:
    """Logs to standard output."""

    is_whole = True
    """Whether a line that has not ended is one."""

    def __init__(self, options: Options) -> None:
        self._options = options
        logs = posix.environ.get(b"PYINIT_LOG_DIR") or LOGS
        self._places = Places(logs, service_directory(), options.names, self._complain)
        self._witness = Witness(self._complain)
        self._readers: dict[bytes, LogReader] = {}
        self._printer = Printer(Clock(options.is_utc))
        self._output = Output()
        self._code = 0

    def run(self) -> int:
        """Print what there is; returns the exit code."""
        self._find()
        self._prepare()
        bar = progress_bar(sum(reader.left for reader in self._readers.values()))
        if bar:
            self._witness.advance = bar.update
        self._print()
        if bar:
            bar.close()
        return self._code

    def _complain(self, message: bytes, error: OSError | None) -> None:
        warn(PROG, message, error)
        self._code = TROUBLE

    def _find(self) -> None:
        """Take up the logs that there are now."""
        found = self._places.find()
        for name, path in found:
            if path not in self._readers:
                self._readers[path] = LogReader(name, path, self._options.since, self._witness)
        if len(self._readers) > MANY:
            allow_descriptors()

    def _prepare(self) -> None:
        """Find what is to be read, and what of that is to be left out."""
        readers = list(self._readers.values())
        for reader in readers:
            self._refresh(reader)
        self._printer.is_naming = len(set(self._options.names) or self._services()) > 1
        lines = self._options.lines
        if lines is None:
            return
        for reader in readers:
            reader.keep_tail(lines, self._options.until)
        total = sum(count(self._clip(reader.preview(self._block, self.is_whole))) for reader in readers)
        self._printer.drop = max(0, total - lines)

    def _services(self) -> set[bytes]:
        """Services that there may be logs of, if none is named."""
        return {reader.name for reader in self._readers.values()}

    def _refresh(self, reader: LogReader) -> None:
        try:
            reader.refresh()
        except FileNotFoundError as error:
            if self._options.names:
                self._complain(b"unable to open %b/current" % reader.path, error)
        except OSError as error:
            self._complain(b"unable to read directory " + reader.path, error)

    @property
    def _block(self) -> int:
        return max(LEAST_BLOCK, min(GREATEST_BLOCK, BLOCKS // max(1, len(self._readers))))

    def _clip(self, batches: "Iterator[Batch]") -> "Iterator[Batch]":
        options = self._options
        return clip(batches, options.since, options.until) if options.since or options.until else batches

    def _batches(self, reader: LogReader) -> "Iterator[Batch]":
        yield from reader.batches(self._block)
        if self.is_whole:
            yield from reader.finish()

    def _print(self) -> None:
        """Read and write all that was found."""
        readers = list(self._readers.values())
        text = self._printer.text
        names = [reader.name for reader in readers]
        try:
            for parts in rounds([self._clip(self._batches(reader)) for reader in readers]):
                self._output.add(text(parts, names))
            self._output.flush()
        except BrokenPipeError:
            self._leave()
        except OSError as error:
            die(PROG, b"unable to write to standard output", error)

    def _leave(self) -> "NoReturn":
        """Nobody reads any more."""
        posix._exit(self._code)


class Follow(Print):
    """Logs to standard output as they grow."""

    is_whole = False

    def run(self) -> int:
        """Print what there is, then what comes, until what is to be the last; returns the exit code."""
        from pyinit.logs.reading.following import Follower
        from pyinit.system.loop import Loop

        allow_descriptors()
        loop = Loop(PROG)
        if S_ISFIFO(posix.fstat(1).st_mode):
            loop.add_reader(1, self._leave)  # what can come from it is only that nobody reads it any more
        self._is_first = True
        Follower(loop, self._search, self._follow).start()
        if self._options.until:
            self._end_by(loop)
        return loop.run()

    def _end_by(self, loop: "Loop") -> None:
        """End when there is nothing more to come; by the wall clock, which may be set."""
        left = (self._options.end - time_ns()) / 1e9
        if left > 0:
            loop.call_at(monotonic() + min(left, LONGEST_WAIT), lambda: self._end_by(loop))
            return
        self._follow()
        loop.stop(self._code)

    def _search(self) -> "tuple[Iterable[bytes], Iterable[bytes]]":
        self._find()
        return self._readers, self._places.searched

    def _follow(self) -> None:
        """Print what was added since the last time."""
        if self._is_first:
            self._is_first = False
            self._prepare()
        else:
            for reader in self._readers.values():
                self._refresh(reader)
        self._print()

    def _services(self) -> set[bytes]:
        return {*super()._services(), b"one more", b"that may come"}

    def _refresh(self, reader: LogReader) -> None:
        """A log that is not there may come again; of other trouble it is enough to tell once."""
        try:
            reader.refresh()
        except FileNotFoundError:
            return
        except OSError as error:
            if not reader.is_told:
                reader.is_told = True
                self._complain(b"unable to read directory " + reader.path, error)


def allow_descriptors() -> None:
    """As many descriptors as may be: each log takes some."""
    from resource import RLIMIT_NOFILE, getrlimit, setrlimit

    _, most = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (most, most))
