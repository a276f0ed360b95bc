"""The tools of all benchmarks: ours installed as an image has it, the peers that are here, the C programs."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path

from benchmarks.plots import Plot

ROOT = Path(__file__).resolve().parent.parent

MEMORY = "/dev/shm"

PEERS = {
    "daemontools": ("svscan", "supervise", "multilog", "svstat"),
    "s6": ("s6-svscan", "s6-supervise", "s6-log", "s6-svstat"),
    "runit": ("runsvdir", "runsv", "svlogd", "sv"),
    "supervisor": ("supervisord", "supervisorctl"),
    "tini": ("tini",),
    "dumb-init": ("dumb-init",),
    "catatonit": ("catatonit",),
}
"""Debian's package, and the programs of it that are measured."""

DEBIAN = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Where they are. A virtual environment on PATH has programs of ours by the same names."""


class BrokenMeasurement(Exception):
    """The contestant did not do its work: the number would mean nothing."""


class Workshop:
    """One session of measuring. A `quick` one shows that everything can be measured, not how fast it is.

    `python` runs ours, and is the bare interpreter. Everything is made in `place`: in memory, where that can be, since
    on a disk the disk would be measured. `peers` are here, `missing` are not; from here on PATH has nothing else.
    """

    def __init__(
        self, quick: bool, python: str = "/usr/bin/python3", place: str = MEMORY, most_rounds: int = 1000
    ) -> None:
        os.environ["PATH"] = DEBIAN
        self.quick = quick
        self._most_rounds = most_rounds
        self.only = ""
        """A text: rows with it in their name are measured, others need not be."""
        self.python = python if os.access(python, os.X_OK) else sys.executable
        self.peers = [name for name, programs in PEERS.items() if all(map(shutil.which, programs))]
        self.missing = [name for name in PEERS if name not in self.peers]
        self.directory = Path(
            tempfile.mkdtemp(prefix="pyinit-benchmarks-", dir=place if os.access(place, os.W_OK) else None)
        )
        self.directory.chmod(0o755)
        self.plots: dict[str, Plot] = {}
        """The plots to draw, by the name of the file."""

    def tell_missing(self) -> None:
        """Say which peers are not here; `tools/packages PYTHON bench` installs them."""
        if self.missing:
            print(f"benchmarks: not here, so not measured: {' '.join(self.missing)} (Debian's packages of these names)")

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    def rounds(self, count: int) -> int:
        """How many rounds to take where `count` is right for numbers that last."""
        return 1 if self.quick else min(count, self._most_rounds)

    def wants(self, *works: str) -> bool:
        """Whether one of these rows is to be measured."""
        return any(self.only in work for work in works)

    @cached_property
    def ours(self) -> Path:
        """The directory of our commands, as an image has them."""
        return self._commands("bin", self.python)

    @cached_property
    def ours_alone(self) -> Path:
        """The same, on an interpreter that nothing else runs on: all pages of its file are ours."""
        return self._commands("bin-alone", self.alone(self.python))

    def alone(self, python: str) -> str:
        """A copy of an interpreter. Where a copy does not find its library, the interpreter itself."""
        copy = self.directory / "interpreters" / Path(python).resolve().name
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(python, copy)
        started = subprocess.run([copy, "-c", "import encodings"], capture_output=True, check=False)
        return python if started.returncode else str(copy)

    @cached_property
    def package(self) -> Path:
        """Our package, bytecode compiled; the launchers look for it beside their directory."""
        package = self.directory / "lib/pyinit/pyinit"
        shutil.copytree(ROOT / "pyinit", package, ignore=shutil.ignore_patterns("__pycache__"))
        words = [str(self.python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(package)]
        subprocess.run(words, check=True)
        return package

    def _commands(self, name: str, python: str) -> Path:
        """Make a directory with one launcher, and links to it by the names of our commands."""
        directory = self.package.parents[2] / name
        directory.mkdir()
        body = (ROOT / "bin/pyinit").read_text().partition("\n")[2]
        launcher = directory / "pyinit"
        launcher.write_text(f"#!{python} -IS\n{body}")
        launcher.chmod(0o755)
        for path in (ROOT / "bin").iterdir():
            if path.name != "pyinit":
                (directory / path.name).symlink_to("pyinit")
        return directory

    def program(self, name: str) -> Path:
        """One of benchmarks/programs, compiled: static, so that it costs next to nothing to execute."""
        binary = self.directory / f"programs/{name}"
        if not binary.exists():
            binary.parent.mkdir(exist_ok=True)
            source = Path(__file__).parent / f"programs/{name}.c"
            subprocess.run(["cc", "-O2", "-Wall", "-static", "-o", binary, source], check=True)
        return binary

    def cost(self, *command: object, first: bool = False, directory: "Path | None" = None) -> tuple[int, float, float]:
        """Run a command, as process 1 of a namespace if `first`: its exit code, wall and processor milliseconds."""
        words = [self.program("cost"), *(["-p"] if first else []), *command]
        done = subprocess.run(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=120,
            cwd=directory,
        )
        try:
            code, wall, cpu = map(int, done.stderr.splitlines()[-1].split())
        except (IndexError, ValueError):
            raise BrokenMeasurement(f"{words}: {done.returncode} {done.stderr!r}") from None
        return code, wall / 1000, cpu / 1000
