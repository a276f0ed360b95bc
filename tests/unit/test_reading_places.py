"""Where svlog looks for logs; what compressed files it knows."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pyinit.logs.reading import packed
from pyinit.logs.reading.packed import CannotUnpack, format_of, unpacked
from pyinit.logs.reading.places import Places


class House:
    """A log directory and a service directory, and what is complained about."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.complaints: list[tuple[bytes, int | None]] = []
        (top / "logs").mkdir()
        (top / "service").mkdir()

    def log(self, path: str, current: bool = True) -> str:
        (self.top / path).mkdir(parents=True)
        if current:
            (self.top / path / "current").touch()
        return path

    def find(self, *names: str) -> dict[str, str]:
        def complain(message: bytes, error: OSError | None) -> None:
            self.complaints.append((message.replace(bytes(self.top) + b"/", b""), error.errno if error else 0))

        top = bytes(self.top)
        places = Places(top + b"/logs", top + b"/service", [name.encode() for name in names], complain)
        found = places.find()
        assert places.find() == found
        return {name.decode(): path.decode().removeprefix(f"{self.top}/") for name, path in found}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_all_services_in_both_places(house: House) -> None:
    web = house.log("logs/web")
    (house.top / "logs/file").touch()
    main = house.log("service/mail/log/main", current=False)
    other = house.log("service/pop/log/kept")
    house.log("service/pop/log/supervise", current=False)
    (house.top / "service/silent").mkdir()
    house.log("service/.hidden/log/main")
    assert house.find() == {"web": web, "mail": main, "pop": other}
    assert house.find("pop", "web") == {"pop": other, "web": web}
    assert not house.complaints


def test_a_log_that_two_names_lead_to_is_one(house: House) -> None:
    house.log("logs/web")
    (house.top / "service/web/log").mkdir(parents=True)
    (house.top / "service/web/log/main").symlink_to(house.top / "logs/web")
    assert house.find() == {"web": "service/web/log/main"}


def test_a_log_that_cannot_be_chosen(house: House) -> None:
    house.log("service/web/log/one")
    house.log("service/web/log/two")
    assert house.find("web") == {}
    assert house.complaints[0] == (b"unable to choose one of the logs in service/web/log", 0)


def test_a_name_that_leads_nowhere_is_told_once(house: House) -> None:
    assert house.find("web") == {}
    assert house.complaints == [(b"unable to find log of web", 2)]


def test_no_log_at_all_is_told(house: House) -> None:
    assert house.find() == {}
    assert house.complaints == [(b"unable to find any log in logs or service", 0)]


def test_paths(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.log("service/web/log/main")
    house.log("elsewhere")
    monkeypatch.chdir(house.top)
    assert house.find("./elsewhere/") == {"./elsewhere": "./elsewhere"}
    assert house.find("service/web") == {"service/web": "service/web/log/main"}
    assert house.find("elsewhere") == {}
    monkeypatch.chdir("elsewhere")
    assert house.find(".") == {".": "."}


TEXT = b"".join(b"%d\n" % number for number in range(5000))
PACKED = {"gzip": gzip.compress(TEXT), "bzip2": bz2.compress(TEXT), "xz": lzma.compress(TEXT)}


def read(data: bytes) -> bytes:
    stream = unpacked(io.BytesIO(data), format_of(data))
    return b"".join(iter(lambda: stream.read(1000), b""))


@pytest.mark.parametrize("name", PACKED)
def test_packed_files_are_known_by_their_beginnings(name: str) -> None:
    assert format_of(PACKED[name]) == name.encode()
    assert read(PACKED[name]) == TEXT
    assert read(PACKED[name] * 2) == TEXT * 2, "one behind the other, as `cat` makes them"


@pytest.mark.parametrize("name", PACKED)
def test_packed_files_that_are_broken(name: str) -> None:
    data = PACKED[name]
    middle = len(data) // 2
    for broken in data[:-20], data[:middle] + bytes(40) + data[middle + 40 :]:
        with pytest.raises(CannotUnpack, match="bad format"):
            read(broken)


ZSTD = b"\x28\xb5\x2f\xfd" + TEXT


def test_zstd_without_a_module_for_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the program."""
    asked: list[str] = []
    monkeypatch.setattr(packed, "imported", asked.append)
    monkeypatch.setenv("PATH", "/nowhere")
    assert format_of(ZSTD) == b"zstd"
    with (
        tempfile.TemporaryFile() as file,
        pytest.raises(CannotUnpack, match=r"zstd needs Python 3\.14, the package zstandard, or the program zstd"),
    ):
        unpacked(file, b"zstd")
    assert asked == ["compression.zstd", "zstandard"]


def test_zstd_by_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "imported", lambda name: None)
    path = tmp_path / "packed"
    path.write_bytes(subprocess.run(["zstd", "-qc"], input=TEXT, stdout=subprocess.PIPE, check=True).stdout)
    with path.open("rb") as file:
        stream = unpacked(file, b"zstd")
        assert b"".join(iter(lambda: stream.read(1000), b"")) == TEXT
        stream.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3)
        broken = unpacked(file, b"zstd")
        with pytest.raises(CannotUnpack, match="bad format"):
            b"".join(iter(lambda: broken.read(1000), b""))
    with path.open("rb") as file:
        unpacked(file, b"zstd").close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("name", ["compression.zstd", "zstandard"])
def test_zstd_by_either_module(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins that have the interface of the real ones."""
    stand_in = """
import io
class ZstdError(Exception): pass
def ZstdFile(file): return io.BytesIO(file.read()[4:])
class ZstdDecompressor:
    def stream_reader(self, file, read_across_frames=False):
        assert read_across_frames
        return ZstdFile(file)
"""
    module = tmp_path / (name.replace(".", "/") + ".py")
    module.parent.mkdir(exist_ok=True)
    (module.parent / "__init__.py").touch()
    module.write_text(stand_in)
    monkeypatch.syspath_prepend(tmp_path)
    for loaded in [*sys.modules]:
        if loaded.partition(".")[0] in ("compression", "zstandard"):
            monkeypatch.delitem(sys.modules, loaded)
    assert read(ZSTD) == TEXT
