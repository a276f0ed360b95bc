"""pyinit as PID 1 without Docker: in a PID and mount namespace of its own (unshare), on a service directory in tmp."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, SIGTERM

from waiting import until

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("PYINIT_TRACED_BIN", ROOT / "bin"))
"""The launchers; traced ones while coverage is measured, see `traced.py`."""
PROGRAMS = ROOT / "tests/programs"
UNSHARE = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]


STAMPED = re.compile(r"@[0-9a-f]{24} (.*)")


def logged(directory: Path) -> list[str]:
    """All lines of a log directory, the oldest first, without their labels; none in the middle of a rotation.

    Without what a file ends in that is no line: it is being written, or who wrote it was killed at that.
    """
    try:
        files = [*sorted(path for path in directory.iterdir() if path.name.startswith("@")), directory / "current"]
        lines = "".join(text[: text.rfind("\n") + 1] for text in (path.read_text() for path in files)).splitlines()
    except FileNotFoundError:
        return []
    matches = [STAMPED.fullmatch(line) for line in lines]
    assert all(matches), lines[:3]
    return [match[1] for match in matches if match]


def environment(**more: str) -> dict[str, str]:
    """What the launchers of this checkout need to run on this interpreter, and `more`."""
    path = f"{BIN}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYINIT_")}
    return {**given, "PATH": path, "LC_ALL": "C.UTF-8", **more}


def command(*words: object, **more: str) -> "subprocess.CompletedProcess[bytes]":
    """Run one of our commands; its output is bytes."""
    line = [sys.executable, "-IS", str(BIN / str(words[0])), *map(str, words[1:])]
    return subprocess.run(line, env=environment(**more), capture_output=True, check=False, timeout=30)


class Machine:
    """One PID 1 and its services. The service directory is `services`; outputs are files beside it."""

    def __init__(self, top: Path, program: str = "pyinit", **env: str) -> None:
        self.top = top
        self.services = top / "service"
        self.services.mkdir(exist_ok=True)
        self.out, self.err = top / "stdout", top / "stderr"
        self.program = program
        self.interpreter = Path(sys.executable)
        self.env = {"PYINIT_SERVICE_DIR": str(self.services), "PYINIT_STATE": str(top / "state"), **env}
        self.process: subprocess.Popen[bytes] | None = None
        self.pid = 0
        self.stdin: int = subprocess.DEVNULL
        self.prefix: tuple[str, ...] = ()

    def add(self, name: str, script: str = "exec sleep 1000", **files: str) -> Path:
        """Make a service, complete before it is seen: built beside, then renamed. `log__run` means log/run."""
        building = self.top / f"building-{name}"
        building.mkdir()
        for file, content in {"run": script, **files}.items():
            path = building / file.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\n{content}\n" if path.name == "run" else content)
            path.chmod(0o755)
        building.rename(self.services / name)
        return self.services / name

    def boot(self, *arguments: str) -> "Machine":
        words: list[str | Path] = [*(UNSHARE if os.geteuid() == 0 else [*UNSHARE, "--user", "--map-root-user"])]
        words += [*self.prefix, self.interpreter, "-IS", BIN / self.program, *(arguments or self.arguments())]
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                words, env=environment(**self.env), stdin=self.stdin, stdout=out, stderr=err
            )
        self.until_booted()
        return self

    def until_booted(self) -> None:
        """Until PID 1 is ours and its pid known; one that was over before it could be seen leaves that 0."""
        until(self._find_pid, "PID 1 to exist, or to have been")
        until(self._is_executed, "PID 1 to be executed")

    def _find_pid(self) -> bool:
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0]) if children else 0
        return bool(children) or self.process.poll() is not None

    def _is_executed(self) -> bool:
        """Whether it has become ours; it may be over already."""
        try:
            return b"\0-IS\0" in self.proc("cmdline")
        except (FileNotFoundError, ProcessLookupError):
            return True

    def arguments(self) -> list[str]:
        return [str(self.services)] if self.program == "svscan" else []

    def proc(self, name: str) -> bytes:
        return Path(f"/proc/{self.pid}/{name}").read_bytes()

    def inside(self, *words: object, check: bool = True) -> str:
        """Run a program among the services; its output."""
        line = ["nsenter", "--target", str(self.pid), "--pid", "--mount", "--user" if os.geteuid() else "--", *words]
        return subprocess.run(
            [str(word) for word in line if word != "--" or os.geteuid() == 0],
            env=environment(**self.env),
            check=check,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout

    def svstat(self, name: str) -> str:
        return command("svstat", self.services / name).stdout.decode().partition(": ")[2].strip()

    def svc(self, letters: str, *names: str) -> None:
        done = command("svc", f"-{letters}", *(self.services / name for name in names))
        assert (done.returncode, done.stderr) == (0, b"")

    def pid_of(self, name: str) -> int:
        """The pid of a service, as its namespace counts; 0 when down."""
        found = re.match(r"up \(pid (\d+)\)", self.svstat(name))
        return int(found[1]) if found else 0

    def until_up(self, name: str, other_than: int = 0, seconds: float = 10.0) -> int:
        return until(lambda: (pid := self.pid_of(name)) != other_than and pid, f"{name} to be up", seconds)

    def stdout(self) -> str:
        return self.out.read_text(errors="replace")

    def stderr(self) -> str:
        return self.err.read_text(errors="replace")

    def signal(self, number: int) -> None:
        assert self.pid
        os.kill(self.pid, number)

    def stop(self, number: int = SIGTERM, seconds: float = 15.0) -> int:
        """Send a signal to PID 1 and wait for its end; the exit code."""
        self.signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = 15.0) -> int:
        assert self.process
        return self.process.wait(seconds)

    def destroy(self) -> None:
        if self.process and self.process.poll() is None:
            os.kill(self.pid or self.process.pid, SIGKILL)
            self.process.wait(10)
        shutil.rmtree(self.top, ignore_errors=True)


MakeMachine = Callable[..., Machine]
"""The fixture `make_machine`: `make_machine(program="pyinit", **environment)`."""
