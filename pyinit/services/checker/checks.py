"""Runs of the programs `check` and `health`: each in a process group of its own, within its time.

One that hangs is killed with all that it started: its group, and what descends from it. The checker adopts orphans. So
those are found, too, that have left both, by the service's name in their environment.
"""

import posix
from _signal import SIGKILL

from pyinit import report
from pyinit.formats.questions import PROG
from pyinit.services.census import Census, Traits
from pyinit.system.processes import descendants
from pyinit.system.spawn import redirection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.deadlines import Deadline
    from pyinit.system.loop import Loop
    from pyinit.system.spawn import Spawner


class CheckProgram:
    """The program `path` of a service, which messages call `name`. `descriptors`: its directory, and maybe the log."""

    __slots__ = (
        "_changes",
        "_descriptors",
        "_done",
        "_has_told",
        "_loop",
        "_path",
        "_pid",
        "_spawner",
        "_timer",
        "name",
    )

    def __init__(
        self,
        loop: "Loop",
        spawner: "Spawner",
        name: bytes,
        path: bytes,
        descriptors: "list[int]",
        changes: "dict[bytes, bytes | None]",
    ) -> None:
        self.name = name
        self._loop = loop
        self._spawner = spawner
        self._path = path
        self._descriptors = descriptors
        self._changes = changes
        self._done: Callable[[bool], None] | None = None
        self._pid = 0
        self._timer: Deadline | None = None
        self._has_told = False

    def run(self, limit: float, done: "Callable[[bool], None]") -> None:
        """Run it once: `done` is told whether it exited with 0 before `limit` (monotonic s). Raises OSError."""
        directory_fd, *logs = self._descriptors
        redirections = [redirection(log_fd, there) for log_fd in logs for there in (1, 2)]
        self._pid = self._spawner.start([self._path], directory_fd, redirections, self._changes)
        self._done = done
        self._loop.add_child_handler(self._pid, self._exited)
        self._timer = self._loop.call_at(limit, self._expired)

    def _exited(self, outcome: int) -> None:
        self._pid = 0
        if self._timer:
            self._timer.cancel()
            self._timer = None
        done, self._done = self._done, None
        self._has_told = self._has_told and outcome != 0
        if done:
            done(outcome == 0)

    def _expired(self) -> None:
        """It takes too long."""
        self._timer = None
        if not self._has_told:
            self._has_told = True
            what = self.name, self._path.rpartition(b"/")[2], self._pid
            report.warn(PROG, b"killed %b/%b (pid %d): it did not end in time" % what)
        self._kill()

    def cancel(self) -> None:
        """Nobody wants to know any more: kill it, if it runs."""
        self._done = None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._pid:
            self._kill()

    def _kill(self) -> None:
        """Kill it and its own. Its end comes as an exit."""
        pid = self._pid
        known = descendants(pid)
        self._send(-pid)
        for each in (pid, *known):
            self._send(each)
        others = self._loop.children.keys() - {pid}
        for each in Census(others).find(Traits({pid}, self.name, known)).pids:
            self._send(each)

    def _send(self, pid: int) -> None:
        try:
            self._loop.kernel.kill(pid, SIGKILL)
        except OSError:  # it has ended
            pass

    def close(self) -> None:
        """Run it no more, and close what it was given."""
        self.cancel()
        for fd in self._descriptors:
            posix.close(fd)
        self._descriptors = []
