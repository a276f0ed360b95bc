"""The chain-loading commands: processor time from exec to exec of what they run, `true`, and that included.

Held against a bare interpreter, `python3 -I -S -c pass`. As an image installs them (`#!/usr/bin/python3 -IS`) and, in
the same column of others, as pip does: with the interpreter of a virtual environment and no options.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.first import BARE
from benchmarks.rows import OURS, Row, interleave
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
ASKED = 1.25


def measure(workshop: Workshop) -> list[Row]:
    place = workshop.directory / "chain"
    (place / "e").mkdir(parents=True)
    (place / "e/A").write_text("value\n")
    pip = install_as_pip(workshop, place)
    rows = []
    for name, operands in COMMANDS.items():
        if name == "setuidgid" and os.geteuid() != 0:
            continue
        contestants = {
            OURS: _run(workshop, [str(workshop.ours / name), *operands], place),
            "by pip": _run(workshop, [str(pip / name), *operands], place),
            BARE: _run(workshop, [workshop.python, "-I", "-S", "-c", "pass"], place),
        }
        if "daemontools" in workshop.peers:
            contestants["daemontools"] = _run(workshop, [name, *operands], place)
        samples = interleave(contestants, workshop.rounds(41))
        rows.append(Row(f"{name}, processor time", "ms", samples, BARE, ASKED))
    return rows


def install_as_pip(workshop: Workshop, place: Path) -> Path:
    """A virtual environment with what a wheel puts there; returns the directory of the launchers."""
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
