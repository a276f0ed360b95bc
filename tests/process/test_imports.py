"""What each command imports while it does its work, exactly: an import more is start-up time for every run of it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

BARE = [sys.executable, "-ISB", "-X", "importtime"]
NAME = re.compile(rb"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)

LAUNCHER = {
    "pyinit",
    "pyinit.__main__",
    "pyinit.commands",
    "pyinit.launch",
    "pyinit.report",
    "pyinit.system",
    "pyinit.system.process",
}

CHAIN_LOADING: dict[str, tuple[set[str], str]] = {
    "envdir": ({"pyinit.system.environment"}, "mkdir e; echo x >e/A; envdir e true"),
    "envuidgid": ({"pyinit.system.environment"}, "envuidgid root true"),
    "fghack": ({"pyinit.system.descendants"}, "fghack true"),
    "pgrphack": (set(), "pgrphack true"),
    "readproctitle": ({"pyinit.system.title"}, "readproctitle label ..... </dev/null"),
    "setlock": ({"fcntl", "pyinit.getopt"}, "setlock -n f true"),
    "setuidgid": (set(), "setuidgid root true"),
    "softlimit": ({"resource", "pyinit.errors", "pyinit.getopt", "pyinit.system.limits"}, "softlimit -o 50 true"),
    "svscanboot": (set(), "PYINIT_SERVICE_DIR=/nonexistent svscanboot"),
}
"""What is imported beyond the launcher's own, and how the command is run."""

OTHERS: dict[str, tuple[set[str], str]] = {
    "multilog": ({"fcntl", "select"}, "echo x | multilog t ./log"),
    "supervise": (
        {"_heapq", "fcntl", "select"},
        "mkdir -p a/supervise; : >a/down; supervise a & cd a/supervise; until test -e ok; do :; done; echo x >control",
    ),
    "svc": (set(), "mkdir -p a/supervise; : >a/supervise/control; svc -u a"),
    "svlog": ({"_bisect"}, "mkdir a; : >a/current; svlog ./a"),
    "svok": (set(), "mkdir -p a/supervise; : >a/supervise/ok; svok a"),
    "svscan": (
        {"_heapq", "fcntl", "select"},
        "mkdir -p s/a; touch s/a/down; svscan s & until test -e s/a/supervise/ok; do sleep 0.02; done; kill $!; wait",
    ),
    "svstat": (set(), "mkdir -p a/supervise; : >a/supervise/ok; head -c 18 /dev/zero >a/status; svstat a"),
    "tai64n": (set(), "echo | tai64n"),
    "tai64nlocal": (set(), "echo @4000000037c219bf2ef02e94 | tai64nlocal"),
}
"""What they import of the standard library; their modules of our own are for the layers' test to judge."""

PRCTL = {"prctl", "_prctl"}
"""python-prctl, which may not be installed for the interpreter that is tried."""

FAILING = {"pyinit.errors"}
"""What a message with a reason adds."""


def imports(text: bytes) -> set[str]:
    names = [name.decode() for name in NAME.findall(text)]
    return set(names) - set(sys.builtin_module_names) - PRCTL


@pytest.fixture(scope="module")
def of_the_interpreter() -> set[str]:
    return imports(subprocess.run([*BARE, "-c", "pass"], capture_output=True, check=True).stderr)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is not compiled: importlib then does what else we do ourselves, and tells of it."""
    top = tmp_path_factory.mktemp("checkout")
    for name in "bin", "pyinit":
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    return top


@pytest.fixture
def imported(of_the_interpreter: set[str], checkout: Path, tmp_path: Path) -> Callable[[str, str], set[str]]:
    """Runs shell text in which the command named is our launcher, watched; gives what it imported."""

    def run(name: str, text: str) -> set[str]:
        log = tmp_path / "imports"
        watched = f'{name}() {{ exec {" ".join(BARE)} {checkout}/bin/{name} "$@" 2>>{log}; }}\n'
        env = {**os.environ, "PYINIT_STATE": str(tmp_path)}  # no pyinit of this machine is seen
        subprocess.run(["/bin/sh", "-c", watched + text], cwd=tmp_path, env=env, timeout=20, check=False)
        return imports(log.read_bytes()) - of_the_interpreter

    return run


def of_the_library(names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] != "pyinit"}


@pytest.mark.parametrize("name", CHAIN_LOADING)
def test_a_chain_loading_command_imports_just_this(name: str, imported: Callable[[str, str], set[str]]) -> None:
    more, text = CHAIN_LOADING[name]
    expected = LAUNCHER | more | {f"pyinit.commands.{name}"}
    assert imported(name, text) == expected - set(sys.builtin_module_names)


@pytest.mark.parametrize("name", OTHERS)
def test_another_command_imports_just_this_of_the_library(name: str, imported: Callable[[str, str], set[str]]) -> None:
    expected, text = OTHERS[name]
    found = imported(name, text)
    assert f"pyinit.commands.{name}" in found
    assert of_the_library(found) == expected - set(sys.builtin_module_names)


PLAIN = "mkdir -p s/a; printf '#!/bin/sh\\nexec sleep 9\\n' >s/a/run; chmod +x s/a/run"
READER = {
    *("pyinit.services.definition.policy_files", "pyinit.services.definition.words"),
    *("pyinit.services.definition.restarting", "pyinit.system.beneath"),
}
FINISHING = {f"pyinit.services.{name}" for name in ("census", "finishing", "leftovers", "program")}
QUESTIONS, SIGNALS, CRON = (
    "pyinit.services.definition.asking",
    "pyinit.system.signals",
    "pyinit.services.definition.cron",
)
"""What process 1 loads for the files of a service's life."""


@pytest.mark.parametrize(
    ("more", "loaded"),
    [
        ("", set()),
        ("echo port 80 >s/a/read", set()),
        (": >s/a/critical", READER),
        ("echo 143 >s/a/success", READER),
        ("echo 0,TERM >s/a/success", READER | {SIGNALS}),
        ("echo up >s/a/ready", READER | {QUESTIONS}),
        ("printf '#!/bin/sh' >s/a/finish; chmod +x s/a/finish", READER | FINISHING),
        ("echo mixed >s/a/kill-mode", READER | FINISHING),
        ("echo process >s/a/kill-mode", READER),
        ("echo oneshot >s/a/type; echo '1 2 3 * *' >s/a/timer", READER | {QUESTIONS, CRON}),
        (": >s/a/critical; export PYINIT_DIALECT=daemontools", set()),
    ],
)
def test_process_1_loads_what_reads_a_file_where_it_is_there(
    imported: Callable[[str, str], set[str]], more: str, loaded: set[str]
) -> None:
    found = imported("pyinit", f"{PLAIN}; {more or ':'}; pyinit -d s true")
    assert "pyinit.services.definition.reading" in found
    assert found & (READER | FINISHING | {QUESTIONS, SIGNALS, CRON}) == loaded


ASKING = {
    *("pyinit.services.inquiry", "pyinit.services.notices", "pyinit.services.watchdog", "pyinit.services.polled"),
    *("pyinit.services.checker.checker", "pyinit.services.checker.polling"),
}
"""What process 1 loads to find out about services."""


@pytest.mark.parametrize(
    ("more", "loaded"),
    [
        ("", set()),
        (": >s/a/critical", set()),
        ("echo fd 3 >s/a/ready", {"inquiry"}),
        ("echo notify >s/a/ready", {"inquiry", "notices"}),
        ("echo port 1 >s/a/ready", {"inquiry", "polled", "checker.checker", "checker.polling"}),
    ],
)
def test_process_1_loads_what_asks_where_there_is_a_question(
    imported: Callable[[str, str], set[str]], more: str, loaded: set[str]
) -> None:
    found = imported("pyinit", f"{PLAIN}; {more or ':'}; PYINIT_WAIT=1s PYINIT_START=anyway pyinit -d s sleep 0.2")
    assert found & ASKING == {f"pyinit.services.{name}" for name in loaded}


def test_a_message_loads_its_table(imported: Callable[[str, str], set[str]]) -> None:
    assert imported("pgrphack", "pgrphack ./nonexistent") == LAUNCHER | FAILING | {"pyinit.commands.pgrphack"}


def test_what_says_messages_is_there_before_the_first() -> None:
    """Which may be that nothing can be opened any more, a module neither."""
    program = (
        "import sys; sys.path[:0] = '.'; import pyinit.commands.pyinit; print('pyinit.system.console' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-IS", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
