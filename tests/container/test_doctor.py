"""pyinit doctor in a Dockerfile: it leaves nothing in the layer, and ends the build if a service could not start."""

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from container.images import build

DOCKERFILE = """\
ARG BASE
FROM $BASE
ENV PYINIT_LOG=both
COPY service /service
RUN pyinit doctor
"""

SERVICE = {
    "run": "#!/bin/sh\nexec 2>&1\nexec setuidgid nobody sleep 1000\n",
    "secrets": "TOKEN PASSWORD\n",
    "env/TOKEN_FILE": "/run/secrets/token\n",
    "log/script": "t ./main\n",
    "log/user": "nobody\n",
}


def write(top: Path, files: dict[str, str]) -> None:
    (top / "Dockerfile").write_text(DOCKERFILE)
    for name, content in files.items():
        path = top / "service/web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o755 if content.startswith("#!") else 0o644)


def changed_by_the_last_step(tag: str) -> list[str]:
    """The names of the files in the layer of the last step; a builder makes none where nothing has changed."""
    saved = subprocess.run(["docker", "save", tag], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as image:

        def member(name: str) -> bytes:
            file = image.extractfile(name)
            assert file
            return file.read()

        (content,) = json.loads(member("manifest.json"))
        steps = json.loads(member(content["Config"]))["history"]
        assert "pyinit doctor" in steps[-1]["created_by"]
        if steps[-1].get("empty_layer"):
            return []
        with tarfile.open(fileobj=io.BytesIO(member(content["Layers"][-1]))) as layer:
            return layer.getnames()


def test_a_build_gets_nothing_from_it(image: str, tmp_path: Path) -> None:
    """The secrets are missing: that is no error."""
    write(tmp_path, SERVICE)
    tag = build("pyinit-doctor:test", tmp_path, f"--build-arg=BASE={image}", "--no-cache")
    assert changed_by_the_last_step(tag) == []


@pytest.mark.parametrize(
    ("file", "content", "finding"),
    [
        ("run", "#!/bin/sh\nif true\n", "/service/web/run: /bin/sh -n: 3: Syntax error"),
        ("log/user", "nobodyx\n", "/service/web/log/user: unknown account nobodyx [unknown-account]"),
        ("type", "daemon\n", "/service/web/type: not longrun or oneshot: daemon [bad-content]"),
    ],
)
def test_a_build_with_a_wrong_service_ends(image: str, tmp_path: Path, file: str, content: str, finding: str) -> None:
    write(tmp_path, {**SERVICE, file: content})
    command = ["docker", "build", "--no-cache", f"--build-arg=BASE={image}", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert finding in done.stdout + done.stderr
    assert "hint: /service/web/secrets: PASSWORD is asked for" in done.stdout + done.stderr
