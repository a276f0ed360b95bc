"""What comes after the end of a service's process, before its next start: leftovers, then `finish`, then what it left.

Loaded for the first policy that asks for it.
"""

from _signal import SIGCONT
from errno import EAGAIN

from pyinit.services.census import Traits
from pyinit.services.leftovers import Leftovers
from pyinit.services.life.events import Finished
from pyinit.services.life.moment import NEVER
from pyinit.services.life.policy import AS_DAEMONTOOLS, PATIENCE, PROCESS
from pyinit.services.program import ProgramRun
from pyinit.services.trouble import UNSTARTABLE, WANTING, CannotOpen
from pyinit.system.processes import descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.context import Context
    from pyinit.services.life.events import Event
    from pyinit.services.life.policy import Policy

SIGNALLED = 256
"""What `finish` gets for the exit code of a process that a signal killed. Source: s6-supervise."""

FOR_GOOD = 125
"""The exit code by which `finish` says that there is to be no other start. Source: s6-supervise."""

PAUSE = 1.0
"""Seconds between two tries to start `finish`."""

SEEN_ENOUGH = 0.1
"""Seconds in which the descendants of a process are listed once: a flood of commands must not keep the loop."""


class Finishing:
    """Finishes the runs of service `name`, one at a time. `handle` gets Finished where that takes a while.

    `start` starts a program of the directory, as `run` is started. `say` tells of a trouble.
    """

    __slots__ = (
        "_context",
        "_finished",
        "_handle",
        "_known",
        "_leader",
        "_leftovers",
        "_outcome",
        "_pid",
        "_policy",
        "_program",
        "_say",
        "_seen_at",
        "_until",
        "name",
    )

    def __init__(
        self,
        context: "Context",
        name: bytes,
        start: "Callable[[list[bytes]], int]",
        say: "Callable[[bytes, OSError | None], None]",
        handle: "Callable[[Event], None]",
    ) -> None:
        self.name = name
        self._context = context
        self._say = say
        self._handle = handle
        self._leftovers = Leftovers(context, name)
        self._program = ProgramRun(context, name + b"/finish", start, self._program_ended)
        self._policy: Policy = AS_DAEMONTOOLS
        self._leader = 0
        """The pid of `run` as it was started, which leads a group. Another process may have taken its place since."""
        self._known: dict[int, int] = {}
        """The descendants of the process, when it was last told to end."""
        self._seen_at = 0.0
        self._pid = self._outcome = 0
        self._until = NEVER
        """When `finish` has to have ended."""
        self._finished = Finished()

    def began(self, pid: int) -> None:
        """A process has been started."""
        self._leader = pid
        self._known, self._seen_at = {}, 0.0

    def ending(self, pid: int, number: int) -> None:
        """The process is about to get a signal that may end it: list what descends from it, while that can be told."""
        now = self._context.loop.kernel.monotonic()
        if number != SIGCONT and now - self._seen_at >= SEEN_ENOUGH:
            self._known, self._seen_at = descendants(pid), now

    def begin(self, outcome: int, pid: int, policy: "Policy") -> Finished | None:
        """The process has ended. None: it takes a while, and `handle` will get Finished."""
        self._policy, self._outcome, self._pid = policy, outcome, pid
        self._until = NEVER
        if policy.kill_mode != PROCESS:
            patience = PATIENCE if policy.timeout_kill is None else policy.timeout_kill
            if self._end_leftovers(patience or NEVER, self._leftovers_ended):
                return None
        return self._finish()

    def _end_leftovers(self, patience: float, over: "Callable[[], None]") -> bool:
        """End what belongs to the service. False if there is nothing."""
        kill_at = min(self._context.loop.kernel.monotonic() + patience, self._context.end_by)
        return self._leftovers.end(self.name, self._traits(), kill_at, over)

    def _traits(self, *groups: int) -> Traits:
        """What belongs to the service, or leads or shares one of these groups.

        A variable that this process was given itself tells nothing: everybody has it.
        """
        is_telling = self._context.spawner.environment.get(b"SERVICE_NAME") != self.name
        service = self.name if is_telling else b""
        return Traits((self._leader, self._pid, *groups), service, self._known, spared=self._leader)

    def _leftovers_ended(self) -> None:
        if finished := self._finish():
            self._handle(finished)

    def _finish(self) -> Finished | None:
        """Run `finish`, if there is one. None: it runs, or is tried again."""
        policy, context = self._policy, self._context
        now = context.loop.kernel.monotonic()
        if not policy.has_finish:
            return Finished()
        if self._until == NEVER and policy.timeout_finish:
            self._until = now + policy.timeout_finish
        if now >= min(self._until, context.end_by):
            self._say(b"warning: no time is left for %b/finish" % self.name, None)
            return Finished()
        code, number = (SIGNALLED, -self._outcome) if self._outcome < 0 else (self._outcome, 0)
        argv = [b"./finish", b"%d" % code, b"%d" % number, self.name, b"%d" % self._leader]
        try:
            self._program.start(argv, self._until)
        except CannotOpen as trouble:
            self._say(b"warning: unable to start %b/finish: %b" % (self.name, trouble.message), trouble.error)
            return Finished()
        except UNSTARTABLE as error:
            cause = error if isinstance(error, OSError) else OSError(None, repr(error))
            self._say(b"warning: unable to start %b/finish" % self.name, cause)
            if cause.errno not in (EAGAIN, *WANTING):
                return Finished()
            context.loop.call_at(now + PAUSE, self._leftovers_ended)
        return None

    def _program_ended(self, outcome: int) -> None:
        """`finish` has ended: kill what it left. A daemon that a service leaves on purpose is not touched."""
        self._finished = Finished(outcome == FOR_GOOD)
        traits = Traits((self._program.pid,))
        if self._policy.kill_mode != PROCESS:
            traits = self._traits(self._program.pid)
        now = self._context.loop.kernel.monotonic()
        if not self._leftovers.end(self._program.name, traits, now, self._tell_finished):
            self._tell_finished()

    def _tell_finished(self) -> None:
        self._handle(self._finished)
