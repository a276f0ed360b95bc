"""The pages, typed: every file is written, every command is given, and what comes out is what the page promises."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from console import Command, File, Script, Session, blocks, examples, is_look, matches, rename
from container.images import build

ROOT = Path(__file__).parents[2]
PREFIX = "pyinit-page-"
IS_THOROUGH = os.environ.get("PYINIT_PAGES") == "all"
"""Whether sessions that a page marks as slow are typed too: see `make pages`."""
PATIENCE = 20.0
"""Seconds in which a command that only looks has to show what the page promises."""

SETUPS = Path(__file__).parent / "pages"


@dataclass(frozen=True)
class Page:
    """A page that is typed.

    `names` are those that it gives to images, containers and volumes. They are typed with a prefix, so that nothing of
    the machine's own is touched. `setup` is the directory of the image that it calls `app`, if it does not build that.
    A container of that name runs already if `is_running`.
    """

    path: str
    names: tuple[str, ...]
    setup: str = ""
    is_running: bool = False


PAGES = [
    Page("README.md", ("app",)),
    Page("docs/guides/first-container.md", ("app",)),
    Page("docs/guides/mail-host.md", ("mailhost",)),
    Page("docs/guides/moving.md", ("app", "site", "host", "cache")),
    Page("docs/guides/run-scripts.md", ("app",)),
    Page("docs/guides/logging.md", ("app", "shop", "applogs"), "app"),
    Page("docs/guides/containers.md", ("app", "applogs"), "app"),
    Page("docs/guides/up-and-ready.md", ("app",), "app"),
    Page("docs/guides/troubleshooting.md", ("app",), "sick", is_running=True),
]


@dataclass
class Reader:
    """Types in a directory of its own, each command in a shell of its own."""

    here: Path
    inside: str = ""
    """A container in which commands are given that are none of docker's."""

    def write(self, file: File) -> None:
        path = self.here / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        path.chmod(0o755 if file.content.startswith("#!") else 0o644)

    def type(self, command: str) -> tuple[int, str]:
        """Exit code and output, both streams in one, as a terminal shows it."""
        shell = ["bash", "-c", command]
        if self.inside and not command.startswith("docker "):
            detached = ["-d"] if command.endswith("&") else []
            # The engine waits for whoever has its streams, seconds long.
            quiet = re.sub("&$", ">/dev/null 2>&1 &", command)
            shell = ["docker", "exec", *detached, self.inside, "sh", "-c", quiet]
        done = subprocess.run(
            shell,
            cwd=self.here,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=100,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "DOCKER_CLI_HINTS": "false"},
        )
        return done.returncode, WARNING.sub("", done.stdout)

    def follow(self, session: Session) -> None:
        pids: dict[str, str] = {}
        for command in session.commands:
            pids = self.compare(command, pids)

    def compare(self, command: Command, pids: dict[str, str]) -> dict[str, str]:
        """Give the command, again if it only looks, until the output is the promised one."""
        deadline = time.monotonic() + (PATIENCE if self.is_look(command.text) else 0)
        while True:
            _, said = self.type(command.text)
            self.settle(command.text)
            known = matches(command.output, said, pids)
            if known is not None:
                print(f"$ {command.text}\n{said}", end="")
                return known
            assert time.monotonic() < deadline, (
                f"line {command.line}: {command.text}\n--- promised\n{command.output}--- said\n{said}"
            )
            time.sleep(0.1)

    def is_look(self, command: str) -> bool:
        is_ours = self.inside and not command.startswith("docker ")
        return is_look(f"docker exec {self.inside} {command}" if is_ours else command)

    def settle(self, command: str) -> None:
        """A reader is slower than a boot: wait a little for a container's services before the next command."""
        if started := STARTED.search(command):
            deadline = time.monotonic() + 1
            while self.type(f"docker exec {started[1]} svstat --ready")[0] and time.monotonic() < deadline:
                time.sleep(0.05)


STARTED = re.compile(r"docker (?:run -d --name|start) ([\w-]+)")

WARNING = re.compile(r"\ADEPRECATED: The legacy builder.*?\n\n", re.DOTALL)
"""What newer clients print before they use the builder that every engine has."""


def clear(page: str) -> None:
    """Remove the containers and volumes that a page makes."""
    named = [*re.findall(rf"--name ({PREFIX}[\w-]+)", page), f"{PREFIX}app"]
    volumes = re.findall(rf"-v ({PREFIX}[\w-]+):", page)
    for command in (["rm", "-fv", *dict.fromkeys(named)], ["volume", "rm", "-f", *dict.fromkeys(volumes)]):
        if command[2:]:
            subprocess.run(["docker", *command], capture_output=True, check=False)


@pytest.fixture
def typed(request: pytest.FixtureRequest, image: str) -> Iterator[str]:
    """A page with names of its own; the image `pyinit` is the one under test."""
    page: Page = request.param
    subprocess.run(["docker", "tag", image, "pyinit"], check=True)
    if page.setup:
        build(f"{PREFIX}app", SETUPS / page.setup)
    text = rename((ROOT / page.path).read_text(), page.names, PREFIX)
    clear(text)
    if page.is_running:
        subprocess.run(["docker", "run", "-d", "--name", f"{PREFIX}app", f"{PREFIX}app"], check=True)
    yield text
    clear(text)


@pytest.mark.parametrize("typed", PAGES, indirect=True, ids=lambda page: page.path)
def test_the_page_is_true(typed: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(typed):
        if isinstance(block, File):
            reader.write(block)
        elif isinstance(block, Script):
            code, said = reader.type(f"set -e\n{block.text}")
            reader.settle(block.text)
            assert code == 0, f"line {block.line}: {block.text}{said}"
        elif IS_THOROUGH or not block.is_slow:
            reader.follow(block)


HELD_ELSEWHERE = ("svlog",)
"""tests/process/test_svlog.py types these, on logs that it writes itself."""

MANUAL = [
    page
    for page in sorted((ROOT / "docs/commands").glob("*.md"))
    if any(examples(page.read_text())) and page.stem not in HELD_ELSEWHERE
]


@pytest.fixture(scope="module")
def manual(image: str) -> Iterator[str]:
    """A container in which the examples of the manual come true."""
    subprocess.run(["docker", "tag", image, "pyinit"], check=True)
    name = build(f"{PREFIX}manual", SETUPS / "manual")
    clear(f"--name {name}")
    subprocess.run(["docker", "run", "-d", "--name", name, name], check=True)
    subprocess.run(["docker", "exec", "-d", name, "env", "PYINIT_SERVICE_DIR=/sick", "svscanboot"], check=True)
    yield name
    clear(f"--name {name}")


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: page.stem)
def test_the_examples_of_the_manual_are_true(page: Path, manual: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path, inside=manual)
    for session in examples(page.read_text().replace("CONTAINER", manual)):
        reader.follow(session)
