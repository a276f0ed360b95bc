"""One stream through one multilog script.

    log = Multilog(script.parse(arguments), clock, stdout, stderr, warn)
    log.open()                          # raises CannotOpenLog: fatal at start-up, with daemontools' words
    log.feed(block, clock())            # what was read from the stream, when it was read
    log.is_pending                      # is something unwritten? then read no more of this stream, until it is not
    log.has_trouble                     # ... because a system call failed: retry() PAUSE seconds later
    log.processors                      # ... because of these children: reaped(pid, outcome) when one has ended
    log.rotate()                        # SIGALRM
    log.finish()                        # end of input, or of a stream that is not is_inside a line
    log.close()                         # gives up the locks

Nothing here waits and nothing is lost: a log directory or status file in trouble keeps its bytes and its place in what
it was doing. Each trouble goes to `warn` as it arises, so once for each retry that fails. `open`, `rotate` and
`finish` may leave work pending too, and may be called while there is some: each directory does it in its turn. Whoever
called finish closes when is_pending is false. `retry` raises CannotOpenLog, as `open` does, while a recovery goes on.

Memory: at most 999 bytes between blocks; while work is pending, per directory, what one block becomes: up to 27 times
the block if all its lines are empty and stamped, not more than 1.3 times for lines of 100 bytes.

`stdout` gets whole lines, in calls that end with a newline; only a line of 1000 bytes or more may come in more than
one, the last of them ending with its newline, the prefix in front of the first. (Several `1` in one script take turns
at such a line as it comes.) `stderr` gets whole lines. Neither may raise.
The umask is to be 022. Names are relative to the working directory at the time of `open`.
"""

from pyinit.logs.multilog.directory import LogDirectory
from pyinit.logs.multilog.lines import BEGUN, MORE, Lines, stamp_lines
from pyinit.logs.multilog.retry import CannotOpenLog, Trouble
from pyinit.logs.multilog.script import Directory, Rule, Stamp, Status, Stderr, Stdout
from pyinit.logs.multilog.sinks import StandardError, StandardOutput, StatusFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.multilog.lines import Piece
    from pyinit.logs.multilog.pattern import Selection
    from pyinit.logs.multilog.script import Script

    Write = Callable[[bytes], None]
    Warn = Callable[[Trouble], None]
    Sink = LogDirectory | StatusFile | StandardError | StandardOutput

__all__ = ["PAUSE", "CannotOpenLog", "Counts", "Multilog", "Trouble"]

NEWLINE = 10

PAUSE = 5.0
"""Seconds between two tries of what failed."""


COUNTED = (LogDirectory, StandardOutput)


class Counts:
    """What went into log directories and to standard output, as it came, or was kept from there by rules.

    A line that goes to several of them counts for each.
    """

    __slots__ = ("bytes", "deselected", "lines")

    def __init__(self) -> None:
        self.lines = self.bytes = self.deselected = 0

    def add(self, lines: int, size: int, deselected: int = 0) -> None:
        """Count lines of together `size` bytes, and lines that were deselected."""
        self.lines += lines
        self.bytes += size
        self.deselected += deselected


class Multilog:
    """See the head of this file. `start` starts a processor: by default a forked `/bin/sh -c`."""

    __slots__ = ("_directories", "_following", "_keepers", "_lines", "_mixes", "_places", "counts")

    def __init__(
        self,
        script: "Script",
        clock: "Callable[[], int]",
        stdout: "Write",
        stderr: "Write",
        warn: "Warn",
        start: "Callable[[int, bytes], int] | None" = None,
    ) -> None:
        self.counts: Counts | None = None
        """None: nothing is counted, which would take long."""
        self._lines = Lines(stamped=any(isinstance(action, Stamp) for action in script))
        self._places: list[tuple[Selection | None, Sink]] = []
        """What is selected there (None: every line), and where it goes."""
        self._following: list[Sink] = []
        """Where the line goes that streams through."""
        rules: list[Rule] = []
        selection: Selection | None = None
        for action in script:
            sink: Sink
            match action:
                case Stamp():
                    continue
                case Rule():
                    rules.append(action)
                    selection = _selection(rules)
                    continue
                case Directory():
                    sink = LogDirectory(action, clock, warn, start)
                case Status():
                    sink = StatusFile(action.name, warn)
                case Stderr():
                    sink = StandardError(stderr)
                case _:
                    sink = StandardOutput(stdout, action.prefix)
            self._places.append((selection, sink))
        sinks = [sink for _, sink in self._places]
        self._directories = [sink for sink in sinks if isinstance(sink, LogDirectory)]
        self._keepers: list[StatusFile | LogDirectory] = [
            *(sink for sink in sinks if isinstance(sink, StatusFile)),
            *self._directories,
        ]
        outputs = [
            action.name if isinstance(action, Status) else type(action)
            for action in script
            if isinstance(action, Status | Stderr | Stdout)
        ]
        self._mixes = len(set(outputs)) < len(outputs)

    @property
    def is_inside(self) -> bool:
        """Whether the stream, as far as it was fed, ended inside a line."""
        return self._lines.is_inside

    @property
    def is_pending(self) -> bool:
        """Whether something is unwritten."""
        for keeper in self._keepers:  # noqa: SIM110 - asked for each line that comes alone; a generator costs thrice
            if keeper.is_busy:
                return True
        return False

    @property
    def has_trouble(self) -> bool:
        """Whether `retry` is called for."""
        return any(keeper.trouble for keeper in self._keepers)

    @property
    def processors(self) -> list[int]:
        """The pids whose outcome `reaped` is to be given."""
        return [directory.pid for directory in self._directories if directory.pid]

    def open(self) -> None:
        """Open the status files, then the directories, from left to right. Raises CannotOpenLog."""
        for keeper in self._keepers:
            keeper.open()

    def feed(self, block: bytes, now: int) -> None:
        """Take a block, not empty, that was read at `now` (unix ns)."""
        self._act(self._lines.feed(block, now))

    def rotate(self) -> None:
        """Start a new `current` in each directory whose own is not empty. A line held back goes to the new one."""
        for directory in self._directories:
            directory.rotate()

    def finish(self) -> None:
        """The end of the stream: a last line without newline gets one; directories are synced and marked finished."""
        self._act(self._lines.finish())
        for directory in self._directories:
            directory.finish()

    def retry(self) -> None:
        """Try again what failed, in each directory that has trouble. Raises CannotOpenLog while opening."""
        for keeper in self._keepers:
            keeper.retry()

    def reaped(self, pid: int, outcome: int) -> None:
        """One of `processors` has ended. `outcome`: its exit code, or minus the signal that killed it."""
        for directory in self._directories:
            if directory.pid == pid:
                directory.reaped(outcome)
                return

    def close(self) -> None:
        """Close everything, whatever is pending. Without `finish` the next start finds a crash to recover from."""
        for keeper in self._keepers:
            keeper.close()

    def _act(self, pieces: "list[Piece]") -> None:
        for kind, text, start, stop, label in pieces:
            if kind == BEGUN:
                self._begin(text, label)
            elif kind == MORE:
                for sink in self._following:
                    sink.more(text, start, stop)
                    if self.counts and isinstance(sink, COUNTED):
                        self.counts.add(text[stop - 1] == NEWLINE, stop - start)
            elif self._mixes:
                for line in text[start : stop - 1].split(b"\n"):
                    self._take(line + b"\n", 0, len(line) + 1, label)
            else:
                self._take(text, start, stop, label)

    def _take(self, text: bytes, start: int, stop: int, label: bytes) -> None:
        """Pass whole lines through the script."""
        stamped: tuple[bytes, int, int] | None = None
        counts = self.counts
        lines = text.count(b"\n", start, stop) if counts else 0
        for selection, sink in self._places:
            if selection is not None:
                chosen = (selection.last if isinstance(sink, StatusFile) else selection.lines)(text, start, stop, label)
                if chosen:
                    sink.whole(chosen, label)
                if counts and isinstance(sink, COUNTED):
                    selected = chosen.count(b"\n")
                    counts.add(selected, len(chosen), lines - selected)
                continue
            if isinstance(sink, LogDirectory):
                stamped = stamped or stamp_lines(text, start, stop, label)
                sink.write(*stamped)
            else:
                sink.whole(text[start:stop], label)
            if counts and isinstance(sink, COUNTED):
                counts.add(lines, stop - start)

    def _begin(self, text: bytes, label: bytes) -> None:
        """Pass the beginning of a long line through the script: all that it will see of it."""
        self._following = [
            sink for selection, sink in self._places if selection is None or selection.selects(text, label)
        ]
        for sink in self._following:
            sink.begun(text, label)
        if self.counts:
            following = [sink for sink in self._following if isinstance(sink, COUNTED)]
            places = [sink for _, sink in self._places if isinstance(sink, COUNTED)]
            self.counts.add(0, len(text) * len(following), len(places) - len(following))


def _selection(rules: list[Rule]) -> "Selection":
    """Imported where a script selects."""
    from pyinit.logs.multilog.pattern import Selection

    return Selection(rules)
