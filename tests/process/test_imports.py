"""What each command imports while it does its work, exactly: an import more is start-up time for every run of it."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

BARE = [sys.executable, "-IS", "-X", "importtime"]
NAME = re.compile(rb"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)

LAUNCHER = {"pyinit", "pyinit.__main__", "pyinit.commands", "pyinit.report", "pyinit.system", "pyinit.system.process"}

COMMANDS: dict[str, tuple[set[str], str]] = {
    "envdir": ({"pyinit.system.environment"}, "mkdir e; echo x >e/A; envdir e true"),
    "envuidgid": ({"pyinit.system.environment"}, "envuidgid root true"),
    "fghack": (set(), "fghack true"),
    "pgrphack": (set(), "pgrphack true"),
    "readproctitle": (set(), "readproctitle label ..... </dev/null"),
    "setlock": ({"fcntl", "pyinit.options"}, "setlock -n f true"),
    "setuidgid": (set(), "setuidgid root true"),
    "softlimit": ({"resource", "pyinit.errors", "pyinit.options"}, "softlimit -o 50 true"),
    "svscanboot": (set(), "PYINIT_SERVICE_DIR=/nonexistent svscanboot"),
}
"""What is imported beyond the launcher's own, and how the command is run."""

FAILING = {"pyinit.errors"}
"""What a message with a reason adds."""


def imports(text: bytes) -> set[str]:
    return {name.decode() for name in NAME.findall(text)} - set(sys.builtin_module_names)


@pytest.fixture(scope="module")
def of_the_interpreter() -> set[str]:
    return imports(subprocess.run([*BARE, "-c", "pass"], capture_output=True, check=True).stderr)


@pytest.fixture
def imported(of_the_interpreter: set[str], tmp_path: Path) -> Callable[[str, str], set[str]]:
    """Runs shell text in which the command named is our launcher, watched; gives what it imported."""

    def run(name: str, text: str) -> set[str]:
        log = tmp_path / "imports"
        watched = f'{name}() {{ {" ".join(BARE)} {ROOT}/bin/{name} "$@" 2>>{log}; }}\n'
        subprocess.run(["/bin/sh", "-c", watched + text], cwd=tmp_path, timeout=20, check=False)
        return imports(log.read_bytes()) - of_the_interpreter

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_imported_that_is_not_needed(name: str, imported: Callable[[str, str], set[str]]) -> None:
    more, text = COMMANDS[name]
    expected = LAUNCHER | more | {f"pyinit.commands.{name}"}
    assert imported(name, text) == expected - set(sys.builtin_module_names)


def test_a_message_loads_its_table(imported: Callable[[str, str], set[str]]) -> None:
    assert imported("pgrphack", "pgrphack ./nonexistent") == LAUNCHER | FAILING | {"pyinit.commands.pgrphack"}
