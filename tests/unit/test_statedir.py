"""`supervise/` on disk: what is made, what is refused, and in whose words."""

import os
from collections.abc import Callable
from errno import EACCES, EDQUOT, EIO, ENAMETOOLONG, ENOSPC, EROFS
from pathlib import Path
from stat import S_IMODE, S_ISFIFO

import pytest
from descriptors import open_in

from pyinit.services.runtime import RuntimeDirectory
from pyinit.services.statedir import LONGEST_LINK, CannotPublish, StateDir, make_state
from pyinit.services.trouble import CannotOpen
from pyinit.system import files


@pytest.fixture
def web(tmp_path: Path) -> Path:
    directory = tmp_path / "web"
    directory.mkdir()
    return directory


def state_of(directory: Path) -> StateDir:
    return StateDir(b"web", files.open_directory(bytes(directory)))


def taken_up(directory: Path, runtime: RuntimeDirectory | None = None) -> StateDir:
    statedir = state_of(directory)
    statedir.acquire(runtime)
    statedir.open_control()
    statedir.open_ok()
    return statedir


def runtime_in(top: Path) -> RuntimeDirectory:
    return RuntimeDirectory({b"PYINIT_STATE": bytes(top / "runtime")})


def test_all_of_it_is_made_as_daemontools_makes_it(web: Path) -> None:
    os.umask(mask := os.umask(0o022))
    before = open_in()
    statedir = taken_up(web)
    modes = {path.name: S_IMODE(path.stat().st_mode) for path in (web / "supervise").iterdir()}
    assert modes == {"lock": 0o600 & ~mask, "control": 0o600, "ok": 0o600}
    assert S_IMODE((web / "supervise").stat().st_mode) == 0o700
    assert S_ISFIFO((web / "supervise/control").stat().st_mode)
    assert S_ISFIFO((web / "supervise/ok").stat().st_mode)
    statedir.close()
    statedir.close()
    assert open_in() == before


def test_its_control_never_ends_and_never_waits(web: Path) -> None:
    statedir = taken_up(web)
    writing = os.open(web / "supervise/control", os.O_WRONLY | os.O_NONBLOCK)
    os.write(writing, b"u")
    os.close(writing)
    assert os.read(statedir.fds.control, 9) == b"u"
    with pytest.raises(BlockingIOError):
        os.read(statedir.fds.control, 9)
    statedir.close()


def test_a_lock_is_held_until_it_is_given_up(web: Path) -> None:
    first = taken_up(web)
    second = state_of(web)
    with pytest.raises(CannotOpen) as caught:
        second.acquire(None)
    assert caught.value.message == b"unable to acquire web/supervise/lock"
    first.close()
    second.acquire(None)
    second.close()


def test_a_lock_that_is_a_link_is_not_followed(web: Path, tmp_path: Path) -> None:
    (web / "supervise").mkdir()
    (web / "supervise/lock").symlink_to(tmp_path / "ours")
    statedir = state_of(web)
    with pytest.raises(CannotOpen):
        statedir.acquire(None)
    assert not (tmp_path / "ours").exists()
    statedir.close()


@pytest.mark.parametrize("name", ["control", "ok"])
def test_each_fifo_that_cannot_be_opened_is_named(web: Path, name: str) -> None:
    (web / "supervise" / name).mkdir(parents=True)
    statedir = state_of(web)
    statedir.acquire(None)
    if name == "control":
        with pytest.raises(CannotOpen) as caught:
            statedir.open_control()
        assert caught.value.message == b"unable to write web/supervise/control"
    else:
        (web / "supervise/ok").rmdir()
        (web / "supervise/ok").symlink_to("nowhere")
        with pytest.raises(CannotOpen) as caught:
            statedir.open_ok()
        assert caught.value.message == b"unable to read web/supervise/ok"
    statedir.close()


def test_a_status_is_replaced_whole(web: Path) -> None:
    statedir = taken_up(web)
    statedir.publish(b"first")
    inode = (web / "supervise/status").stat().st_ino
    statedir.publish(b"second")
    assert (web / "supervise/status").read_bytes() == b"second"
    assert (web / "supervise/status").stat().st_ino != inode, "who has the first open still reads all of it"
    assert not (web / "supervise/status.new").exists()
    statedir.close()


def test_a_status_new_that_is_a_link_is_not_written_through(web: Path, tmp_path: Path) -> None:
    statedir = taken_up(web)
    (web / "supervise/status.new").symlink_to(tmp_path / "ours")
    with pytest.raises(CannotPublish) as caught:
        statedir.publish(b"status")
    assert (caught.value.verb, caught.value.ending) == (b"open", b"")
    assert not (tmp_path / "ours").exists()
    statedir.close()


def partial(fd: int, content: bytes) -> int:
    return len(content) - 1


def refuse(*arguments: object, **named: object) -> int:
    raise OSError(EIO, "")


@pytest.mark.parametrize(
    ("call", "fake", "verb", "ending"),
    [
        ("write", partial, b"write", b": partial write"),
        ("write", refuse, b"write", b""),
        ("rename", refuse, b"rename", b" to status"),
    ],
)
def test_a_status_that_cannot_be_replaced_stays(
    web: Path, monkeypatch: pytest.MonkeyPatch, call: str, fake: Callable[..., int], verb: bytes, ending: bytes
) -> None:
    statedir = taken_up(web)
    statedir.publish(b"old")
    before = open_in()
    monkeypatch.setattr(f"pyinit.services.statedir.posix.{call}", fake)
    with pytest.raises(CannotPublish) as caught:
        statedir.publish(b"new")
    monkeypatch.undo()
    assert (caught.value.verb, caught.value.ending) == (verb, ending)
    assert (web / "supervise/status").read_bytes() == b"old"
    assert open_in() == before
    statedir.close()


@pytest.mark.parametrize("number", [EROFS, EACCES, ENOSPC, EDQUOT])
def test_state_that_cannot_be_made_here_is_made_in_the_runtime_directory(
    web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    lock, tries = files.lock, []

    def refuse_here(name: bytes, directory: int) -> int:
        tries.append(directory)
        if len(tries) == 1:
            raise OSError(number, "")
        return lock(name, directory)

    monkeypatch.setattr(files, "lock", refuse_here)
    runtime = runtime_in(tmp_path)
    runtime.get()
    before = open_in()
    statedir = taken_up(web, runtime)
    statedir.publish(b"status")
    assert (tmp_path / "runtime/web/supervise/status").read_bytes() == b"status"
    assert (tmp_path / "runtime/web/supervise/ok").exists()
    statedir.close()
    assert open_in() == before


@pytest.mark.parametrize("has_runtime", [True, False])
def test_other_trouble_is_no_reason_to_go_elsewhere(
    web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_runtime: bool
) -> None:
    def refuse_lock(name: bytes, directory: int) -> int:
        raise OSError(EIO if has_runtime else EROFS, "")

    monkeypatch.setattr(files, "lock", refuse_lock)
    statedir = state_of(web)
    with pytest.raises(CannotOpen) as caught:
        statedir.acquire(runtime_in(tmp_path) if has_runtime else None)
    assert caught.value.message == b"unable to acquire web/supervise/lock"
    statedir.close()


def test_a_link_that_leads_to_nothing_has_its_target_made(web: Path, tmp_path: Path) -> None:
    (web / "supervise").symlink_to(tmp_path / "elsewhere")
    statedir = taken_up(web)
    statedir.publish(b"status")
    assert (tmp_path / "elsewhere/status").read_bytes() == b"status"
    statedir.close()


def test_a_link_that_is_too_long_is_refused(web: Path, tmp_path: Path) -> None:
    (web / "supervise").symlink_to("a/" * (LONGEST_LINK // 2 + 1))
    directory_fd = os.open(web, os.O_PATH)
    with pytest.raises(OSError, match="link too long") as caught:
        make_state(directory_fd)
    assert caught.value.errno == ENAMETOOLONG
    os.close(directory_fd)


def test_a_removed_directory_is_known(web: Path) -> None:
    statedir = state_of(web)
    assert not statedir.is_deleted
    web.rmdir()
    assert statedir.is_deleted
    statedir.close()


def test_a_link_to_a_directory_of_another_program_is_refused(web: Path, tmp_path: Path) -> None:
    """Such as dpkg's, whose `status` would be replaced."""
    (tmp_path / "dpkg").mkdir()
    for name in ("status", "lock"):
        (tmp_path / "dpkg" / name).write_text("")
    (web / "supervise").symlink_to(tmp_path / "dpkg")
    before = open_in()
    statedir = state_of(web)
    with pytest.raises(CannotOpen) as caught:
        statedir.acquire(runtime_in(tmp_path))
    assert caught.value.error.strerror == "a link to a directory that no supervise made"
    assert sorted(path.name for path in (tmp_path / "dpkg").iterdir()) == ["lock", "status"]
    statedir.close()
    assert open_in() == before


@pytest.mark.parametrize("was", ["empty", "made", "begun"])
def test_a_link_to_a_directory_of_a_supervise_is_followed(web: Path, tmp_path: Path, was: str) -> None:
    (web / "supervise").symlink_to(tmp_path / "elsewhere")
    if was == "made":
        taken_up(web).close()
    else:
        (tmp_path / "elsewhere").mkdir()
    if was == "begun":
        (tmp_path / "elsewhere/lock").touch()
    statedir = taken_up(web)
    statedir.publish(b"status")
    assert (tmp_path / "elsewhere/status").read_bytes() == b"status"
    statedir.close()


def test_a_directory_that_takes_the_place_of_ours_gets_nothing(web: Path) -> None:
    statedir = taken_up(web)
    (web / "supervise").rename(web / "moved")
    (web / "supervise").mkdir()
    statedir.publish(b"status")
    assert (web / "moved/status").read_bytes() == b"status"
    assert not list((web / "supervise").iterdir())
    statedir.close()


@pytest.mark.parametrize("name", ["control", "ok"])
def test_a_fifo_that_is_a_link_is_not_followed(web: Path, tmp_path: Path, name: str) -> None:
    (web / "supervise").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (web / "supervise" / name).symlink_to(tmp_path / "fifo")
    statedir = state_of(web)
    statedir.acquire(None)
    with pytest.raises(CannotOpen):
        statedir.open_control() if name == "control" else statedir.open_ok()
    statedir.close()
