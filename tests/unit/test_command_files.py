"""A command is a module of pyinit/commands. Whatever else each has is here; a failure names the file to be made."""

import tomllib
from pathlib import Path

import pytest

from pyinit.__main__ import CALLED, commands, is_command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", commands())
def test_a_command_has_its_files(name: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    launcher = ROOT / "bin" / name
    has = {
        f"bin/{name}, a link to pyinit": name == "pyinit"
        or (launcher.is_symlink() and launcher.readlink().name == "pyinit"),
        f'"bin/{name}" in script-files of pyproject.toml': f"bin/{name}" in settings["script-files"],
        f"docs/commands/{name}.md": (ROOT / f"docs/commands/{name}.md").is_file(),
        f"a link to commands/{name}.md in docs/README.md": f"(commands/{name}.md)"
        in (ROOT / "docs/README.md").read_text(),
        f"`def main` in pyinit/commands/{name}.py": "\ndef main(" in (ROOT / f"pyinit/commands/{name}.py").read_text(),
    }
    assert [what for what, is_there in has.items() if not is_there] == [], f"{name} lacks these"


def test_every_file_of_a_command_has_its_command() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = [*(path.name for path in (ROOT / "bin").iterdir()), *(Path(file).name for file in settings["script-files"])]
    found += [path.stem for path in (ROOT / "docs/commands").iterdir()]
    assert sorted(set(found) - set(commands())) == []


def test_what_a_chain_calls_are_commands() -> None:
    assert [name for name in CALLED if not is_command(name.decode())] == []


@pytest.mark.parametrize("name", ["", "tini", "__init__", "_private", "no/such", "svok.py"])
def test_another_name_is_no_command(name: str) -> None:
    assert not is_command(name)
