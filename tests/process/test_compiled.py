"""Imports by `pyinit.compiled`: what it takes, and what it leaves to importlib; never anything out of date."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from pyinit.commands.pyinit import SUPERVISION
from pyinit.logs.plane import SERVER

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


LOADING = """
import sys
sys.path.insert(0, {place!r})
from pyinit import compiled
compiled.load({names!r})
"""


def loaded(place: Path, names: list[str], then: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-ISB", "-c", LOADING.format(place=str(place), names=names) + then]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_what_is_loaded_is_what_import_statements_find(place: Path) -> None:
    compile_all(place)
    then = """
from pyinit.services import state
import pyinit.services.state as again
print(state is again is sys.modules["pyinit.services.state"], state.__file__, state.step.__code__.co_filename)
"""
    done = loaded(place, ["pyinit.services.control", "pyinit.services.state"], then)
    source = str(place / "pyinit/services/state.py")
    assert done.stdout.split() == ["True", source, source], done.stderr


def test_what_is_built_in_is_loaded_as_an_import_statement_would_have_it(place: Path) -> None:
    compile_all(place)
    then = """
ours = sys.modules["_stat"]
import _stat
print(_stat is ours, _stat.S_ISDIR(0o040755), _stat.__spec__.origin, "fractions" in sys.modules)
"""
    done = loaded(place, ["_stat", "fractions"], then)
    assert done.stdout.split() == ["True", "True", "built-in", "False"], done.stderr


@pytest.mark.parametrize("change", ["absent", "stale"])
def test_what_cannot_be_loaded_is_left(place: Path, change: str) -> None:
    compile_all(place)
    if change == "stale":
        os.utime(place / "pyinit/services/control.py", (1, 1))
    else:
        for compiled in (place / "pyinit/services/__pycache__").glob("control.*"):
            compiled.unlink()
    then = "print('pyinit.services.control' in sys.modules)\nfrom pyinit.services import control\nprint(control.UP)"
    assert loaded(place, ["pyinit.services.control"], then).stdout.split() == ["False", str(ord("u"))]


def test_what_fails_is_not_left_half_loaded(place: Path) -> None:
    (place / "pyinit/broken.py").write_text("raise ValueError('broken')")
    compile_all(place)
    then = """
try:
    compiled.load(["pyinit.broken"])
except ValueError:
    print("pyinit.broken" in sys.modules)
"""
    assert loaded(place, [], then).stdout == "False\n"


WITH_LOAD = """
sys.meta_path.insert(0, compiled.Compiled)
import pyinit.system, pyinit.services, pyinit.logs, pyinit.commands.pyinit
{before}
find, asked = compiled.Compiled.find_spec, []
compiled.Compiled.find_spec = staticmethod(lambda name, path, target=None: asked.append(name) or find(name, path))
compiled.load({modules!r})
{statements}
print(*[name for name in asked if name.startswith("pyinit.") or name in sys.builtin_module_names])
"""

WITHOUT = """
import pyinit.system, pyinit.services, pyinit.logs, pyinit.commands.pyinit
{before}
there = set(sys.modules)
{statements}
new = set(sys.modules) - there
print(*sorted(name for name in new if name.startswith("pyinit.") or name in sys.builtin_module_names))
"""

STARTING = "import pyinit.logs.settings, pyinit.services.host, pyinit.services.scanner, pyinit.logs.plane"


@pytest.mark.parametrize(
    ("modules", "before", "statements"),
    [(SUPERVISION, "", STARTING), (SERVER, STARTING, "import pyinit.logs.server")],
    ids=["supervision", "server"],
)
def test_a_list_of_what_to_load_is_all_of_it_and_in_order(
    place: Path, modules: tuple[str, ...], before: str, statements: str
) -> None:
    """With it importlib is asked for nothing, neither by what is loaded nor by the statements that it is for."""
    compile_all(place)
    with_load = loaded(place, [], WITH_LOAD.format(modules=modules, before=before, statements=statements))
    assert with_load.stdout == "\n", with_load.stderr
    without = loaded(place, [], WITHOUT.format(before=before, statements=statements))
    built_in = {name for name in modules if "." not in name} & set(sys.builtin_module_names)
    assert without.stdout.split() == sorted({name for name in modules if "." in name} | built_in), without.stderr


PROBE = """

def main(argv):
    import sys

    by_importlib = [name for name, module in sys.modules.items() if name.startswith("pyinit") and module.__spec__]
    print(sys.modules["pyinit.compiled"].__file__, sys.modules["pyinit.report"].__file__, *sorted(by_importlib))
    sys.stdout.flush()
    return 0
"""


def launched(place: Path, name: str) -> list[str]:
    """What a command sees that a launcher has started: files of modules, and what importlib has imported."""
    done = subprocess.run([sys.executable, "-ISB", place / "bin" / name], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture(params=["pyinit", "setuidgid"])
def command(request: pytest.FixtureRequest, place: Path) -> str:
    """A command that is not what it was: PROBE. It still imports all that it needs when it is imported."""
    shutil.copytree(ROOT / "bin", place / "bin", symlinks=True)
    with (place / f"pyinit/commands/{request.param}.py").open("a") as file:
        file.write(PROBE)
    return request.param


@pytest.mark.parametrize("mode", [PycInvalidationMode.TIMESTAMP, PycInvalidationMode.UNCHECKED_HASH])
def test_a_launcher_imports_what_is_compiled_without_importlib(place, command, mode):
    compile_all(place, mode)
    root = f"{place}/bin/../pyinit"
    assert launched(place, command) == [f"{root}/compiled.py", f"{root}/report.py"]


def test_a_launcher_leaves_what_is_not_compiled_to_importlib(place, command):
    names = launched(place, command)[2:]
    assert {"pyinit", "pyinit.__main__", "pyinit.compiled", "pyinit.report"} < set(names)


@pytest.mark.parametrize("damage", ["stale", "of another Python"])
def test_a_launcher_takes_no_compiled_that_is_not_current(place, command, damage):
    compile_all(place)
    if damage == "stale":
        source = place / "pyinit/compiled.py"
        source.write_text(source.read_text() + "\nIS_NEW = True\n")
    else:
        for compiled in (place / "pyinit/__pycache__").glob("compiled.*"):
            compiled.write_bytes(b"????" + compiled.read_bytes()[4:])
    assert "pyinit.compiled" in launched(place, command)[2:]
