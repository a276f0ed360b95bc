"""Whether an account could write a log directory, without writing."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyinit.system import files
from pyinit.system.access import could_make, why_unwritable
from pyinit.system.user import Oneself, User, is_account

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@pytest.fixture
def top() -> Iterator[Path]:
    """A directory that everybody may reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def why(path: Path, user: str = "nobody", maker: Oneself | None = None) -> str:
    return why_unwritable(bytes(path), User(user.encode()), maker).decode()


@needs_root
def test_a_directory_of_another_account(top: Path) -> None:
    log = top / "main"
    log.mkdir()
    assert why(log) == "access denied"
    assert why(log, "root") == ""
    log.chmod(0o777)
    assert why(log) == ""
    for name in ("current", "lock"):
        (log / name).touch()
        assert why(log) == f"{name}: access denied"
        (log / name).chmod(0o666)
    assert why(log) == ""
    top.chmod(0o700)
    assert why(log) == "access denied"
    assert (os.geteuid(), os.getegid()) == (0, 0)


@needs_root
def test_who_makes_a_missing_one_counts(top: Path) -> None:
    assert why(top / "a") == f"it cannot be made in {top}: access denied"
    assert why(top / "a", maker=Oneself()) == ""
    assert why(top / "a/b", maker=Oneself()) == ""
    assert why(top / "a/b") == f"it cannot be made in {top}/a: file does not exist"
    top.chmod(0o777)
    assert why(top / "a") == ""
    assert list(top.iterdir()) == []


def test_what_is_no_directory(top: Path) -> None:
    (top / "file").touch()
    assert why_unwritable(bytes(top / "file"), Oneself(), None) == b"not a directory"
    assert why_unwritable(bytes(top / "file/a"), Oneself(), Oneself()) == b"not a directory"
    assert could_make(bytes(top / "a/b"))
    assert not could_make(bytes(top / "file/b"))


def test_a_read_only_file_system_is_the_reason() -> None:
    assert why_unwritable(b"/proc/sys/kernel", Oneself(), None) in (b"", b"read-only file system", b"access denied")
    read_only = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if " ro," in line]
    for path in read_only[:3]:
        if os.path.isdir(path):
            assert why_unwritable(path.encode(), Oneself(), None) == b"read-only file system"


def test_a_sandbox_that_refuses_the_question_is_no_trouble(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CAN_ASK", False)
    assert why_unwritable(bytes(top), Oneself(), None) == b""


def test_accounts() -> None:
    assert is_account(b"root")
    assert not is_account(b"no-such-account")
    assert not is_account(b"ro\0ot")
