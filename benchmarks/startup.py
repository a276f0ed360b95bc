"""CPU time of the chain-loading commands' launchers against a bare interpreter, pair by pair.

    python benchmarks/startup.py [--quick] [--python PATH]

Each round runs `python3 -I -S -c pass` and every launcher once, in changing order, and divides what the kernel charged
(user and system time of the child, the final program's included) by the round's bare interpreter. The table shows
medians. The launchers are tried as an image installs them (`#!/usr/bin/python3 -IS`, package in ../lib/pyinit) and as
pip does (the header of bin/pyinit, a virtual environment around it). The aim is at most 1.25.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AIM = 1.25
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
if os.geteuid() != 0:
    del COMMANDS["setuidgid"]


def install_as_image(python: Path, place: Path) -> Path:
    """What the Dockerfile makes; returns the directory of the launchers."""
    launchers = place / "bin"
    launchers.mkdir(parents=True)
    body = (ROOT / "bin/pyinit").read_text().partition("\n")[2]
    _write_launchers(launchers, f"#!{python} -IS\n{body}")
    _copy_package(python, place / "lib/pyinit")
    return launchers


def install_as_pip(python: Path, place: Path) -> Path:
    """A virtual environment with what a wheel puts there, after `python -m pyinit launchers`; their directory."""
    subprocess.run([python, "-m", "venv", "--without-pip", place], check=True)
    body = (ROOT / "bin/pyinit").read_text().partition("\n")[2]
    _write_launchers(place / "bin", f"#!{place}/bin/python -IS\n{body}")
    _copy_package(python, next(place.glob("lib/python3*/site-packages")))
    return place / "bin"


def _write_launchers(directory: Path, text: str) -> None:
    for name in COMMANDS:
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)


def _copy_package(python: Path, directory: Path) -> None:
    """Copy and compile, whatever PYTHONDONTWRITEBYTECODE says: measured is the second start, not the first."""
    shutil.copytree(ROOT / "pyinit", directory / "pyinit", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run([python, "-m", "compileall", "-q", directory / "pyinit"], check=True, env=environment)


def cpu_seconds(argv: list[str]) -> float:
    """Run to the end and return what the kernel charged for it."""
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    _, status, usage = os.wait4(os.posix_spawn(argv[0], argv, environment, file_actions=null), 0)
    if status:
        raise RuntimeError(f"{argv} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def measure(cases: dict[str, list[str]], bare: list[str], rounds: int) -> dict[str, tuple[float, float]]:
    """Median ratio to the bare interpreter and median milliseconds of each case."""
    ratios: dict[str, list[float]] = {name: [] for name in cases}
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name in random.sample(list(cases), len(cases)):
            before, this, after = cpu_seconds(bare), cpu_seconds(cases[name]), cpu_seconds(bare)
            ratios[name].append(2 * this / (before + after))
            times[name].append(this * 1000)
    return {name: (statistics.median(ratios[name]), statistics.median(times[name])) for name in cases}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="CPU time of the launchers against a bare interpreter")
    parser.add_argument("--quick", action="store_true", help="a few rounds, for a first look")
    parser.add_argument("--python", type=Path, default=Path("/usr/bin/python3"), help="the interpreter to install for")
    options = parser.parse_args(arguments)
    rounds = 15 if options.quick else 100
    with tempfile.TemporaryDirectory(prefix="pyinit-startup-") as directory:
        place = Path(directory)
        (place / "e").mkdir()
        (place / "e" / "A").write_text("value\n")
        os.chdir(place)
        kinds = {
            "image": install_as_image(options.python, place / "image"),
            "pip": install_as_pip(options.python, place / "pip"),
        }
        bare = [str(options.python), "-I", "-S", "-c", "pass"]
        cases = {
            f"{name} {kind}": [str(launchers / name), *words]
            for name, words in COMMANDS.items()
            for kind, launchers in kinds.items()
        }
        cases["bare bare"] = bare
        for argv in cases.values():
            cpu_seconds(argv)
        found = measure(cases, bare, rounds)
        os.chdir("/")
    print(f"{rounds} rounds; ratio of CPU time to `python3 -I -S -c pass` ({found['bare bare'][1]:.1f} ms), and ms")
    print(f"{'':<16}{'image':>8}{'ms':>8}{'pip':>10}{'ms':>8}")
    for name in COMMANDS:
        cells = [found[f"{name} {kind}"] for kind in kinds]
        print(f"{name:<16}" + "  ".join(f"{ratio:8.2f}{ms:8.1f}" for ratio, ms in cells))
    worst = max(ratio for case, (ratio, _) in found.items() if case != "bare bare")
    print(f"worst {worst:.2f}, aim {AIM}; bare against bare {found['bare bare'][0]:.2f}")


if __name__ == "__main__":
    main()
