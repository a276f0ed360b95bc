"""What pip, pipx and uv install in a plain Debian without a compiler: everything, and it works."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from container.box import Box
from testcontainers.core.container import DockerContainer

ROOT = Path(__file__).parents[2]

FOUND = "--no-index --find-links /wheels"

WAYS = {
    "pip": (f"python3 -m venv /v && /v/bin/pip install {FOUND} pyinit-container", "/v/bin"),
    "pipx": (f"pipx install --pip-args='{FOUND}' pyinit-container", "/root/.local/bin"),
    "uv": (
        f"python3 -m venv /u && /u/bin/pip install {FOUND} uv && /u/bin/uv tool install {FOUND} pyinit-container",
        "/root/.local/bin",
    ),
}
"""What installs it, and where the commands are then."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, and those of uv and of pipx's pip from wherever this machine's pip finds it."""
    place = tmp_path_factory.mktemp("install") / "wheels"
    place.mkdir()
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place, ROOT], check=True)
    subprocess.run([*pip, "download", "--no-deps", "--dest", place, "uv", "pip"], check=True)
    return place


@pytest.fixture(scope="module")
def debian(wheels: Path) -> Iterator[Box]:
    container = DockerContainer("debian:trixie-slim", command="sleep 1000").with_copy_into_container(wheels, "/")
    container.start()
    try:
        box = Box(container)
        box.shell("apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv pipx")
        yield box
    finally:
        container.stop()


@pytest.mark.parametrize("way", WAYS)
def test_it_installs_without_a_compiler(debian: Box, way: str) -> None:
    install, place = WAYS[way]
    assert debian.run("sh", "-c", "command -v gcc cc")[0] != 0
    debian.shell(f"rm -rf /root/.local; {install}")
    assert debian.ask(f"{place}/pyinit", "--version").startswith("pyinit ")
    for launcher in sorted((ROOT / "bin").iterdir()):
        assert debian.run("test", "-x", f"{place}/{launcher.name}")[0] == 0, launcher.name
    script = (
        f"export PATH={place}:$PATH; rm -rf /s; mkdir -p /s/web; printf '#!/bin/sh\\nexec sleep 1000\\n' >/s/web/run;"
        " chmod 755 /s/web/run; pyinit -d /s sh -c 'svstat web; (sleep 0.1 &); svc -t web'"
    )
    said = debian.shell(script)
    assert "web: up (pid " in said
    assert "pyinit: info: not process 1, adopting orphans as a subreaper" in said
    assert "warning" not in said
