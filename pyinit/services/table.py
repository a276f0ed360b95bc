"""The table of all services, for whoever wants to know how they are: PID 1 replaces a file, and answers no requests.

Each change of a service marks its line. A deadline then makes the marked lines anew, and writes all of them. So a
change costs one line, and nothing wakes while nothing changes. Loaded when the services have been started.
"""

from pyinit import __version__
from pyinit.formats import paths, services
from pyinit.formats.services import ServiceRow, TableHeader
from pyinit.services.life.moment import BLOCKED, DONE, FAILED, RUNNING
from pyinit.services.rows import Recollection, row_of
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.context import Context
    from pyinit.services.life.moment import State
    from pyinit.services.pair import Pair
    from pyinit.services.scanner import Scanner
    from pyinit.services.supervisor import Supervisor
    from pyinit.system.deadlines import Deadline

SOON, PAUSE = 0.02, 1.0
"""Seconds between two writes at least: when others may wait for the change, and for any other change."""

LASTING = (RUNNING, DONE, FAILED, BLOCKED)
"""Phases that others wait for. To leave one that lasts is as notable: nobody must take an old failure for a new one."""


class ServicesTable:
    """The file `services` in the runtime directory. `began`: when PID 1 did, monotonic s.

    A directory that could not be taken up is a failed service: nobody supervises it. A failed write is tried again.
    """

    def __init__(self, context: "Context", scanner: "Scanner", stop_timeout: float, began: float) -> None:
        self.name = b"table"
        kernel = context.loop.kernel
        since = kernel.unix() - int((kernel.monotonic() - began) * services.SECOND)
        self.header = TableHeader(__version__.encode(), since, stop_timeout)
        self._context = context
        self._scanner = scanner
        directory = context.runtime.get() if context.runtime else None
        self._path = b"%b/%b" % (directory, paths.SERVICES) if directory else b""
        self._lines: dict[Supervisor, bytes] = {}
        self._recollections: dict[Supervisor, Recollection] = {}
        self._changed: set[Supervisor] = set()
        self._untaken: set[bytes] = set()
        self._has_moved = True
        """Whether services may have come or gone."""
        self._written = b""
        self._last = float("-inf")
        self._due = float("inf")
        self._deadline: Deadline | None = None
        context.on_step = self._note
        scanner.subscribe(self._pair_changed)
        scanner.on_scan = self._scanned
        self._arm(0.0)

    def _note(self, supervisor: object, before: "State") -> None:
        """A supervisor has gone on from the state `before`. Loggers are not in the table."""
        if supervisor not in self._lines:
            return
        self._changed.add(supervisor)
        state = supervisor.state
        is_other = state.phase != before.phase or state.ready_at != before.ready_at
        is_notable = is_other and (state.phase in LASTING or before.phase in LASTING)
        self._arm(SOON if is_notable or state.is_sick != before.is_sick else PAUSE)

    def tell(self, state: bytes, ready_seconds: float | None = None) -> None:
        """PID 1 itself is `starting`, `ready` after so many seconds, or `stopping` now."""
        self.header.state = state
        if state != paths.STOPPING:
            self.header.ready_seconds = ready_seconds
        self._arm(SOON)

    def _pair_changed(self, pair: "Pair") -> None:
        if pair.service is None or pair.service not in self._lines:
            self._has_moved = True
            self._arm(SOON)

    def _scanned(self) -> None:
        if self._scanner.untaken != self._untaken:
            self._arm(SOON)

    def _arm(self, pause: float) -> None:
        """Have the table written `pause` seconds after the last time, or earlier if that is due already."""
        due = self._last + pause
        if due >= self._due or not self._path:
            return
        if self._deadline:
            self._deadline.cancel()
        self._due = due
        self._deadline = self._context.loop.call_at(due, self.write)

    def write(self) -> None:
        """Replace the file now, if it would be another one. If that fails, the next try is PAUSE seconds later."""
        self._deadline, self._due = None, float("inf")
        self._last = self._context.loop.kernel.monotonic()
        if self._has_moved:
            self._has_moved = False
            self._follow_services()
        changed, self._changed = self._changed, set()
        for supervisor in changed:
            if supervisor in self._lines:
                self._lines[supervisor] = self._line(supervisor)
        content = self._content()
        if content == self._written:
            return
        try:
            files.replace(self._path, content)
            self._written = content
        except OSError:
            self._arm(PAUSE)

    def _content(self) -> bytes:
        context, header = self._context, self.header
        header.orphans_reaped, header.strays_killed = context.loop.orphans, context.strays_killed
        if context.memory:
            header.oom_kills = context.memory.kills
        self._untaken = self._scanner.untaken
        return services.pack_header(header) + b"".join(self._lines.values()) + self._untaken_lines()

    def _follow_services(self) -> None:
        """Have a line for each supervisor of a service, in the order of the scanner, and none for others."""
        before, self._lines = self._lines, {}
        for pair in self._scanner.everything():
            if supervisor := pair.service:
                line = before.get(supervisor)
                self._lines[supervisor] = self._line(supervisor) if line is None else line
        for supervisor in before.keys() - self._lines.keys():
            del self._recollections[supervisor]

    def _line(self, supervisor: "Supervisor") -> bytes:
        recollection = self._recollections.setdefault(supervisor, Recollection())
        kernel = self._context.loop.kernel
        return services.pack_row(row_of(supervisor, recollection, (kernel.monotonic(), kernel.unix())))

    def _untaken_lines(self) -> bytes:
        """The lines of the directories that could not be taken up."""
        if not self._untaken:
            return b""
        taken = {supervisor.name for supervisor in self._lines}
        lines = []
        for name in sorted(self._untaken - taken):
            if name.strip(b"/"):
                row = ServiceRow(name, FAILED)
                row.text = b"cannot be supervised"
                lines.append(services.pack_row(row))
        return b"".join(lines)
