"""How a command starts: what the finder of compiled modules takes, and where a launcher finds the package."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest
from machine import ROOT

USAGE = (100, b"svok: usage: svok dir\n")

SCRIPT = """
import sys
sys.path.insert(0, {parent!r})
from pyinit.launch import Compiled
sys.meta_path.insert(0, Compiled)
from pyinit.commands import svok
package = sys.modules["pyinit.commands"]
print("ours" if svok.__spec__.loader is Compiled else "importlib's", svok.__doc__.split()[0], svok.__file__)
print("ours" if package.__spec__.loader is Compiled else "importlib's", *package.__path__)
print(svok.main.__code__.co_filename)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A directory with a copy of the package that is not compiled."""
    shutil.copytree(ROOT / "pyinit", tmp_path / "pyinit", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def compile_all(parent: Path, mode: PycInvalidationMode = PycInvalidationMode.TIMESTAMP) -> None:
    """What is compiled names its source by another path than the one it is imported from."""
    assert compileall.compile_dir(parent, quiet=1, force=True, stripdir=parent, invalidation_mode=mode)


def imported(parent: Path) -> list[list[str]]:
    """Who imported what: a module of a package, then the package; then what a traceback would name."""
    words = [sys.executable, "-ISB", "-c", SCRIPT.format(parent=str(parent))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


def test_compiled_modules_are_taken_and_name_their_source(parent: Path) -> None:
    compile_all(parent)
    commands = parent / "pyinit/commands"
    source = str(commands / "svok.py")
    assert imported(parent) == [["ours", "svok", source], ["ours", str(commands)], [source]]


def test_bytecode_that_is_never_checked_is_taken(parent: Path) -> None:
    """As an image has it."""
    compile_all(parent, PycInvalidationMode.UNCHECKED_HASH)
    (parent / "pyinit/commands/svok.py").write_text('"""changed"""\n')
    assert imported(parent)[0][:2] == ["ours", "svok"]


def test_without_bytecode_importlib_imports(parent: Path) -> None:
    assert [who for who, *_ in imported(parent)[:2]] == ["importlib's", "importlib's"]


@pytest.mark.parametrize("is_longer", [True, False])
def test_a_changed_source_counts(parent: Path, is_longer: bool) -> None:
    """One of another size, or of another time."""
    compile_all(parent)
    source = parent / "pyinit/commands/svok.py"
    before = source.stat()
    source.write_text(source.read_text().replace("svok", "changed" if is_longer else "SVOK", 1))
    os.utime(source, (before.st_atime, before.st_mtime + (0 if is_longer else 2)))
    assert imported(parent)[0][:2] == ["importlib's", "changed" if is_longer else "SVOK"]


def test_bytecode_that_is_checked_by_a_hash_is_left_to_importlib(parent: Path) -> None:
    compile_all(parent, PycInvalidationMode.CHECKED_HASH)
    assert [who for who, *_ in imported(parent)[:2]] == ["importlib's", "importlib's"]


@pytest.mark.parametrize("damage", [b"", b"\0" * 64], ids=["empty", "of another Python"])
def test_damaged_bytecode_is_left_to_importlib(parent: Path, damage: bytes) -> None:
    compile_all(parent)
    (compiled,) = (parent / "pyinit/commands/__pycache__").glob("svok.*.pyc")
    compiled.write_bytes(damage)
    assert imported(parent)[0][:2] == ["importlib's", "svok"]


def test_without_its_source_a_module_is_missing(parent: Path) -> None:
    compile_all(parent)
    (parent / "pyinit/commands/svok.py").unlink()
    words = [sys.executable, "-ISB", "-c", SCRIPT.format(parent=str(parent))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "cannot import name 'svok'" in done.stderr


def test_only_this_package_is_looked_for(parent: Path) -> None:
    """A module of the same path elsewhere, and one outside of any package, are importlib's."""
    compile_all(parent)
    (parent / "other").mkdir()
    (parent / "other/__init__.py").touch()
    (parent / "other/thing.py").touch()
    compile_all(parent)
    script = SCRIPT.format(parent=str(parent)) + "import other.thing\nprint(other.thing.__spec__.loader is Compiled)\n"
    done = subprocess.run([sys.executable, "-ISB", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Laid out as an image is, and compiled."""
    top = tmp_path / "image"
    shutil.copytree(ROOT / "bin", top / "bin", symlinks=True)
    package = top / "lib/pyinit/pyinit"
    shutil.copytree(ROOT / "pyinit", package, ignore=shutil.ignore_patterns("__pycache__"))
    assert compileall.compile_dir(package, quiet=1)
    return top


def launched(launcher: Path, *before: str) -> tuple[int, bytes]:
    """The exit code and what is said; `before` runs the interpreter."""
    done = subprocess.run([*before, sys.executable, "-ISB", launcher], stderr=subprocess.PIPE, check=False, timeout=20)
    return done.returncode, done.stderr


SPY = """
import posix, sys
class Spy:
    def find_spec(name, path, target=None):
        if name.startswith("pyinit."):
            posix.write(2, name.encode() + b"\\n")
sys.meta_path.insert(0, Spy)
"""


def test_in_an_image_importlib_has_four_modules_to_find(image: Path) -> None:
    """Until the finder is there. What follows is the finder's."""
    launcher = image / "bin/pyinit"
    launcher.write_text(SPY + launcher.read_text())
    assert launched(image / "bin/svok") == (
        100,
        b"pyinit.__main__\npyinit.launch\n" + USAGE[1],
    )


def test_an_image_can_be_read_only(image: Path) -> None:
    """And of another user: nothing is written, nothing need be."""
    for path in (image, *image.rglob("*")):
        path.chmod(0o555 if path.is_dir() or path.parent.name == "bin" else 0o444)
    if os.geteuid() == 0:
        image.parent.chmod(0o755)
        for directory in image.parents:
            if directory.stat().st_mode & 0o005 != 0o005:
                directory.chmod(0o755)
    assert launched(image / "bin/svok") == USAGE


def test_links_are_followed_to_the_end(image: Path, tmp_path: Path) -> None:
    """The name of the first link is the command's. The package is beside the last; one on the way is not taken."""
    decoy = tmp_path / "other/lib/pyinit/pyinit"
    decoy.mkdir(parents=True)
    (decoy / "__main__.py").write_text("raise SystemExit('the wrong one')\n")
    bin_ = tmp_path / "other/bin"
    bin_.mkdir()
    (bin_ / "init").symlink_to("../../image/bin/pyinit")
    (bin_ / "svok").symlink_to("init")
    assert launched(bin_ / "svok") == USAGE


def test_any_other_name_is_process_1s(image: Path) -> None:
    for name in "tini", "__init__", "no.command":
        (image / "bin" / name).symlink_to("pyinit")
        words = [sys.executable, "-ISB", str(image / "bin" / name), "-z"]
        done = subprocess.run(words, capture_output=True, check=False, timeout=20)
        assert done.returncode in (1, 100), name
        assert b"Traceback" not in done.stderr, name


WITHOUT_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
if os.geteuid() != 0:
    WITHOUT_PROC[1:1] = ["--user", "--map-root-user"]


@pytest.mark.parametrize("link", ["", "image/bin/pyinit", "absolute"])
def test_without_proc_one_link_is_followed(image: Path, tmp_path: Path, link: str) -> None:
    launcher = image / "bin/svok"
    if link:
        launcher = tmp_path / "svok"
        launcher.symlink_to(image / "bin/pyinit" if link == "absolute" else link)
    assert launched(launcher, *WITHOUT_PROC) == USAGE


def test_without_proc_a_chain_goes_on(image: Path, tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e/A").write_text("x\n")
    chain = [image / "bin/pgrphack", image / "bin/envdir", tmp_path / "e", Path("/usr/bin/env")]
    words = [sys.executable, "-ISB", *map(str, chain)]
    done = subprocess.run([*WITHOUT_PROC, *words], env={"LANG": "C.UTF-8"}, capture_output=True, check=True)
    assert sorted(line for line in done.stdout.splitlines() if not line.startswith((b"PWD=", b"_="))) == [
        b"A=x",
        b"LANG=C.UTF-8",
    ]


def test_nothing_is_left_open(image: Path) -> None:
    """What process 1 has open is open for good: the next descriptor is the first after the standard ones."""
    with (image / "lib/pyinit/pyinit/commands/svok.py").open("a") as module:
        module.write("\n\ndef main(argv):\n    return posix.open('/', posix.O_RDONLY)\n")
    assert launched(image / "bin/svok", *WITHOUT_PROC) == (3, b"")
    assert launched(image / "bin/svok") == (3, b"")


def test_a_package_that_is_not_compiled_is_found_all_the_same(image: Path) -> None:
    shutil.rmtree(image / "lib/pyinit/pyinit/__pycache__")
    assert launched(image / "bin/svok") == USAGE


def test_an_editable_installation_is_found_by_site(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (packages / "editable.pth").write_text(f"{ROOT}\n")
    launcher = tmp_path / "venv/bin/svok"
    shutil.copy(ROOT / "bin/pyinit", launcher)
    done = subprocess.run([tmp_path / "venv/bin/python", "-IS", launcher], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == USAGE
