"""The chain-loading commands: processor time of one that runs `true`, until that has ended.

Held against a bare interpreter. Ours are installed as in an image (`#!/usr/bin/python3 -IS`). The column of others has
them once more as pip installs them: with the interpreter of a virtual environment and no options.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.bounds import BARE
from benchmarks.rows import OURS, PIP, Row, interleave
from benchmarks.workshop import ROOT, BrokenMeasurement, Workshop

TRUE = "/bin/true"

COMMANDS = {
    "envdir": ["e", TRUE],
    "envuidgid": ["root", TRUE],
    "fghack": [TRUE],
    "pgrphack": [TRUE],
    "readproctitle": ["label", "....."],
    "setlock": ["lock", TRUE],
    "setuidgid": ["root", TRUE],
    "softlimit": ["-o", "100", TRUE],
}


def measure(workshop: Workshop) -> list[Row]:
    """A row a command."""
    place = workshop.directory / "chain"
    (place / "e").mkdir(parents=True)
    (place / "e/A").write_text("value\n")
    pip = install_as_pip(workshop, place)
    rows = []
    for name, operands in COMMANDS.items():
        work = f"{name}, processor time"
        if (name == "setuidgid" and os.geteuid() != 0) or not workshop.wants(work):
            continue
        contestants = {
            OURS: _run(workshop, [str(workshop.ours / name), *operands], place),
            PIP: _run(workshop, [str(pip / name), *operands], place),
            BARE: _run(workshop, [workshop.python, "-I", "-S", "-c", "pass"], place),
        }
        if "daemontools" in workshop.peers:
            contestants["daemontools"] = _run(workshop, [name, *operands], place)
        samples = interleave(contestants, workshop.rounds(21))
        rows.append(Row(work, "ms", samples, reference=BARE))
    return rows


def install_as_pip(workshop: Workshop, place: Path) -> Path:
    """Make a virtual environment with the files of a wheel; returns the directory of the launchers."""
    subprocess.run([workshop.python, "-m", "venv", "--without-pip", place / "venv"], check=True)
    body = (ROOT / "bin/pyinit").read_text().partition("\n")[2]
    for name in COMMANDS:
        launcher = place / "venv/bin" / name
        launcher.write_text(f"#!{place}/venv/bin/python3\n{body}")
        launcher.chmod(0o755)
    library = next(place.glob("venv/lib/python3*/site-packages"))
    shutil.copytree(workshop.ours.parent / "lib/pyinit/pyinit", library / "pyinit")
    return place / "venv/bin"


def _run(workshop: Workshop, command: list[str], place: Path) -> Callable[[], float]:
    def run() -> float:
        code, _, cpu = workshop.cost(*command, directory=place)
        if code:
            raise BrokenMeasurement(f"{command}: exit code {code}")
        return cpu

    return run
