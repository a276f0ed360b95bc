"""Scenarios: shell text, run on a directory of commands in a directory of its own, and what came of it.

A file holds scenarios separated by empty lines. Lines beginning with `#:` are for the suite:

    #: needs root
    #: differs exit stderr: why ours and the C program must not be the same here

Other comments are for the reader. `prelude.sh` says what the shell text may use.
"""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from daemontools import NAMES

HERE = Path(__file__).parent
PRELUDE = HERE / "prelude.sh"
STREAMS = ("exit", "stdout", "stderr")
WORD = re.compile(r"(?<![\w./-])(?:" + "|".join(NAMES) + r")(?![\w.-])")


@dataclass(frozen=True)
class Scenario:
    file: str
    line: int
    text: str
    needs_root: bool = False
    differs: tuple[str, ...] = ()
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}"

    def commands(self) -> list[str]:
        """The commands the text names, in the order of their first appearance."""
        return list(dict.fromkeys(WORD.findall(self.text)))

    def can_be_mixed(self) -> bool:
        return not self.differs and (len(self.commands()) > 1 or "$SECOND" in self.text)


def read_scenarios(path: Path) -> list[Scenario]:
    scenarios = []
    line = 1
    for block in path.read_text().split("\n\n"):
        lines = block.split("\n")
        code = [text for text in lines if text and not text.startswith("#")]
        if code:
            scenarios.append(_scenario(path.stem, line + block[: block.index(code[0])].count("\n"), block))
        line += len(lines) + 1
    return scenarios


def _scenario(file: str, line: int, block: str) -> Scenario:
    needs_root, differs, why = False, (), ""
    for note in re.findall(r"^#: *(.*)", block, re.MULTILINE):
        if note == "needs root":
            needs_root = True
        elif found := re.fullmatch(r"differs ([a-z ]+): (.+)", note):
            differs, why = tuple(found[1].split()), found[2]
            if not set(differs) <= set(STREAMS):
                raise ValueError(f"{file}:{line}: {note}")
        else:
            raise ValueError(f"{file}:{line}: {note}")
    return Scenario(file, line, block, needs_root, differs, why)


def all_scenarios() -> list[Scenario]:
    return [scenario for path in sorted(HERE.glob("scenarios/*.sh")) for scenario in read_scenarios(path)]


@dataclass
class Outcome:
    exit: int | None
    """The shell's exit code; None when it had to be killed at the time limit."""
    stdout: bytes
    stderr: bytes
    masked: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.masked = {"exit": self.exit, "stdout": mask(self.stdout), "stderr": mask(self.stderr)}


LABEL = re.compile(rb"@([0-9a-f]{16})[0-9a-f]{8}")


def mask(output: bytes) -> bytes:
    """Hide what varies from run to run: labels of the present (not those a scenario wrote), pids, seconds.

    And the shell's word for a killed job, which it says or not, depending on when it looks.
    """

    def hide_label(found: "re.Match[bytes]") -> bytes:
        seconds = int(found[1], 16) - 2**62 - 10
        return b"@TAI64N" if abs(seconds - time.time()) < 3600 else found[0]

    output = LABEL.sub(hide_label, output)
    output = re.sub(rb"^(Terminated|Killed|Hangup)\n", b"", output, flags=re.MULTILINE)  # the shell, of its jobs
    output = re.sub(rb"\(pid \d+\)", b"(pid PID)", output)
    return re.sub(rb"\b\d+ seconds", b"N seconds", output)


LIMIT = 60.0


def run(scenario: Scenario, first: Path, second: Path, path: str, place: Path) -> Outcome:
    """Run the text; `$FIRST` and `$SECOND` are for saying which of two kinds is meant."""
    work = place / "work"
    work.mkdir(parents=True)
    for directory in (place, work):
        directory.chmod(0o755)
    environment = {
        "PATH": path,
        "HOME": str(work),
        "TZ": "UTC",
        "FIRST": str(first),
        "SECOND": str(second),
        "SCENARIO": str(place),
        "PRELUDE": str(PRELUDE),
        "PYINIT_STATE": str(work),  # where no pyinit runs, whatever runs on this machine
    }
    text = PRELUDE.read_text() + scenario.text + "\n"
    with (place / "stdout").open("wb") as stdout, (place / "stderr").open("wb") as stderr:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", text],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            umask=0o022,
            start_new_session=True,
        )
        try:
            code: int | None = shell.wait(LIMIT)
        except subprocess.TimeoutExpired:
            code = None
        kill_what_is_left(place)
        shell.wait()
    return Outcome(code, (place / "stdout").read_bytes(), (place / "stderr").read_bytes())


def kill_what_is_left(place: Path) -> None:
    """Kill every process of this scenario, wherever it has gone: the environment gives it away."""
    mark = b"SCENARIO=%b\0" % os.fsencode(place)
    while True:
        left = [int(process.name) for process in Path("/proc").glob("[0-9]*") if _has(process / "environ", mark)]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def _has(environ: Path, mark: bytes) -> bool:
    try:
        return mark in environ.read_bytes()
    except OSError:
        return False
