"""What a service directory adds to the environment of its service."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyinit.services.definition.reading import read_definition
from pyinit.services.definition.variables import read_variables
from pyinit.services.trouble import CannotOpen


def changes(directory: int, name: bytes, given: dict[bytes, bytes]) -> dict[bytes, bytes | None]:
    """What a start of the service changes in the environment."""
    found: dict[bytes, bytes | None] = {b"SERVICE_NAME": name}
    read_variables(read_definition(directory), directory, given, found)
    return found


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_PATH)
    yield descriptor
    os.close(descriptor)


def env(tmp_path: Path, **files: bytes) -> None:
    (tmp_path / "env").mkdir()
    for name, content in files.items():
        (tmp_path / "env" / name).write_bytes(content)


def test_the_name_of_the_service(directory: int) -> None:
    assert changes(directory, b"web", {b"A": b"1"}) == {b"SERVICE_NAME": b"web"}


def test_env_by_the_rules_of_envdir(directory: int, tmp_path: Path) -> None:
    env(tmp_path, A=b"1", B=b"x \t\ny\n", C=b"", D=b"one\0two\n", E=b"\n", F=b"\xff")
    assert changes(directory, b"web", {}) == {
        b"SERVICE_NAME": b"web",
        b"A": b"1",
        b"B": b"x",
        b"C": None,
        b"D": b"one\ntwo",
        b"E": b"",
        b"F": b"\xff",
    }


def test_env_is_read_after_the_name_is_set(directory: int, tmp_path: Path) -> None:
    env(tmp_path, SERVICE_NAME=b"other", _hidden=b"1")
    (tmp_path / "env/.hidden").write_text("1")
    assert changes(directory, b"web", {}) == {b"SERVICE_NAME": b"other", b"_hidden": b"1"}


def test_secrets(directory: int, tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"two\nlines\n\n")
    (tmp_path / "t").write_bytes(b"\xff")
    (tmp_path / "secrets").write_text("A B\nC\n")
    env(tmp_path, B_FILE=str(tmp_path / "t").encode())
    given = {b"A_FILE": str(tmp_path / "s").encode(), b"B_FILE": b"/nonexistent", b"D_FILE": b"/nonexistent"}
    found = changes(directory, b"web", given)
    assert found[b"A"] == b"two\nlines"
    assert found[b"B"] == b"\xff", "env/ comes before the container's"
    assert b"C" not in found, "which has no C_FILE"
    assert b"D" not in found, "which is not asked for"


def test_what_cannot_be_read_is_named(directory: int, tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("A")
    with pytest.raises(CannotOpen) as error:
        changes(directory, b"web", {b"A_FILE": b"/nonexistent"})
    assert error.value.message == b"unable to read secret A"
    (tmp_path / "secrets").unlink()
    (tmp_path / "secrets").mkdir()
    with pytest.raises(CannotOpen) as error:
        changes(directory, b"web", {})
    assert error.value.message == b"unable to read secrets"
    (tmp_path / "secrets").rmdir()
    (tmp_path / "env").write_text("no directory")
    with pytest.raises(CannotOpen) as error:
        changes(directory, b"web", {})
    assert error.value.message == b"unable to open env"


def test_a_directory_in_env_is_trouble(directory: int, tmp_path: Path) -> None:
    env(tmp_path)
    (tmp_path / "env/A").mkdir()
    with pytest.raises(CannotOpen) as error:
        changes(directory, b"web", {})
    assert error.value.message == b"unable to read env/A"
