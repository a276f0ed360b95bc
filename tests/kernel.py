"""A fake kernel and a fake spawner: the world of a loop, of supervisors and of PID 1, in the hands of a test.

    world = World()                        # classical, as under the C programs' rules
    world = World(tmp_path / "runtime")    # as under PID 1, with a runtime directory
    web = Supervisor(world.context, b"web", directory_fd)
    web.open()
    world.kernel.die(web.pid, 1)           # it exits with 1; -9: it is killed
    world.run()                            # the loop turns until it would sleep for ever
    world.run(5)                           # and for so many seconds of the fake clock

No time passes by itself: when nothing is ready, the clock jumps to the next deadline. `run` returns None where the loop
would go on to sleep, and the loop's code where somebody stopped it.

Descriptors are real ones (FIFOs and pipes in tmp_path), and are asked without waiting. Signals, children, their deaths
and changes of directories are not: the test sends them.
"""

import os
import posix
import select
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from errno import EAGAIN
from pathlib import Path
from signal import SIGCHLD, SIGIO, SIGKILL, struct_siginfo
from typing import TYPE_CHECKING

from pyinit.services.context import Context
from pyinit.services.runtime import RuntimeDirectory
from pyinit.system.doorbell import Doorbell
from pyinit.system.kernel import Kernel
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner

if TYPE_CHECKING:
    from pyinit.system.kernel import Poller
    from pyinit.system.spawn import Redirections

BELL = 1 << 30
"""The descriptor of the fake doorbell. No real one has this number."""


class WouldSleep(BaseException):
    """Nothing will happen in the time that the test gave. Not an Exception: the loop must not catch it."""


class FakeDoorbell(Doorbell):
    """Rings when the test says so."""

    def __init__(self) -> None:
        self._pending: set[int] = set()
        self.listened: set[int] = set()
        self.is_open = False

    def fileno(self) -> int:
        return BELL

    def listen(self, number: int) -> None:
        self.listened.add(number)

    def open(self) -> None:
        self.is_open = True

    def take(self) -> set[int]:
        pending, self._pending = self._pending, set()
        return pending

    def ring(self, number: int) -> None:
        assert number in self.listened, f"signal {number} would kill this process: it has no handler"
        self._pending.add(number)

    @property
    def rings(self) -> bool:
        return self.is_open and bool(self._pending)


class FakePoller:
    """Asks real descriptors without waiting. `ready`: events that the test adds, by descriptor, for the next poll."""

    def __init__(self, kernel: "FakeKernel") -> None:
        self.registered: dict[int, int] = {}
        self.ready: dict[int, int] = {}
        self._kernel = kernel
        self._poll = select.poll()

    def register(self, fd: int, eventmask: int, /) -> None:
        if fd in self.registered:
            raise FileExistsError
        if fd != BELL:
            refuse_files(fd)
            self._poll.register(fd, eventmask)
        self.registered[fd] = eventmask

    def modify(self, fd: int, eventmask: int, /) -> None:
        self._poll.modify(fd, eventmask)
        self.registered[fd] = eventmask

    def unregister(self, fd: int, /) -> None:
        del self.registered[fd]
        self._poll.unregister(fd)

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        found = dict(self._poll.poll(0))
        for fd, events in self.ready.items():
            if fd in self.registered:
                found[fd] = found.get(fd, 0) | events
        self.ready = {}
        if self._kernel.bell and self._kernel.bell.rings:
            found[BELL] = select.POLLIN
        if not found:
            self._kernel.sleep(timeout)
        return list(found.items())


def refuse_files(fd: int) -> None:
    """As epoll does: PermissionError for what can always be read."""
    poller = select.epoll()
    try:
        poller.register(fd, 0)
    finally:
        poller.close()


class FakeKernel(Kernel):
    """A kernel whose clock jumps, and whose children live and die as the test says.

    `obeys`: the signals on which a child dies at once when it is sent one; `stubborn` are the pids that only KILL ends.
    `kills` are the (pid, signal) that were sent, also those that found nobody. A negative pid is a process group.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.until = self.now
        self.living: set[int] = set()
        self.deaths: deque[tuple[int, int]] = deque()
        self.kills: list[tuple[int, int]] = []
        self.obeys: Iterable[int] = (SIGKILL,)
        self.stubborn: set[int] = set()
        self.bell: FakeDoorbell | None = None
        self.pollers: list[FakePoller] = []
        self.watches: list[int] = []
        self.waits: list[float] = []
        """The seconds of each sleep."""

    def monotonic(self) -> float:
        return self.now

    def unix(self) -> int:
        return int(self.now * 1e9)

    def poller(self) -> "Poller":
        self.pollers.append(FakePoller(self))
        return self.pollers[-1]

    def doorbell(self) -> FakeDoorbell:
        self.bell = FakeDoorbell()
        return self.bell

    def waitpid(self, pid: int, options: int, /) -> tuple[int, int]:
        assert (pid, options) == (-1, os.WNOHANG), "the loop reaps whoever there is, and never waits for it"
        if self.deaths:
            dead, outcome = self.deaths.popleft()
            return dead, outcome << 8 if outcome >= 0 else -outcome
        if not self.living:
            raise ChildProcessError
        return 0, 0

    def waitid(self, which: int, pid: int, options: int, /) -> None:
        assert options & os.WNOWAIT, "nobody but the loop reaps"
        if not self.living and not self.deaths:
            raise ChildProcessError

    def kill(self, pid: int, number: int, /) -> None:
        self.kills.append((pid, number))
        if abs(pid) not in self.living:
            if any(dead == abs(pid) for dead, _ in self.deaths):
                return  # a zombie takes every signal
            raise ProcessLookupError
        if number == SIGKILL or (number in self.obeys and abs(pid) not in self.stubborn):
            self.die(abs(pid), -number)

    def watch(self, directory_fd: int, changes: int) -> int:
        self.watches.append(os.dup(directory_fd))
        return self.watches[-1]

    def sigwaitinfo(self, awaited: Iterable[int], /) -> struct_siginfo:
        found = self.sigtimedwait(awaited, None)
        assert found
        return found

    def sigtimedwait(self, awaited: Iterable[int], timeout: float | None, /) -> struct_siginfo | None:
        wanted = set(awaited)
        pending = self.bell._pending if self.bell else set()
        for number in sorted(pending & wanted):
            pending.discard(number)
            return struct_siginfo((number, 0, 0, 0, 0, 0, 0))
        self.sleep(timeout)
        return None

    def pause(self, seconds: float, /) -> None:
        self.sleep(seconds)

    def sleep(self, timeout: float | None) -> None:
        """Nothing is ready: jump to the next deadline, or leave the loop where that is later than the test waits."""
        if timeout is None or self.now + timeout > self.until:
            self.now = max(self.now, self.until)
            raise WouldSleep
        self.now += timeout
        if timeout:
            self.waits.append(timeout)

    def die(self, pid: int, outcome: int = 0) -> None:
        """A child ends: with an exit code, or by minus a signal's number. It is a zombie until the loop reaps it."""
        self.living.discard(pid)
        self.deaths.append((pid, outcome))
        self.ring(SIGCHLD)

    def ring(self, number: int) -> None:
        """A signal arrives."""
        if self.bell is None:  # a SignalLoop: signals stay pending until it fetches them
            self.bell = FakeDoorbell()
            self.bell.listened = set(range(65))
        self.bell.ring(number)

    def change_directory(self) -> None:
        """A watched directory changes."""
        self.ring(SIGIO)

    def sent(self, pid: int) -> list[int]:
        """The signals that were sent to one process."""
        return [number for receiver, number in self.kills if receiver == pid]


@dataclass
class Start:
    """A program that was started. `name` is the last part of its directory."""

    pid: int
    argv: list[bytes]
    name: str
    redirections: "Redirections"
    changes: Mapping[bytes, bytes | None] = field(default_factory=dict)


class FakeSpawner(Spawner):
    """Gives out pids, and notes what was started in `starts`. `failures` are errors of the next starts, in order.

    `refused`: programs for which there are never enough processes (EAGAIN).
    """

    def __init__(self, kernel: FakeKernel, first_pid: int = 100) -> None:
        self.environment = {b"PATH": b"/usr/bin:/bin"}
        self.invalid_entries = 0
        self.kernel = kernel
        self.starts: list[Start] = []
        self.failures: deque[Exception] = deque()
        self.refused: set[bytes] = set()
        self.allowed: list[int] = []
        self._next_pid = first_pid

    def allow_descriptors(self, count: int) -> None:
        self.allowed.append(count)

    def start(
        self,
        argv: list[bytes],
        directory_fd: int,
        redirections: "Redirections" = (),
        changes: Mapping[bytes, bytes | None] | None = None,
    ) -> int:
        self._fail(argv)
        name = posix.readlink(f"/proc/self/fd/{directory_fd}").rpartition("/")[2]
        return self._started(Start(self._next_pid, argv, name, redirections, dict(changes or {})))

    def start_told(
        self,
        argv: list[bytes],
        directory_fd: int,
        redirections: "Redirections",
        changes: Mapping[bytes, bytes | None],
    ) -> int:
        return self.start(argv, directory_fd, redirections, {**changes, b"WATCHDOG_PID": b"%d" % self._next_pid})

    def start_here(
        self, argv: list[bytes], leads: int, mask: Collection[int] = (), ignored: Collection[int] = ()
    ) -> int:
        self._fail(argv)
        return self._started(Start(self._next_pid, argv, "", ()))

    def give_limit(self) -> None:
        """There is no limit."""

    def _fail(self, argv: list[bytes]) -> None:
        if self.failures:
            raise self.failures.popleft()
        if argv[0] in self.refused:
            raise OSError(EAGAIN, "")

    def _started(self, start: Start) -> int:
        self.starts.append(start)
        self.kernel.living.add(start.pid)
        self._next_pid += 1
        return start.pid

    @property
    def names(self) -> list[str]:
        """The directories of what was started, in order."""
        return [start.name for start in self.starts]


class World:
    """A fake kernel, a loop on it, a fake spawner, and what supervisors share."""

    def __init__(self, runtime: Path | None = None, make_loop: Callable[[bytes, Kernel], Loop] = Loop) -> None:
        """`runtime`: the runtime directory of a PID 1; without it all is as in the C programs."""
        self.kernel = FakeKernel()
        self.loop = make_loop(b"test", self.kernel)
        self.spawner = FakeSpawner(self.kernel)
        place = RuntimeDirectory({b"PYINIT_STATE": bytes(runtime)}) if runtime else None
        self.context = Context(self.loop, self.spawner, place)

    def run(self, seconds: float = 0.0) -> int | None:
        """Turn until the loop would sleep past so many seconds of the fake clock. The loop's code where it stopped."""
        self.kernel.until = self.kernel.now + seconds
        try:
            return self.loop.run()
        except WouldSleep:
            return None


def make_service(top: Path, name: str = "web", **files: str) -> Path:
    """A service directory with a `run` and other files. `log__run` means log/run."""
    directory = top / name
    directory.mkdir(parents=True)
    for file, content in {"run": "#!/bin/sh\nexec sleep 1000\n", **files}.items():
        path = directory / file.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)
    return directory
