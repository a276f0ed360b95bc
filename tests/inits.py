"""tini and dumb-init beside ours: where both are, how one is run, and what is seen of it."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from machine import BIN, UNSHARE, environment
from waiting import until

DEBIAN = {
    "tini": "/usr/bin/tini",
    "tini-static": "/usr/bin/tini-static",
    "docker-init": "/usr/bin/docker-init",
    "dumb-init": "/usr/bin/dumb-init",
}
"""The C programs."""


def link_ours(top: Path) -> dict[str, str]:
    """Symbolic links to our launcher, by the other names."""
    for name in DEBIAN:
        (top / name).symlink_to(BIN / "pyinit")
    return {name: str(top / name) for name in DEBIAN}


LISTENER = """
import os, signal, sys
numbers = set(map(int, sys.argv[1:]))
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
os.write(1, b"ready\\n")
while True:
    os.write(1, b"%d\\n" % signal.sigwaitinfo(numbers).si_signo)
"""
"""Prints the number of each signal in its arguments that it gets. Fetched: a handler may come due before a pause."""


def run(
    program: str, *words: str, stdin: str = "", namespace: bool = False, **env: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*(UNSHARE if namespace else []), program, *words],
        env=environment(**env),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        start_new_session=True,
    )


class Running:
    """The program with a command that says `ready`; its lines arrive in `lines`."""

    def __init__(self, out: Path, program: str, *words: str, **env: str) -> None:
        self.out = out
        with out.open("wb") as file:
            self.process = subprocess.Popen(
                [program, *words],
                env=environment(**env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        until(lambda: "ready" in self.lines(), f"{words} to be ready")

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in (*reversed(descendants(self.process.pid)), self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)

    def lines(self) -> list[str]:
        return self.out.read_text().split()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def until_line(self, line: str) -> None:
        until(lambda: line in self.lines(), f"{line} in {self.lines()}")

    def state(self, pid: int = 0) -> str:
        return Path(f"/proc/{pid or self.process.pid}/stat").read_text().rpartition(") ")[2][0]


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(word) for word in children.read_text().split()] if children.exists() else []
    return [one for child in found for one in (child, *descendants(child))]


Scenario = Callable[[str, Path], object]
"""What was seen of a program, in a directory of its own."""
