"""One stream through one multilog script.

    log = Multilog(script.parse_script(arguments), clock, stdout, stderr, warn)
    log.open()                          # raises CannotOpenLog: fatal at start-up, with daemontools' words
    log.feed(block, clock())            # a block from the stream, and when it was read
    log.is_pending                      # is something unwritten? then read no more of this stream, until it is not
    log.has_trouble                     # ... because a system call failed: retry() PAUSE seconds later
    log.processors                      # ... because of these children: reaped(pid, outcome) when one has ended
    log.rotate()                        # SIGALRM
    log.finish()                        # end of input, or of a stream that is not is_inside a line
    log.close()                         # gives up the locks

Nothing here waits and nothing is lost. A log directory or status file in trouble keeps its bytes, and its place in its
work. `warn` gets each Trouble as it arises, so once for each failed try. `open`, `rotate` and `finish` may leave work
pending too, and may be called while there is some: each directory does it in its turn. After `finish`, call `close`
when `is_pending` is false. During a recovery `retry` raises CannotOpenLog, as `open` does.

Memory: at most 999 bytes between blocks. While work is pending, each directory keeps one stamped block. That is up to
27 times the block if all its lines are empty, not more than 1.3 times for lines of 100 bytes.

`stdout` gets whole lines, in calls that end with a newline. Only a line of 1000 bytes or more may come in several
calls. The prefix is in front of the first, the newline at the end of the last. (Several `1` in one script take turns at
such a line as it comes.) `stderr` gets whole lines. Neither may raise. `outlet` is one more sink. It gets every line,
whatever the rules of the script select.
The umask must be 022. Names are relative to the working directory at the time of `open`.
"""

from pyinit.logs.multilog.directory import LogDirectory
from pyinit.logs.multilog.lines import BEGUN, WHOLE, Lines, stamp_lines
from pyinit.logs.multilog.retry import CannotOpenLog, Trouble
from pyinit.logs.multilog.script import Directory, Rule, Stamp, Status, Stderr, Stdout
from pyinit.logs.multilog.sinks import StandardError, StandardOutput, StatusFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from pyinit.formats.counters import Counters
    from pyinit.logs.multilog.pattern import Selection
    from pyinit.logs.multilog.script import Action, Script

    Write = Callable[[bytes], None]
    Warn = Callable[[Trouble], None]

    class LineSink(Protocol):
        """Takes the lines of a stream. `is_counted`: its lines count as written."""

        @property
        def is_counted(self) -> bool:
            """Whether lines count as written when this sink has them."""

        def whole(self, text: bytes, label: bytes) -> None:
            """Take whole lines, each of which has this label."""

        def begun(self, text: bytes, label: bytes) -> None:
            """Take the beginning of a long line."""

        def more(self, data: bytes, start: int, stop: int) -> None:
            """Take more of that line, data[start:stop], its newline perhaps."""


__all__ = ["PAUSE", "CannotOpenLog", "Multilog", "Trouble"]

NEWLINE = 10

PAUSE = 5.0
"""Seconds between two tries."""


class Multilog:
    """See the head of this file. `start` starts a processor: by default a forked `/bin/sh -c`."""

    __slots__ = ("_directories", "_following", "_keepers", "_lines", "_mixes", "_places", "counters")

    def __init__(
        self,
        script: "Script",
        clock: "Callable[[], int]",
        stdout: "Write",
        stderr: "Write",
        warn: "Warn",
        start: "Callable[[int, bytes], int] | None" = None,
        outlet: "LineSink | None" = None,
    ) -> None:
        self.counters: Counters | None = None
        """Holds the counts of all lines passed on; None: nothing is counted, which would take time."""
        self._lines = Lines(stamped=any(isinstance(action, Stamp) for action in script))
        self._places: list[tuple[Selection | None, LineSink]] = []
        """Each sink, and the selection of its lines; None selects every line."""
        self._following: list[LineSink] = []
        """The sinks of the long line that streams through."""
        self._keepers: list[StatusFile | LogDirectory] = []
        self._directories: list[LogDirectory] = []

        rules: list[Rule] = []
        selection: Selection | None = None
        for action in script:
            if isinstance(action, Rule):
                rules.append(action)
                selection = _selection(rules)
            elif not isinstance(action, Stamp):
                self._places.append((selection, self._sink_of(action, clock, stdout, stderr, warn, start)))
        self._keepers += self._directories
        if outlet:
            self._places.append((None, outlet))
        self._mixes = _mixes(script)

    def _sink_of(
        self,
        action: "Action",
        clock: "Callable[[], int]",
        stdout: "Write",
        stderr: "Write",
        warn: "Warn",
        start: "Callable[[int, bytes], int] | None",
    ) -> "LineSink":
        match action:
            case Directory():
                directory = LogDirectory(action, clock, warn, start)
                self._directories.append(directory)
                return directory
            case Status():
                status = StatusFile(action.name, warn)
                self._keepers.append(status)
                return status
            case Stdout():
                return StandardOutput(stdout, action.prefix)
            case _:
                return StandardError(stderr)

    @property
    def is_inside(self) -> bool:
        """Whether the stream, as far as it was fed, ended inside a line."""
        return self._lines.is_inside

    @property
    def is_pending(self) -> bool:
        """Whether something is unwritten."""
        for keeper in self._keepers:  # noqa: SIM110 - asked after each block; a generator costs three times as much
            if keeper.is_busy:
                return True
        return False

    @property
    def has_trouble(self) -> bool:
        """Whether `retry` is called for."""
        return any(keeper.trouble for keeper in self._keepers)

    @property
    def processors(self) -> list[int]:
        """The pids of running processors; call `reaped` with the outcome of each."""
        return [directory.pid for directory in self._directories if directory.pid]

    def open(self) -> None:
        """Open the status files, then the directories, from left to right. Raises CannotOpenLog."""
        for keeper in self._keepers:
            keeper.open()

    def feed(self, block: bytes, now: int) -> None:
        """Take a block, not empty, that was read at `now` (unix ns)."""
        for piece in self._lines.feed(block, now):
            self._take(*piece)

    def rotate(self) -> None:
        """Start a new `current` in each directory, unless it is empty. A held line goes to the new one."""
        for directory in self._directories:
            directory.rotate()

    def finish(self) -> None:
        """End the stream: a last line without newline gets one; directories are synced and marked finished."""
        for piece in self._lines.finish():
            self._take(*piece)
        for directory in self._directories:
            directory.finish()

    def retry(self) -> None:
        """Resume the work of each directory and status file in trouble. Raises CannotOpenLog while opening."""
        for keeper in self._keepers:
            keeper.retry()

    def reaped(self, pid: int, outcome: int) -> None:
        """One of `processors` has ended. `outcome`: its exit code, or minus the signal that killed it."""
        for directory in self._directories:
            if directory.pid == pid:
                directory.reaped(outcome)
                return

    def close(self) -> None:
        """Close everything, also pending work. Without `finish` the next start finds a crash to recover from."""
        for keeper in self._keepers:
            keeper.close()

    def _take(self, kind: int, text: bytes, start: int, stop: int, label: bytes) -> None:
        """Pass a piece of the stream through the script."""
        if kind != WHOLE:
            self._take_long(kind, text, start, stop, label)
            return
        if self._mixes and text.find(b"\n", start) < stop - 1:
            for line in text[start : stop - 1].split(b"\n"):
                self._take(WHOLE, line + b"\n", 0, len(line) + 1, label)
            return
        stamped: tuple[bytes, int, int] | None = None
        counters = self.counters
        lines = text.count(b"\n", start, stop) if counters else 0
        for selection, sink in self._places:
            if selection is not None:
                chosen = (selection.last if isinstance(sink, StatusFile) else selection.lines)(text, start, stop, label)
                if chosen:
                    sink.whole(chosen, label)
                if counters and sink.is_counted:
                    selected = chosen.count(b"\n")
                    counters.hold(selected, len(chosen), lines - selected)
                continue
            if isinstance(sink, LogDirectory):
                stamped = stamped or stamp_lines(text, start, stop, label)
                sink.write(*stamped)
            else:
                sink.whole(text[start:stop], label)
            if counters and sink.is_counted:
                counters.held_lines += lines
                counters.held_bytes += stop - start

    def _take_long(self, kind: int, text: bytes, start: int, stop: int, label: bytes) -> None:
        """Pass a piece of a long line through the script, to the end of the line."""
        deselected = 0
        if kind == BEGUN:  # the rules judge by this piece alone
            self._following = [
                sink for selection, sink in self._places if selection is None or selection.selects(text, label)
            ]
            for sink in self._following:
                sink.begun(text, label)
            deselected = sum(sink.is_counted for _, sink in self._places if sink not in self._following)
        else:
            for sink in self._following:
                sink.more(text, start, stop)
        if self.counters:
            following = sum(sink.is_counted for sink in self._following)
            ended = following if text[stop - 1] == NEWLINE else 0
            self.counters.hold(ended, (stop - start) * following, deselected)


def _selection(rules: list[Rule]) -> "Selection":
    """Imported only if a script selects."""
    from pyinit.logs.multilog.pattern import Selection

    return Selection(rules)


def _mixes(script: "Script") -> bool:
    """Whether two actions write to one place, so that their lines must take turns."""
    outputs = [
        action.name if isinstance(action, Status) else type(action)
        for action in script
        if isinstance(action, Status | Stderr | Stdout)
    ]
    return len(set(outputs)) < len(outputs)
