"""The pages, typed: every file is written, every command is given, and what comes out is what the page promises."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from console import Command, File, Script, Session, blocks, is_look, matches, rename

ROOT = Path(__file__).parents[2]
PREFIX = "pyinit-page-"
PATIENCE = 20.0
"""Seconds in which a command that only looks has to show what the page promises."""

PAGES = {
    "README.md": ("app",),
    "docs/guides/first-container.md": ("app",),
    "docs/guides/mail-host.md": ("mailhost",),
    "docs/guides/moving.md": ("app", "site", "host", "cache"),
}
"""The pages that are typed, each with the names that it gives to images, containers and volumes.

They are typed with a prefix, so that no image or container of the machine's own is touched.
"""


@dataclass
class Reader:
    """Who types: in a directory of its own, each command in a shell of its own."""

    here: Path

    def write(self, file: File) -> None:
        path = self.here / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        path.chmod(0o755 if file.content.startswith("#!") else 0o644)

    def type(self, command: str) -> tuple[int, str]:
        """Exit code and output, both streams in one, as a terminal shows it."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.here,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=100,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "DOCKER_BUILDKIT": "0", "DOCKER_CLI_HINTS": "false"},
        )
        return done.returncode, WARNING.sub("", done.stdout)

    def follow(self, session: Session) -> None:
        pids: dict[str, str] = {}
        for command in session.commands:
            pids = self.compare(command, pids)

    def compare(self, command: Command, pids: dict[str, str]) -> dict[str, str]:
        """Give the command, again if it only looks, until the output is the promised one."""
        deadline = time.monotonic() + (PATIENCE if is_look(command.text) else 0)
        while True:
            _, said = self.type(command.text)
            known = matches(command.output, said, pids)
            if known is not None:
                print(f"$ {command.text}\n{said}", end="")
                return known
            assert time.monotonic() < deadline, (
                f"line {command.line}: {command.text}\n--- promised\n{command.output}--- said\n{said}"
            )
            time.sleep(0.1)


WARNING = re.compile(r"\ADEPRECATED: The legacy builder.*?\n\n", re.DOTALL)
"""What newer clients print before they use the builder that every engine has."""


def clear(page: str) -> None:
    """Remove the containers and volumes that a page makes."""
    named = re.findall(rf"--name ({PREFIX}[\w-]+)", page)
    volumes = re.findall(rf"-v ({PREFIX}[\w-]+):", page)
    for command in (["rm", "-fv", *dict.fromkeys(named)], ["volume", "rm", "-f", *dict.fromkeys(volumes)]):
        if command[2:]:
            subprocess.run(["docker", *command], capture_output=True, check=False)


@pytest.fixture
def typed(request: pytest.FixtureRequest, image: str) -> Iterator[str]:
    """A page with names of its own; the image `pyinit` is the one under test."""
    name = request.param
    subprocess.run(["docker", "tag", image, "pyinit"], check=True)
    page = rename((ROOT / name).read_text(), PAGES[name], PREFIX)
    clear(page)
    yield page
    clear(page)


@pytest.mark.parametrize("typed", PAGES, indirect=True)
def test_the_page_is_true(typed: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(typed):
        if isinstance(block, File):
            reader.write(block)
        elif isinstance(block, Script):
            code, said = reader.type(f"set -e\n{block.text}")
            assert code == 0, f"line {block.line}: {block.text}{said}"
        else:
            reader.follow(block)
