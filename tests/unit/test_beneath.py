"""A link is followed only where it ends inside the directory."""

import os
import posix
from collections.abc import Callable, Iterator
from errno import EACCES, ELOOP
from pathlib import Path

import pytest
from descriptors import open_in

from pyinit.system.beneath import open_beneath
from pyinit.system.files import read_regular

OUTSIDE = "a link that leads outside the directory"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A service directory, with a neighbour and a file outside."""
    directory = tmp_path / "web"
    (directory / "inner").mkdir(parents=True)
    (directory / "inner/file").write_text("inside")
    (tmp_path / "web2").mkdir()
    (tmp_path / "web2/file").write_text("secret")
    return directory


@pytest.fixture(autouse=True)
def closes_everything() -> Iterator[None]:
    before = open_in()
    yield
    assert open_in() == before


def read(directory: Path, name: str = "ready") -> bytes:
    directory_fd = os.open(directory, os.O_PATH)
    try:
        return read_regular(open_beneath(name.encode(), directory_fd), 100)
    finally:
        os.close(directory_fd)


def trouble(directory: Path, name: str = "ready") -> OSError:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - each caller looks at it
        read(directory, name)
    return caught.value


def test_a_file_is_opened_once(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (web / "ready").write_text("up")
    directory_fd = os.open(web, os.O_PATH)
    opened: list[object] = []
    real = posix.open

    def note(name: bytes, flag: int, **named: int) -> int:
        opened.append(name)
        return real(name, flag, **named)

    monkeypatch.setattr(posix, "open", note)
    assert read_regular(open_beneath(b"ready", directory_fd), 100) == b"up"
    os.close(directory_fd)
    assert opened == [b"ready"]


@pytest.mark.parametrize("target", ["inner/file", "./inner/../inner/file", "../web/inner/file", "ABSOLUTE"])
def test_a_link_to_a_file_inside_is_followed(web: Path, target: str) -> None:
    (web / "ready").symlink_to(web / "inner/file" if target == "ABSOLUTE" else target)
    assert read(web) == b"inside"


def test_links_as_kubernetes_makes_them(web: Path) -> None:
    (web / "..2026_11_28").mkdir()
    (web / "..2026_11_28/ready").write_text("port 80")
    (web / "..data").symlink_to("..2026_11_28")
    (web / "ready").symlink_to("..data/ready")
    assert read(web) == b"port 80"


def test_a_link_may_end_in_another_directory_that_is_named(web: Path) -> None:
    (web / "inner/up").symlink_to("../ready")
    (web / "inner/out").symlink_to("../../web2/file")
    (web / "ready").write_text("up")
    web_fd, inner_fd = os.open(web, os.O_PATH), os.open(web / "inner", os.O_PATH)
    with pytest.raises(OSError, match=OUTSIDE):
        open_beneath(b"up", inner_fd)
    with pytest.raises(OSError, match=OUTSIDE):
        open_beneath(b"out", inner_fd, web_fd)
    assert read_regular(open_beneath(b"up", inner_fd, web_fd), 100) == b"up"
    os.close(web_fd)
    os.close(inner_fd)


def test_a_directory_may_be_reached_by_a_link_itself(web: Path) -> None:
    (web / "ready").symlink_to("inner/file")
    (web.parent / "service").symlink_to(web)
    assert read(web.parent / "service") == b"inside"


def test_a_service_that_was_removed_from_under_us_is_still_read(web: Path) -> None:
    (web / "ready").symlink_to("inner/file")
    directory_fd = os.open(web, os.O_PATH)
    file_fd = open_beneath(b"ready", directory_fd)
    (web / "inner/file").unlink()
    assert read_regular(file_fd, 100) == b"inside"
    os.close(directory_fd)


@pytest.mark.parametrize("target", ["../web2/file", "/etc/passwd", "inner/out", "ABSOLUTE"])
def test_a_link_that_leads_outside_is_not_followed(web: Path, target: str) -> None:
    (web / "inner/out").symlink_to("../../web2/file")
    (web / "ready").symlink_to(web.parent / "web2/file" if target == "ABSOLUTE" else target)
    assert (trouble(web).errno, trouble(web).strerror) == (None, OUTSIDE)


@pytest.mark.parametrize("target", ["/dev/zero", "fifo", "inner", "/dev"])
def test_what_is_no_file_is_not_even_opened(web: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(web / "fifo")
    (web / "ready").symlink_to(target)
    directory_fd = os.open(web, os.O_PATH)
    flags: list[int] = []
    real = posix.open

    def note(name: bytes, flag: int, **named: int) -> int:
        flags.append(flag)
        return real(name, flag, **named)

    monkeypatch.setattr(posix, "open", note)
    with pytest.raises(OSError, match="not a regular file"):
        open_beneath(b"ready", directory_fd)
    os.close(directory_fd)
    assert [bool(flag & os.O_PATH) for flag in flags] == [False, True], "the first one follows no link"


@pytest.mark.parametrize("target", ["nowhere", "/nowhere", "../nowhere/ready"])
def test_a_link_that_leads_nowhere_is_told_from_a_file_that_is_not_there(web: Path, target: str) -> None:
    (web / "ready").symlink_to(target)
    assert trouble(web).strerror == "a link that leads nowhere"
    assert not isinstance(trouble(web), FileNotFoundError)
    assert isinstance(trouble(web, "absent"), FileNotFoundError)


def test_a_loop_is_one(web: Path) -> None:
    (web / "ready").symlink_to("ready")
    assert trouble(web).errno == ELOOP


def test_without_proc_no_link_can_be_judged(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: bytes) -> bytes:
        raise FileNotFoundError

    (web / "ready").symlink_to("inner/file")
    monkeypatch.setattr(posix, "readlink", refuse)
    assert trouble(web).strerror == "a link, and there is no /proc to see where it leads"


def test_other_errors_are_as_they_are(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **named: object) -> int:
        raise PermissionError(EACCES, "")

    directory_fd = os.open(web, os.O_PATH)
    monkeypatch.setattr(posix, "open", refuse)
    with pytest.raises(PermissionError):
        open_beneath(b"ready", directory_fd)
    os.close(directory_fd)


def test_a_link_that_is_turned_meanwhile_decides_nothing(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the reading: what was looked at is read."""
    (web / "ready").symlink_to("inner/file")
    real: Callable[[bytes], bytes] = posix.readlink

    def turn(path: bytes) -> bytes:
        (web / "ready").unlink(missing_ok=True)
        (web / "ready").symlink_to("../web2/file")
        return real(path)

    monkeypatch.setattr(posix, "readlink", turn)
    assert read(web) == b"inside"
