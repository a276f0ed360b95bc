"""How a launcher finds the package: in an image, through links, elsewhere, and without /proc."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from machine import ROOT

USAGE = (100, b"svok: usage: svok dir\n")


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
    """The exit code and what is said; `before`, what runs the interpreter."""
    done = subprocess.run([*before, sys.executable, "-ISB", launcher], stderr=subprocess.PIPE, check=False, timeout=20)
    return done.returncode, done.stderr


def look_nowhere_else(launcher: Path) -> None:
    text = launcher.read_text()
    assert "exec(ELSEWHERE)" in text
    launcher.write_text(text.replace("exec(ELSEWHERE)", "raise"))


def test_in_an_image_nothing_else_is_looked_at(image: Path) -> None:
    look_nowhere_else(image / "bin/pyinit")
    assert launched(image / "bin/svok") == USAGE


SPY = """
import posix, sys
class Spy:
    def find_spec(name, path, target=None):
        if name in sys.builtin_module_names or name.startswith("pyinit."):
            posix.write(2, name.encode() + b" is looked for\\n")
sys.meta_path.insert(0, Spy)
"""


def test_of_an_image_importlib_is_asked_for_nothing(image: Path) -> None:
    """Neither by the launcher nor by what it and process 1 begin with, built-in modules included."""
    launcher = image / "bin/pyinit"
    launcher.write_text(SPY + launcher.read_text())
    words = [sys.executable, "-ISB", launcher, "--version"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")


def test_links_are_followed_to_the_end(image: Path, tmp_path: Path) -> None:
    """The command is the one that the first is named for, the package that of the last; what is on the way is not."""
    decoy = tmp_path / "other/lib/pyinit/pyinit"
    decoy.mkdir(parents=True)
    (decoy / "__main__.py").write_text("raise SystemExit('the wrong one')\n")
    assert compileall.compile_dir(decoy, quiet=1)
    bin_ = tmp_path / "other/bin"
    bin_.mkdir()
    (bin_ / "init").symlink_to("../../image/bin/pyinit")
    (bin_ / "svok").symlink_to("init")
    look_nowhere_else(image / "bin/pyinit")
    assert launched(bin_ / "svok") == USAGE


WITHOUT_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
if os.geteuid() != 0:
    WITHOUT_PROC[1:1] = ["--user", "--map-root-user"]


@pytest.mark.parametrize("is_link", [False, True])
def test_without_proc_one_link_is_followed(image: Path, tmp_path: Path, is_link: bool) -> None:
    launcher = image / "bin/svok"
    if is_link:
        launcher = tmp_path / "svok"
        launcher.symlink_to("image/bin/pyinit")
    assert launched(launcher, *WITHOUT_PROC) == USAGE


def test_without_proc_nothing_is_left_open(image: Path) -> None:
    """What process 1 has open is open for good: the next descriptor is the first after the standard ones."""
    with (image / "lib/pyinit/pyinit/commands/svok.py").open("a") as module:
        module.write("\n\ndef main(argv):\n    return posix.open('/', posix.O_RDONLY)\n")
    assert launched(image / "bin/svok", *WITHOUT_PROC) == (3, b"")
    assert launched(image / "bin/svok") == (3, b"")


def test_what_is_not_compiled_is_found_all_the_same(image: Path) -> None:
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
