"""One system call of PID 1 or of the collector fails, once, and what follows is told: `python tests/faults/harness.py`.

It writes docs/faults.md. `make faults` runs it whole; `test_faults.py` runs a sample. The errors come from strace.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

sys.path.insert(0, str(Path(__file__).parents[1]))

from machine import ROOT, Machine, command
from waiting import until

ERRORS = {
    "clone": "EAGAIN",
    "close": "EIO",
    "epoll_create1": "EMFILE",
    "epoll_ctl": "ENOMEM",
    "epoll_wait": "ENOMEM",
    "fchdir": "EACCES",
    "fcntl": "ENOMEM",
    "flock": "ENOLCK",
    "getdents64": "EIO",
    "kill": "EPERM",
    "mkdirat": "ENOSPC",
    "mknodat": "ENOSPC",
    "newfstatat": "EIO",
    "openat": "EMFILE",
    "pipe2": "EMFILE",
    "poll": "ENOMEM",
    "read": "EIO",
    "renameat": "ENOSPC",
    "rt_sigaction": "EINVAL",
    "rt_sigprocmask": "EINVAL",
    "sendmsg": "ENOBUFS",
    "sendto": "ENOBUFS",
    "socketpair": "EMFILE",
    "vfork": "EAGAIN",
    "wait4": "ENOMEM",
    "write": "ENOSPC",
}
"""The calls that are made to fail, each with an error that it may have."""

AT_ONCE = 3
"""Runs at the same time: most of their time is waiting."""

MOST = 3
"""Of one call, so many of its occurrences in a phase fail, one a run."""

LAUNCHER = re.compile(r'^openat\(AT_FDCWD, "[^"]*bin/pyinit", O_RDONLY\|O_CLOEXEC\|O_PATH')
CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")

SAID = "a message, and no consequence"
HARMLESS = "no consequence"
FATAL = "fatal, 111"


@dataclass
class Fault:
    """`call` fails with `error`. `when`: which one, counted from the launcher's first line, or from the attachment."""

    phase: str
    call: str
    error: str
    when: str

    @property
    def injection(self) -> str:
        return f"inject={self.call}:error={self.error}:when={self.when}"

    @property
    def options(self) -> list[str]:
        """Of strace."""
        return ["-e", "trace=" + self.call, "-e", self.injection]


class Bench:
    """A PID 1 with one service whose run logs all the time, in a new place."""

    def __init__(self) -> None:
        self.machine = Machine(Path(tempfile.mkdtemp(prefix="pyinit-")), PYINIT_STOP_TIMEOUT="4")
        self.machine.add("web", "while echo tick; do sleep 0.05; done")
        self.tracer: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()
        self.machine.destroy()

    def attach(self, pid: int, options: list[str]) -> None:
        """Have strace hold a process; returns when it does."""
        line = ["strace", "-p", str(pid), *options]
        self.tracer = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self.tracer.stderr
        assert "attached" in self.tracer.stderr.readline()

    def detach(self) -> None:
        if self.tracer:
            self.tracer.terminate()
            self.tracer.communicate(timeout=10)
            self.tracer = None

    def collector(self) -> int:
        """The collector's pid, as this namespace counts; 0 while none runs."""
        children = Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").read_text().split()
        names = {int(pid): Path(f"/proc/{pid}/comm").read_text().strip() for pid in children}
        return next((pid for pid, name in names.items() if name == "multilog"), 0)

    def machine_fds(self) -> list[Path]:
        """The open descriptors of PID 1."""
        return list(Path(f"/proc/{self.machine.pid}/fd").iterdir())

    def is_up(self, name: str) -> bool:
        """Whether svstat says so. The state may live in the runtime directory, after mkdir failed."""
        path = self.machine.services / name
        return b": up (pid " in command("svstat", path, **self.machine.env).stdout

    def logs(self) -> bool:
        """Whether a line is logged from here on."""
        before = self.machine.stdout().count("web: tick")
        return holds(lambda: self.machine.stdout().count("web: tick") > before)

    def verdict(self) -> str:
        """What is wrong with the container now, or nothing."""
        assert self.machine.process
        if self.machine.process.poll() is not None:
            return f"PID 1 ended: {self.machine.process.returncode}"
        wrong = []
        if not holds(lambda: self.is_up("web")):
            wrong.append("the service is not up")
        if not self.logs():
            wrong.append("nothing is logged")
        if "Traceback" in self.machine.stderr():
            wrong.append("a traceback")
        return ", ".join(wrong)

    def scenario(self) -> str:
        """`svc -t`, the end of the collector, a new service, HUP; what went wrong."""
        command("svc", "-t", self.machine.services / "web")
        if collector := self.collector():
            self.machine.inside("kill", "-9", self.inner(collector), check=False)
        self.machine.add("new")
        self.machine.signal(1)
        missing = "" if holds(lambda: self.is_up("new")) else "the new service is not up"
        return ", ".join(filter(None, (self.verdict(), missing)))

    def inner(self, pid: int) -> str:
        """A pid as the container counts."""
        status = Path(f"/proc/{pid}/status").read_text()
        return next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))


def holds(condition: Callable[[], bool], seconds: float = 12.0) -> bool:
    """Whether it becomes true in time: the longest pause of PID 1 is 5 s."""
    try:
        return until(condition, seconds=seconds)
    except AssertionError:
        return False


def outcome(wrong: str, said: str) -> str:
    return wrong or (SAID if "warning" in said or "fatal" in said else HARMLESS)


def start(fault: Fault) -> str:
    """The start, from the launcher's first line: in order, or fatal."""
    with Bench() as bench:
        machine = bench.machine
        machine.prefix = (
            "strace",
            "-DDD",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=" + fault.call,
            "-e",
            fault.injection,
        )
        machine.boot()
        assert machine.process

        def ended() -> bool:
            return machine.process is not None and machine.process.poll() is not None

        holds(lambda: ended() or "ready" in machine.stderr())  # that message may be what was lost
        holds(ended, 0.2)
        if machine.process.poll() is None:
            return outcome(bench.verdict(), machine.stderr())
        said = machine.stderr()
        if machine.process.returncode == -SIGKILL:
            return "not measured: killed from outside"
        is_told = machine.process.returncode == 111 and ": fatal: " in said and "Traceback" not in said
        return FATAL if is_told else f"ended {machine.process.returncode}: {said[-100:]!r}"


def running(fault: Fault) -> str:
    """PID 1 (steady) or the collector, while the scenario runs."""
    with Bench() as bench:
        bench.machine.boot()
        assert bench.logs()
        pid = bench.machine.pid if fault.phase == "steady" else bench.collector()
        bench.attach(pid, ["-o", "/dev/null", *fault.options])
        wrong = bench.scenario() if fault.phase == "steady" else bench.verdict()
        return outcome(wrong, bench.machine.stderr())


def stop(fault: Fault) -> str:
    """The stop: within its deadline, with exit code 0."""
    with Bench() as bench:
        bench.machine.boot()
        assert bench.logs()
        options = ["-o", "/dev/null", *fault.options]
        bench.attach(bench.machine.pid, options)
        try:
            code = bench.machine.stop(seconds=10)
        except subprocess.TimeoutExpired:
            return "it does not stop"
        said = bench.machine.stderr()
        return outcome("a traceback" if "Traceback" in said else f"exit code {code}" if code else "", said)


PHASES: dict[str, Callable[[Fault], str]] = {"start": start, "steady": running, "stop": stop, "collector": running}


def trace(phase: str) -> list[str]:
    """The lines of strace of a phase without a fault."""
    with Bench() as bench, tempfile.NamedTemporaryFile("r", errors="replace") as file:
        if phase == "start":
            bench.machine.prefix = ("strace", "-DDD", "-qq", "-o", file.name)
        bench.machine.boot()
        assert bench.logs()
        if phase != "start":
            bench.attach(bench.collector() if phase == "collector" else bench.machine.pid, ["-o", file.name])
        if phase == "steady":
            assert not bench.scenario()
        elif phase == "stop":
            bench.machine.stop()
        else:
            assert bench.logs()
        bench.detach()
        return file.read().splitlines()


def faults(phase: str) -> Iterator[Fault]:
    """Every fault of a phase: of each call in ERRORS, the first MOST and the last that the phase makes."""
    lines = trace(phase)
    first = next((index for index, line in enumerate(lines) if LAUNCHER.match(line)), 0) if phase == "start" else 0
    calls = [match[1] if (match := CALL.match(line)) else "" for line in lines]
    for call, error in ERRORS.items():
        before, count = calls[:first].count(call), calls[first:].count(call)
        for number in sorted({*range(1, min(count, MOST) + 1), count} - {0}):
            yield Fault(phase, call, error, str(before + number))


def measure(fault: Fault) -> tuple[str, Fault, str]:
    """One run; what was not measured is no verdict, and is told as that."""
    try:
        found = PHASES[fault.phase](fault)
    except Exception as error:
        found = f"not measured: {type(error).__name__}"
    print(fault.phase, fault.injection, found, flush=True)
    return fault.phase, fault, found


def main() -> None:
    """Run every fault and write the page."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(pool.map(measure, [fault for phase in PHASES for fault in faults(phase)]))
    unmeasured = [row for row in rows if row[2].startswith("not measured")]
    with_consequences = [row for row in rows if row not in unmeasured and row[2] not in (SAID, HARMLESS, FATAL)]
    text = (ROOT / "tests/faults/page.md").read_text()
    text += f"\n{len(rows)} faults, {len(with_consequences)} with consequences, {len(unmeasured)} not measured.\n\n"
    text += "| phase | call | error | which | what happens |\n| --- | --- | --- | --- | --- |\n"
    text += "".join(f"| {phase} | `{f.call}` | {f.error} | {f.when} | {found} |\n" for phase, f, found in rows)
    (ROOT / "docs/faults.md").write_text(text)


if __name__ == "__main__":
    main()
