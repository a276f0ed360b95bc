"""A PID 1 whose system calls fail, one a run, in four phases of its life; and the judgement of what follows."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from signal import SIGHUP, SIGUSR1

from faults.calls import INJECTED, Fault, about
from machine import ROOT, Machine, command
from waiting import until

SAID = "said"
HARMLESS = "no consequence"
FATAL = "fatal, 111"
ENDED = "the interpreter ended"
UNMEASURED = "not measured"
UNREACHED = f"{UNMEASURED}: no such call was made"

PATIENCE = 20.0
"""Seconds for what must come true: the longest pause of PID 1 is 5 s, and the machine may be busy."""

LINE = (
    "tick $n yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
)
RUN = f'n=0; while echo "{LINE}"; do n=$((n + 1)); sleep 0.05; done'

EXPECTED = re.compile(r"the log collector \(pid \d+\) was killed by signal 9, starting another")
"""What the scenario itself makes PID 1 say."""


class Bench:
    """A PID 1 with one service that logs all the time, on standard output and in a directory, in a new place."""

    def __init__(self) -> None:
        self.machine = Machine(Path(tempfile.mkdtemp(prefix="pyinit-")), PYINIT_STOP_TIMEOUT="8")
        self.machine.env.update(
            PYINIT_LOG="both",
            PYINIT_LOG_DIR=str(self.machine.top / "logs"),
            PYINIT_LOG_SIZE="4096",
            PYINIT_LOG_COUNT="1000",
            PYINIT_SIGNALS="USR1=rotate",
        )
        self.machine.add("web", RUN)
        self.traced = self.machine.top / "trace"
        self.tracer: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()
        self.machine.destroy()

    def boot(self) -> None:
        """Start PID 1, and wait until it is ready and logs."""
        self.machine.boot()
        assert holds(lambda: "ready" in self.machine.stderr())
        assert self.logs("web: tick")

    def boot_traced(self, options: list[str]) -> None:
        """Start PID 1 under strace, with its options."""
        self.machine.prefix = ("strace", "-DDD", "-qq", "-o", str(self.traced), *options)
        self.machine.boot()

    def attach(self, pid: int, options: list[str]) -> None:
        """Have strace hold a process; returns when it does."""
        line = ["strace", "-p", str(pid), "-o", str(self.traced), *options]
        self.tracer = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self.tracer.stderr
        assert "attached" in self.tracer.stderr.readline()

    def detach(self) -> None:
        if self.tracer:
            self.tracer.terminate()
            self.tracer.communicate(timeout=10)
            self.tracer = None

    def trace(self) -> list[str]:
        """The lines that strace has written."""
        return self.traced.read_text(errors="replace").splitlines() if self.traced.exists() else []

    def collector(self) -> int:
        """The collector's pid, as this namespace counts; 0 while none runs."""
        children = Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").read_text().split()
        return next((int(pid) for pid in children if name_of(pid) == "multilog"), 0)

    def machine_fds(self) -> set[int]:
        """The open descriptors of PID 1."""
        return {int(path.name) for path in Path(f"/proc/{self.machine.pid}/fd").iterdir()}

    def is_up(self, name: str) -> bool:
        """Whether svstat says so. The state may live in the runtime directory, after mkdir failed."""
        path = self.machine.services / name
        return b": up (pid " in command("svstat", path, **self.machine.env).stdout

    def logs(self, text: str) -> bool:
        """Whether such a line is printed from here on."""
        before = self.machine.stdout().count(text)
        return holds(lambda: self.machine.stdout().count(text) > before)

    @property
    def has_ended(self) -> bool:
        """Whether PID 1 has."""
        return self.machine.process is not None and self.machine.process.poll() is not None

    def kill_collector(self) -> None:
        """Kill the collector as the kernel would."""
        if collector := self.collector():
            self.machine.inside("kill", "-9", inner(collector), check=False)

    def grows(self, name: str) -> bool:
        """Whether lines of the service get into its log directory."""
        current = self.machine.top / "logs" / name

        def size() -> int:
            return sum(path.stat().st_size for path in current.glob("[@c]*") if path.exists())

        before = size()
        return holds(lambda: size() > before)

    def wrong(self) -> list[str]:
        """What is wrong with the container now."""
        if self.has_ended:
            return [f"PID 1 ended: {self.machine.wait()}"]
        facts = {
            "it is not ready": holds(lambda: (self.machine.top / "state/ready").exists() or "ready" in self.said()),
            "the service is not up": holds(lambda: self.is_up("web")),
            "nothing is logged on standard output": self.logs("web: tick"),
            "nothing is logged in the directory": self.grows("web"),
            "a traceback": "Traceback" not in self.said(),
            "lines are lost": not self.gaps(),
        }
        return [what for what, is_right in facts.items() if not is_right]

    def said(self) -> str:
        """What PID 1 and the collector have said."""
        return self.machine.stderr()

    def gaps(self) -> list[int]:
        """The numbers of printed lines that do not follow the line before them: a start of the service begins at 0."""
        numbers = [int(found) for found in re.findall(r"^web: tick (\d+) ", self.machine.stdout(), re.MULTILINE)]
        return [number for before, number in zip([-1, *numbers], numbers, strict=False) if number > before + 1]

    def outcome(self, wrong: list[str]) -> str:
        """What is wrong; else the first message, else nothing."""
        if wrong:
            return ", ".join(wrong)
        messages = [line for line in self.said().splitlines() if "warning" in line or "fatal" in line]
        told = [line for line in messages if not EXPECTED.search(line)]
        return f"{SAID}: {plain(told[0], self.machine.top)}" if told else HARMLESS


def name_of(pid: str) -> str:
    """The name of a process; nothing for one that has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def plain(message: str, top: Path) -> str:
    """A message without what varies from run to run and from place to place."""
    for place in (f"{top}/", f"{ROOT}/bin/../", f"{ROOT}/", f"{sys.base_prefix}/"):
        message = message.replace(place, "")
    message = re.sub(r"\bat (\S+\.py):\d+", r"in \1", message)
    return re.sub(r"@[0-9a-f]{24}|(?<=pid )\d+|(?<=0x)[0-9a-f]+", "N", message)


def inner(pid: int) -> str:
    """A pid as the container counts."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))


def holds(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether it becomes true in time."""
    try:
        return until(condition, seconds=seconds)
    except AssertionError:
        return False


def start(bench: Bench, options: list[str]) -> str:
    """The start, from the launcher's first line: in order, or fatal."""
    bench.boot_traced(options)
    holds(lambda: bench.has_ended or "ready" in bench.said(), 5)  # that message may be what was lost
    holds(lambda: bench.has_ended, 0.3)
    if not bench.has_ended:
        return bench.outcome(bench.wrong())
    code, said = bench.machine.wait(), bench.said()
    if code == 111 and "pyinit: fatal: " in said and "Traceback" not in said:
        return f"{FATAL}: {plain(said.splitlines()[-1], bench.machine.top)}"
    return f"PID 1 ended: {code}: {said[-100:]!r}"


def interpreter(bench: Bench, options: list[str]) -> str:
    """The interpreter's own start, for which nothing is promised."""
    found = start(bench, options)
    said = [line for line in bench.said().splitlines() if line.strip()]
    return (
        f"{ENDED}: {bench.machine.wait()}: {plain(said[-1], bench.machine.top) if said else ''}"
        if bench.has_ended
        else found
    )


def steady(bench: Bench, options: list[str]) -> str:
    """PID 1 through `svc -t`, the end of the collector, two new services and HUP."""
    bench.boot()
    bench.attach(bench.machine.pid, options)
    machine = bench.machine
    command("svc", "-t", machine.services / "web")
    bench.kill_collector()
    machine.add("new", "echo hello; exec sleep 1000")
    machine.add("own", "echo hello; exec sleep 1000", log__run="exec multilog t ./main")
    machine.signal(SIGHUP)
    facts = {
        "the new service is not up": holds(lambda: bench.is_up("new")),
        "the new service is not logged": holds(lambda: "new: hello" in machine.stdout()),
        "the service with a logger is not up": holds(lambda: bench.is_up("own") and bench.is_up("own/log")),
        "its logger does not log": holds(lambda: bool(list(machine.services.glob("own/log/main/current")))),
    }
    return bench.outcome([*bench.wrong(), *(what for what, is_right in facts.items() if not is_right)])


def collector(bench: Bench, options: list[str]) -> str:
    """The collector while it logs, is given another pipe, and rotates."""
    bench.boot()
    bench.attach(bench.collector(), options)
    bench.machine.add("new", "echo hello; exec sleep 1000")
    bench.machine.signal(SIGHUP)
    is_logged = holds(lambda: "new: hello" in bench.machine.stdout())
    bench.machine.signal(SIGUSR1)
    return bench.outcome([*bench.wrong(), *([] if is_logged else ["the new service is not logged"])])


def stop(bench: Bench, options: list[str]) -> str:
    """PID 1 from TERM to its end: within its deadline, with exit code 0."""
    bench.boot()
    bench.attach(bench.machine.pid, options)
    try:
        code = bench.machine.stop(seconds=PATIENCE)
    except subprocess.TimeoutExpired:
        return "it does not stop"
    facts = {f"exit code {code}": code == 0, "a traceback": "Traceback" not in bench.said()}
    facts["lines are lost"] = not bench.gaps()
    return bench.outcome([what for what, is_right in facts.items() if not is_right])


PHASES: dict[str, Callable[[Bench, list[str]], str]] = {
    "interpreter": interpreter,
    "start": start,
    "steady": steady,
    "stop": stop,
    "collector": collector,
}


def run(fault: Fault) -> str:
    """What follows from a fault; the fault learns what it was about. What was not measured is told as that."""
    with Bench() as bench:
        try:
            found = PHASES[fault.phase](bench, fault.options)
        except Exception as error:
            return f"{UNMEASURED}: {type(error).__name__} {error}"
        injected = [line for line in bench.trace() if INJECTED in line]
        if not injected:
            return UNREACHED
        if fault.when.isdecimal():
            fault.about = about(injected[0].replace(INJECTED, ""), bench.machine.top)
        return found


def is_in_order(found: str) -> bool:
    """Whether nothing is wrong: a fatal end is in order at the start only."""
    return found == HARMLESS or found.startswith((SAID, FATAL, ENDED))


def trace(phase: str) -> tuple[list[str], Path]:
    """The trace of a phase without a fault, and the directory in which it ran."""
    for _ in range(2):  # the first compiles modules
        with Bench() as bench:
            found = PHASES[phase](bench, ["-y"])
            assert found == HARMLESS, found
            bench.detach()
            lines, top = bench.trace(), bench.machine.top
    return lines, top
