"""The images, built once a session, and containers that are removed whatever happens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from container.box import Boot, Box
from container.images import build
from testcontainers.core.container import DockerContainer

ROOT = Path(__file__).parents[2]
IMAGE, EXAMPLE, TEST = "pyinit:test", "pyinit-example:test", "pyinit-programs:test"

Service = dict[str, str]
"""A service directory: relative path -> content; what begins with `#!` is executable."""


DAEMONS = """\
ARG BASE
FROM $BASE
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\
    curl nginx-light php-fpm postgresql redis s6 systemd \\
 && rm -rf /var/lib/apt/lists/*
"""


@pytest.fixture(scope="session")
def image() -> str:
    return build(IMAGE, ROOT)


@pytest.fixture(scope="session")
def example(image: str) -> str:
    return build(EXAMPLE, ROOT / "images/example", f"--build-arg=BASE={image}")


@pytest.fixture(scope="session")
def programs(image: str) -> str:
    dockerfile = ROOT / "tests/container/Dockerfile"
    return build(TEST, ROOT / "tests", f"--file={dockerfile}", f"--build-arg=BASE={image}")


@pytest.fixture(scope="session")
def daemons(programs: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with real daemons, for all tests that need one: packages take a while."""
    context = tmp_path_factory.mktemp("daemons")
    (context / "Dockerfile").write_text(DAEMONS)
    return build("pyinit-daemons:test", context, f"--build-arg=BASE={programs}")


def start(stack: list[DockerContainer], tag: str, directory: Path, services: dict[str, Service], **options: Any) -> Box:
    mounts = options.pop("tmpfs", {})
    container = DockerContainer(tag, **options)
    for path, how in mounts.items():
        container.with_tmpfs_mount(path, how)
    for name, files in services.items():
        for path, content in files.items():
            file = directory / "service" / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(0o755 if content.startswith("#!") else 0o644)
    if services:
        container.with_copy_into_container(directory / "service", "/")
    stack.append(container)
    container.start()
    return Box(container)


@pytest.fixture
def volume() -> Iterator[str]:
    """The name of a volume; to be asked for before `boot`, whose containers have to go first."""
    client = docker.from_env()
    made = client.volumes.create()
    yield made.name
    made.remove()
    client.close()


@pytest.fixture
def boot(programs: str, tmp_path: Path) -> Iterator[Boot]:
    """boot(services, **options of DockerContainer): a container of the test image with these services."""
    stack: list[DockerContainer] = []

    def boot(services: dict[str, Service], **options: Any) -> Box:
        return start(stack, options.pop("image", programs), tmp_path, services, **options)

    yield boot
    for container in stack:
        container.stop()


@pytest.fixture(scope="module")
def box(example: str) -> Iterator[Box]:
    """The example, booted once for the module."""
    stack: list[DockerContainer] = []
    try:
        yield start(stack, example, Path(), {})
    finally:
        for container in stack:
            container.stop()
