"""The man pages are made from docs/commands, and man can show them."""

import gzip
import os
import subprocess
from pathlib import Path

import pytest
from machine import ROOT

from pyinit.__main__ import commands


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man") / "man8"
    subprocess.run([ROOT / "tools/man", directory], check=True)
    return directory


def shown(page: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "200", "MANPAGER": "cat"}
    line = ["man", "--warnings", "--nj", "--nh", "-l", str(page)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True)


def test_there_is_one_a_command(pages: Path) -> None:
    assert {path.name for path in pages.iterdir()} == {f"{name}.8.gz" for name in commands()}


@pytest.mark.parametrize("name", commands())
def test_it_is_a_man_page(pages: Path, name: str) -> None:
    page = pages / f"{name}.8.gz"
    indexed = subprocess.run(["lexgrog", page], capture_output=True, text=True, check=False)
    assert f'"{name} - ' in indexed.stdout, indexed
    done = shown(page)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{name}(8)")
    headings = [line for line in lines if line and not line[0].isspace()][1:-1]
    source = (ROOT / f"docs/commands/{name}.md").read_text()
    assert headings == [line[3:] for line in source.splitlines() if line.startswith("## ")]
    assert "](" not in done.stdout


def test_code_survives(pages: Path) -> None:
    """Dots and quotes at the beginning of a line, backslashes and dashes are roff's, too."""
    text = gzip.decompress((pages / "multilog.8.gz").read_bytes())
    assert b".TH" in text
    output = shown(pages / "multilog.8.gz").stdout
    assert "exec multilog t ./main '-*' '+* warning: *' ./warnings '-*' '+* status: *' =status" in output
    assert "tai64nlocal(8)" in output
