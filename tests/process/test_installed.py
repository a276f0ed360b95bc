"""What pip installs, from a wheel, into an environment of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from machine import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the installed commands."""
    place = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place / "wheels", ROOT], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    wheel = next((place / "wheels").glob("pyinit_container-*.whl"))
    target = ["--python", str(place / "venv"), "install", "--no-deps"]
    subprocess.run([*pip, *target, wheel], check=True)
    return place / "venv/bin"


def test_every_command_is_there_and_runs(installed: Path) -> None:
    for launcher in sorted((ROOT / "bin").iterdir()):
        assert (installed / launcher.name).is_file(), launcher.name
        assert (installed / launcher.name).read_bytes().startswith(b"#!" + bytes(installed) + b"/python")
    done = subprocess.run([installed / "pyinit", "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"pyinit ")
    done = subprocess.run([installed / "svok"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (100, b"svok: usage: svok dir\n")


def test_nothing_else_has_to_be_installed_or_compiled(installed: Path) -> None:
    (metadata,) = installed.parent.glob("lib/python*/site-packages/pyinit_container-*.dist-info/METADATA")
    needed = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist: ")]
    assert [line for line in needed if "extra ==" not in line] == []
    assert any("python-prctl" in line and 'extra == "prctl"' in line for line in needed)


def test_a_chain_loading_command_hands_on_exactly_the_environment_it_was_given(installed: Path) -> None:
    """Odd names, no additions; `env -i` leaves even PATH and the locale out."""
    command = ["env", "-i", "A.B=c", "LC_CTYPE=C", str(installed / "setlock"), "/dev/null", "/usr/bin/env"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"A.B=c\nLC_CTYPE=C\n"


def test_launchers_can_be_made_quicker(installed: Path) -> None:
    """Twice is once. They are then one file, so that one calls the next: `ps` is shown one interpreter's arguments."""
    names = [path.name for path in (ROOT / "bin").iterdir()]
    modes = {name: (installed / name).stat().st_mode for name in names}
    for _ in range(2):
        subprocess.run([installed / "python", "-m", "pyinit", "launchers"], check=True)
        for name in names:
            first, _, body = (installed / name).read_bytes().partition(b"\n")
            assert first == b"#!%b/python -IS" % bytes(installed)
            assert body == (ROOT / "bin/pyinit").read_bytes().partition(b"\n")[2]
        assert {name: (installed / name).stat().st_mode for name in names} == modes
        assert len({(installed / name).stat().st_ino for name in names}) == 1
        assert not list(installed.glob("*.new"))
    done = subprocess.run([installed / "svok"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (100, b"svok: usage: svok dir\n")
    test_a_chain_loading_command_hands_on_exactly_the_environment_it_was_given(installed)


def test_a_launcher_that_cannot_be_changed_is_told_of(installed: Path) -> None:
    svok = (installed / "svok").read_bytes()
    (installed / "svok").unlink()
    try:
        line = [str(installed / "python"), "-m", "pyinit", "launchers"]
        done = subprocess.run(line, capture_output=True, check=False)
        said = b"launchers: warning: unable to change %b/svok: file does not exist\n" % bytes(installed)
        assert (done.returncode, done.stderr) == (111, said)
    finally:
        (installed / "svok").write_bytes(svok)
        (installed / "svok").chmod(0o755)


def test_every_command_also_runs_as_a_module(installed: Path) -> None:
    done = subprocess.run([installed / "python", "-m", "pyinit", "svok"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (100, b"svok: usage: svok dir\n")
    done = subprocess.run([installed / "python", "-m", "pyinit", "nothing"], capture_output=True, check=False)
    assert done.returncode == 100
    assert done.stderr.startswith(b"usage: python -m pyinit COMMAND")
