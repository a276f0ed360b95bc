"""Where state lives when service directories can't be written: which places are taken, and which never."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pyinit.formats import paths
from pyinit.formats.paths import runtime_directories
from pyinit.services.runtime import RuntimeDirectory, make
from pyinit.view.names import is_ready, known

NOBODY = 65534


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which all candidates lie."""

    def inside(environment: dict[bytes, bytes], uid: int) -> list[bytes]:
        return [str(tmp_path / name).encode() for name in ("named", "run/pyinit", f"shm-{uid}", f"tmp-{uid}")]

    monkeypatch.setattr(paths, "runtime_directories", inside)
    return tmp_path


def test_the_order() -> None:
    usual = [b"/run/pyinit", b"/dev/shm/pyinit-7", b"/tmp/pyinit-7"]
    assert runtime_directories({}, 7) == usual
    assert runtime_directories({b"PYINIT_STATE": b"/a"}, 7) == [b"/a", *usual]
    assert (
        runtime_directories({b"PYINIT_STATE": b"relative"}, 7)
        == runtime_directories({b"PYINIT_STATE": b""}, 7)
        == usual
    )


def test_the_first_is_made_for_us_alone(top: Path) -> None:
    assert make({}) == str(top / "named").encode()
    assert stat.S_IMODE((top / "named").stat().st_mode) == 0o700
    assert list((top / "named").iterdir()) == []


def test_one_that_is_open_to_others_is_closed(top: Path) -> None:
    (top / "named").mkdir()
    (top / "named").chmod(0o777)
    assert make({}) == str(top / "named").encode()
    assert stat.S_IMODE((top / "named").stat().st_mode) == 0o700


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


def test_it_is_made_when_first_asked_for_and_once(top: Path) -> None:
    ours = RuntimeDirectory({})
    assert list(top.iterdir()) == []
    assert ours.get() == str(top / "named").encode()
    (top / "named").rmdir()
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
    for name in (b"web", b"web/log"):
        descriptor = RuntimeDirectory({}).open_service(name)
        assert descriptor is not None
        os.close(descriptor)
    assert (top / "named/web/log").is_dir()
    (top / "named/file").write_text("")
    with pytest.raises(NotADirectoryError):
        RuntimeDirectory({}).open_service(b"file")


def test_a_probe_that_was_left_there_makes_no_place_unusable(tmp_path: Path) -> None:
    place = tmp_path / "state"
    (place / ".probe").mkdir(parents=True)
    assert make({b"PYINIT_STATE": bytes(place)}) == bytes(place)
    assert not (place / ".probe").exists()
