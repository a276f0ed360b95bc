"""Where state lives when service directories can't be written: which places are taken, and which never."""

import os
import posix
import shutil
import stat
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path

import pytest

from pyinit import report
from pyinit.formats import paths
from pyinit.formats.paths import runtime_directories
from pyinit.services.runtime import RuntimeDirectory, could_use, is_usable, make_usable
from pyinit.view.running import is_ready, known, running

NOBODY = 65534


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which all candidates lie."""

    def inside(environment: dict[bytes, bytes], uid: int) -> list[bytes]:
        return [str(tmp_path / name).encode() for name in ("named", "run/pyinit", f"shm-{uid}", f"tmp-{uid}")]

    monkeypatch.setattr(paths, "runtime_directories", inside)
    return tmp_path


def make(environment: dict[bytes, bytes]) -> bytes | None:
    """Make the first directory that can be used; None if none can be."""
    candidates = paths.runtime_directories(environment, os.geteuid())
    return next((path for path in candidates if not make_usable(path)[0]), None)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The messages, as they come."""
    messages: list[bytes] = []
    monkeypatch.setattr(report, "write", messages.append)
    return messages


def test_the_order() -> None:
    usual = [b"/run/pyinit", b"/dev/shm/pyinit-7", b"/tmp/pyinit-7"]
    assert runtime_directories({}, 7) == usual
    assert runtime_directories({b"PYINIT_STATE": b"/a"}, 7) == [b"/a", *usual]
    assert (
        runtime_directories({b"PYINIT_STATE": b"relative"}, 7)
        == runtime_directories({b"PYINIT_STATE": b""}, 7)
        == usual
    )


def test_the_first_is_made_and_may_be_read_by_all(top: Path) -> None:
    mask = os.umask(0o077)
    try:
        assert make({}) == str(top / "named").encode()
    finally:
        os.umask(mask)
    assert stat.S_IMODE((top / "named").stat().st_mode) == 0o755
    assert list((top / "named").iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o700])
def test_one_gets_its_mode(top: Path, mode: int) -> None:
    (top / "named").mkdir()
    (top / "named").chmod(mode)
    assert make({}) == str(top / "named").encode()
    assert stat.S_IMODE((top / "named").stat().st_mode) == 0o755


def make_file(path: Path) -> None:
    path.write_text("")


def make_link(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    path.symlink_to("elsewhere")


def make_anothers(path: Path) -> None:
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)


@pytest.mark.parametrize("spoil", [make_file, make_link, make_anothers])
def test_what_is_not_ours_is_passed_over(top: Path, spoil: Callable[[Path], None]) -> None:
    spoil(top / "named")
    assert make({}) == str(top / "run/pyinit").encode()


def test_none_may_be_left(top: Path) -> None:
    for name in ("named", "run", f"shm-{os.geteuid()}", f"tmp-{os.geteuid()}"):
        (top / name).write_text("")
    assert make({}) is None
    empty = RuntimeDirectory({})
    empty.set_ready(b"ready\n")
    assert empty.get() is None


def test_whether_one_could_be_used_is_seen_without_making_any(top: Path) -> None:
    assert could_use({})
    assert list(top.iterdir()) == []
    (top / "named").mkdir(mode=0o700)
    assert is_usable(bytes(top / "named"))
    assert stat.S_IMODE((top / "named").stat().st_mode) == 0o700
    for name in ("run", f"shm-{os.geteuid()}", f"tmp-{os.geteuid()}"):
        (top / name).write_text("")
    shutil.rmtree(top / "named")
    make_link(top / "named")
    assert not could_use({})


def test_another_accounts_directory_could_not_be_used(top: Path) -> None:
    make_anothers(top / "named")
    assert not is_usable(bytes(top / "named"))


def test_it_is_made_when_first_asked_for_and_once(top: Path) -> None:
    ours = RuntimeDirectory({})
    assert list(top.iterdir()) == []
    assert ours.get() == str(top / "named").encode()
    shutil.rmtree(top / "named")
    assert ours.get() == str(top / "named").encode()
    assert not (top / "named").exists()


def test_the_ready_file_comes_and_goes(top: Path) -> None:
    ours = RuntimeDirectory({})
    assert not is_ready({})
    ours.set_ready(b"services=2\n")
    assert is_ready({})
    assert (top / "named/ready").read_bytes() == b"services=2\n"
    ours.set_ready(b"services=1\n")
    assert (top / "named/ready").read_bytes() == b"services=1\n"
    ours.set_ready(b"")
    ours.set_ready(b"")
    assert not is_ready({})


def test_an_old_ready_file_elsewhere_does_not_count_against_the_named_place(top: Path) -> None:
    (top / "run/pyinit").mkdir(parents=True)
    (top / "run/pyinit/ready").write_text("")
    assert is_ready({})
    make({})
    assert not is_ready({b"PYINIT_STATE": str(top / "named").encode()})


def test_state_is_looked_for_where_nobody_else_can_have_put_it(top: Path) -> None:
    make({})
    (top / "run/pyinit").mkdir(parents=True)
    assert known({}) == [str(top / name).encode() for name in ("named", "run/pyinit")]
    (top / "run/pyinit").chmod(0o777)
    assert known({}) == [str(top / "named").encode()]
    (top / "named").rmdir()
    make_anothers(top / "named")
    assert known({}) == []


def test_a_service_and_its_log_get_directories(top: Path) -> None:
    ours = RuntimeDirectory({})
    ours.get()
    (top / "named/web").mkdir(0o755)  # as an older version left it
    for name in (b"web", b"web/log", b"ready", b"lock/log"):
        descriptor = ours.open_service(name)
        assert descriptor is not None
        os.close(descriptor)
    for path in "web", "web/log", ".ready", ".lock/log":
        assert stat.S_IMODE((top / "named" / path).stat().st_mode) == 0o700, path
    (top / "named/file").write_text("")
    with pytest.raises(NotADirectoryError):
        ours.open_service(b"file")


def test_no_state_is_kept_where_another_user_or_a_link_is(top: Path) -> None:
    ours = RuntimeDirectory({})
    ours.get()
    make_anothers(top / "named/a")
    with pytest.raises(PermissionError):
        ours.open_service(b"a")
    (top / "named/b").symlink_to("/")
    with pytest.raises(OSError):  # noqa: PT011  # ENOTDIR or ELOOP
        ours.open_service(b"b")


def test_a_lock_says_that_a_pyinit_runs(top: Path) -> None:
    assert running({}) is None
    for name in "ready", "logs":
        (top / "named").mkdir(exist_ok=True)
        (top / "named" / name).write_text("of an earlier container")
    ours = RuntimeDirectory({}, b"/a service")
    assert ours.get() == str(top / "named").encode()
    found = running({})
    assert found
    assert (found.pid, found.service_dir, found.directory) == (os.getpid(), b"/a service", ours.get())
    assert (top / "named/lock").read_bytes() == b"%d /a service" % os.getpid()
    assert stat.S_IMODE((top / "named/lock").stat().st_mode) == 0o644
    assert [path.name for path in (top / "named").iterdir()] == ["lock"]


def test_a_file_that_nobody_locks_says_nothing(top: Path) -> None:
    make({})
    (top / "named/lock").write_text("1 /service")
    assert running({}) is None


def test_one_that_another_pyinit_has_is_left_alone(top: Path, said: list[bytes]) -> None:
    first, second = RuntimeDirectory({}, b"/a"), RuntimeDirectory({}, b"/b")
    first.get()
    first.set_ready(b"ready\n")
    assert second.get() == str(top / "run/pyinit").encode()
    second.set_ready(b"")
    assert (top / "named/ready").exists()
    taken, instead = str(top / "named").encode(), str(top / "run/pyinit").encode()
    assert said == [b"pyinit: warning: unable to use %b: another pyinit uses it, using %b\n" % (taken, instead)]


def test_the_trouble_with_a_place_is_told_once(top: Path, said: list[bytes]) -> None:
    (top / "named").write_text("")
    make_anothers(top / "run-pyinit")
    (top / "run").mkdir()
    (top / "run-pyinit").rename(top / "run/pyinit")
    ours = RuntimeDirectory({b"PYINIT_STATE": str(top / "named").encode()})
    ours.get()
    ours.get()
    assert [line.partition(b", using ")[0] for line in said] == [
        b"pyinit: warning: unable to use PYINIT_STATE %b/named: not a directory" % bytes(top),
        b"pyinit: warning: unable to use %b/run/pyinit: it belongs to uid %d" % (bytes(top), NOBODY),
    ]
    said.clear()
    RuntimeDirectory({b"PYINIT_STATE": b"relative"}).get()
    assert said[0].startswith(b"pyinit: warning: unable to use PYINIT_STATE relative: not an absolute path, using ")


def test_without_any_place_the_remedy_is_told(top: Path, said: list[bytes]) -> None:
    for name in ("named", "run", f"shm-{os.geteuid()}", f"tmp-{os.geteuid()}"):
        (top / name).write_text("")
    RuntimeDirectory({}).get()
    assert said[-1].endswith(b"set PYINIT_STATE, or mount a tmpfs at /run\n")


def test_a_probe_that_was_left_there_makes_no_place_unusable(tmp_path: Path) -> None:
    place = tmp_path / "state"
    (place / ".probe").mkdir(parents=True)
    assert make({b"PYINIT_STATE": bytes(place)}) == bytes(place)
    assert not (place / ".probe").exists()


def test_the_reason_is_the_one_why_it_could_not_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: bytes, mode: int) -> None:
        raise OSError(ENOSPC, "")

    monkeypatch.setattr(posix, "mkdir", refuse)
    assert make_usable(os.fsencode(tmp_path / "state")) == (b"out of disk space", False)
