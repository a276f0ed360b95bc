"""One supervisor as process 1 of a PID namespace, with its services: started, looked at, stopped."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.record import Record
from benchmarks.supervisors import Supervisor
from benchmarks.workshop import BrokenMeasurement

PATIENCE = 60.0
"""Seconds to wait for anything."""

PAUSE, SHORT_PAUSE = 0.002, 0.0005
"""Seconds between two looks, and where few services are up in milliseconds: looking takes a processor, too."""

AGE = 10.0
"""Seconds since the last change of the service directory, when process 1 starts."""

FEW = 50
"""Fewer services than these are few."""

UNSHARE = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
if os.geteuid() != 0:
    UNSHARE += ["--user", "--map-root-user"]

READY = b"ready\n"


def wait_until(condition: Callable[[], bool], what: Callable[[], str], pause: float = PAUSE) -> None:
    """Look every `pause` seconds; raises BrokenMeasurement, with `what` as it is then, if it does not come true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise BrokenMeasurement(f"not within {PATIENCE:g} s: {what()}")
        time.sleep(pause)


class Machine:
    """`run` is the first line of each run; RECORD in it stands for the record of the services.

    Standard output is `stdout`, a descriptor of the caller's, else a file. Everything is made new for each measurement,
    so that every start is a first one, as in a container.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        count: int,
        logged: bool,
        run: str = "",
        notes: int = 0,
        stdout: int | None = None,
    ) -> None:
        self.supervisor = supervisor
        self.count = count
        self.logged = logged
        workshop = supervisor.workshop
        self.top = Path(tempfile.mkdtemp(dir=workshop.directory, prefix="machine-"))
        self.top.chmod(0o755)
        self._began = Record(self.top / "began", 1)
        self.record = Record(self.top / "record", notes or count)
        line = (run or f"{workshop.program('service')} RECORD").replace("RECORD", str(self.record.path))
        supervisor.prepare(self.top, count, logged, line)
        # runsvdir sleeps for a second if the directory was changed in the second in which it looks. An image's was not.
        aged = time.time() - AGE
        os.utime(self.top / "service", (aged, aged))
        self._stdout = stdout
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        begin = self.supervisor.workshop.program("begin")
        words = [*UNSHARE, str(begin), str(self._began.path)]
        with (self.top / "output").open("wb") as output:
            self.process = subprocess.Popen(
                words + self.supervisor.command(self.top, self.count, self.logged),
                env=self.supervisor.environment,
                stdin=subprocess.DEVNULL,
                stdout=output if self._stdout is None else self._stdout,
                stderr=output,
            )
        return self

    def __exit__(self, *_: "type[BaseException] | BaseException | TracebackType | None") -> None:
        """Kill everything: the end of process 1 is the end of its namespace, and that unshare's."""
        assert self.process
        if self.process.poll() is None:
            for pid in children(self.process.pid) or [self.process.pid]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
        self._began.close()
        self.record.close()
        shutil.rmtree(self.top)

    @property
    def _pause(self) -> float:
        return SHORT_PAUSE if self.count < FEW else PAUSE

    @property
    def began(self) -> int:
        """When process 1 was executed, monotonic ns."""
        return self._began.times()[0]

    @property
    def pid(self) -> int:
        """Process 1, as this namespace counts."""
        assert self.process
        return children(self.process.pid)[0]

    def wait_up(self) -> float:
        """Until every service has been executed; the milliseconds from process 1's exec to the last of theirs."""
        wait_until(lambda: self.record.count >= self.count, lambda: f"{self._who()} up", self._pause)
        return (max(self.record.times()[: self.count]) - self.began) / 1e6

    def wait_logged(self) -> float:
        """Until the first line of every service is in its log; ms from process 1's exec, a pause more at most."""
        waiting = [self.supervisor.log(self.top, name) for name in self.supervisor.names(self.count)]

        def all_written() -> bool:
            while waiting and size(waiting[-1]) >= len(READY):
                waiting.pop()
            return not waiting

        wait_until(all_written, lambda: f"{self._who()} logged", self._pause)
        elapsed = (time.monotonic_ns() - self.began) / 1e6
        self.verify_logs()
        return elapsed

    def verify_logs(self) -> None:
        """Each log holds the service's line."""
        for name in self.supervisor.names(self.count):
            if not self.supervisor.log(self.top, name).read_bytes().endswith(READY):
                raise BrokenMeasurement(f"{self._who()}: the log of {name} is not complete")

    def supervision(self) -> list[int]:
        """All processes of the namespace that are not services: pids."""
        services = {self.supervisor.workshop.program(name) for name in ("service", "mortal")}
        return [pid for pid in [self.pid, *descendants(self.pid)] if executable(pid) not in services]

    def memory(self) -> tuple[float, int]:
        """The proportional set size of all supervision processes, MB, and how many they are."""
        pids = self.supervision()
        total = sum(pss(pid) for pid in pids)
        return total / 1024, len(pids)

    def wake_ups(self, seconds: float) -> float:
        """How often a second the supervision processes were given the processor, over `seconds`."""
        pids = self.supervision()
        before = sum(map(switches, pids))
        time.sleep(seconds)
        return (sum(map(switches, pids)) - before) / seconds

    def stop(self) -> float:
        """Send TERM to process 1; return the milliseconds until it, and so everything, is gone.

        The end is an event of a pidfd: `wait` with a timeout would look again after up to sixteen milliseconds.
        """
        assert self.process
        end = os.pidfd_open(self.process.pid)
        began = time.monotonic_ns()
        os.kill(self.pid, signal.SIGTERM)
        is_over = select.select([end], [], [], PATIENCE)[0]
        took = (time.monotonic_ns() - began) / 1e6
        os.close(end)
        if not is_over:
            raise BrokenMeasurement(f"{self._who()} not gone within {PATIENCE:g} s")
        return took

    def output(self) -> str:
        return (self.top / "output").read_text(errors="replace")

    def _who(self) -> str:
        return f"{self.supervisor.name}: {self.count} services, {self.record.count} noted, {self.output()[-500:]!r}"


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from descendants(child)


def executable(pid: int) -> Path:
    return Path(os.readlink(f"/proc/{pid}/exe"))


def pss(pid: int) -> int:
    """kB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise BrokenMeasurement(f"no Pss of {pid}")


def switches(pid: int) -> int:
    """Context switches so far, voluntary and not."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
