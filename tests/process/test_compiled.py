"""Imports by `pyinit.compiled`: what it takes, and what it leaves to importlib; never anything out of date."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import sys
sys.path.insert(0, {place!r})
from pyinit.compiled import Compiled
sys.meta_path.insert(0, Compiled)
from pyinit.commands import svok
package = sys.modules["pyinit.commands"]
print("ours" if svok.__spec__.loader is Compiled else "importlib's", svok.__doc__.split()[0], svok.__file__)
print("ours" if package.__spec__.loader is Compiled else "importlib's", *package.__path__)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "pyinit", tmp_path / "pyinit", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def compile_all(place: Path, mode: PycInvalidationMode = PycInvalidationMode.TIMESTAMP) -> None:
    assert compileall.compile_dir(place, quiet=1, force=True, stripdir=place, invalidation_mode=mode)


def imported(place: Path) -> list[list[str]]:
    """Who imported what: a module of a package, then the package."""
    words = [sys.executable, "-ISB", "-c", SCRIPT.format(place=str(place))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


def test_what_is_compiled_is_taken(place: Path) -> None:
    compile_all(place)
    commands = place / "pyinit/commands"
    assert imported(place) == [["ours", "svok", str(commands / "svok.py")], ["ours", str(commands)]]


def test_what_is_not_to_be_checked_is_taken(place: Path) -> None:
    """As an image has it."""
    compile_all(place, PycInvalidationMode.UNCHECKED_HASH)
    (place / "pyinit/commands/svok.py").write_text('"""changed"""\n')
    assert imported(place)[0][:2] == ["ours", "svok"]


def test_tracebacks_name_the_source_where_it_is(place: Path) -> None:
    compile_all(place)
    script = SCRIPT.format(place=str(place)) + "print(svok.main.__code__.co_filename)"
    done = subprocess.run([sys.executable, "-ISB", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str(place / "pyinit/commands/svok.py")


def test_what_is_not_compiled_is_left(place: Path) -> None:
    assert [who for who, *_ in imported(place)] == ["importlib's", "importlib's"]


@pytest.mark.parametrize("is_longer", [True, False])
def test_a_changed_source_counts(place: Path, is_longer: bool) -> None:
    compile_all(place)
    source = place / "pyinit/commands/svok.py"
    before = source.stat()
    source.write_text(source.read_text().replace("svok", "changed" if is_longer else "SVOK", 1))
    os.utime(source, (before.st_atime, before.st_mtime + (0 if is_longer else 2)))
    assert imported(place)[0][:2] == ["importlib's", "changed" if is_longer else "SVOK"]


def test_what_is_checked_by_hash_is_left(place: Path) -> None:
    compile_all(place, PycInvalidationMode.CHECKED_HASH)
    assert [who for who, *_ in imported(place)] == ["importlib's", "importlib's"]


@pytest.mark.parametrize("damage", [b"", b"\0" * 64], ids=["empty", "of another Python"])
def test_a_damaged_file_is_left(place: Path, damage: bytes) -> None:
    compile_all(place)
    (compiled,) = (place / "pyinit/commands/__pycache__").glob("svok.*.pyc")
    compiled.write_bytes(damage)
    assert imported(place)[0][:2] == ["importlib's", "svok"]


def test_without_its_source_a_module_is_missing(place: Path) -> None:
    compile_all(place)
    (place / "pyinit/commands/svok.py").unlink()
    words = [sys.executable, "-ISB", "-c", SCRIPT.format(place=str(place))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "cannot import name 'svok'" in done.stderr
