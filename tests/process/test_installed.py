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


def test_a_chain_loading_command_hands_on_exactly_the_environment_it_was_given(installed: Path) -> None:
    """Odd names, no additions; `env -i` leaves even PATH and the locale out."""
    command = ["env", "-i", "A.B=c", "LC_CTYPE=C", str(installed / "setlock"), "/dev/null", "/usr/bin/env"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"A.B=c\nLC_CTYPE=C\n"


def test_launchers_can_be_made_quicker(installed: Path) -> None:
    for _ in range(2):
        subprocess.run([installed / "python", "-m", "pyinit", "launchers"], check=True)
    for launcher in (ROOT / "bin").iterdir():
        lines = (installed / launcher.name).read_bytes().split(b"\n")
        assert lines[0] == b"#!%b/python -IS" % bytes(installed)
        assert [line for line in lines if b"/lib/pyinit" in line] == [
            b'for place in (root + "/lib/pyinit", of_pip, root):'
        ]
    text = (installed / "svok").read_text()
    (installed / "svok").write_text(text.replace("exec(ELSEWHERE)", "raise"))  # which it has not to look at
    done = subprocess.run([installed / "svok"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (100, b"svok: usage: svok dir\n")
    test_a_chain_loading_command_hands_on_exactly_the_environment_it_was_given(installed)


def test_every_command_also_runs_as_a_module(installed: Path) -> None:
    done = subprocess.run([installed / "python", "-m", "pyinit", "svok"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (100, b"svok: usage: svok dir\n")
    done = subprocess.run([installed / "python", "-m", "pyinit", "nothing"], capture_output=True, check=False)
    assert done.returncode == 100
    assert done.stderr.startswith(b"usage: python -m pyinit COMMAND")
