"""pyinit unpack and pyinit convert: all services of a file or nothing, as plain directories; and back."""

import subprocess
import sys
from pathlib import Path

import pytest
from machine import BIN, command, environment

TEXT = """
[web]
run = ["nginx", "-g", "daemon off;"]
needs = ["php"]
env = { TZ = "UTC" }

[php]
run = "exec php-fpm"
[php.log]
script = "t ./main"
"""


def tree(top: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(top)): ("" if path.is_dir() else path.read_text(), path.stat().st_mode & 0o7777)
        for path in top.rglob("*")
    }


EXPECTED = {
    "web": ("", 0o755),
    "web/run": ("#!/bin/sh\nexec nginx -g 'daemon off;'\n", 0o755),
    "web/needs": ("php\n", 0o644),
    "web/env": ("", 0o755),
    "web/env/TZ": ("UTC\n", 0o644),
    "php": ("", 0o755),
    "php/run": ("#!/bin/sh\nexec php-fpm\n", 0o755),
    "php/log": ("", 0o755),
    "php/log/script": ("t ./main\n", 0o644),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "services.toml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("mask", ["0", "077"])
def test_plain_directories_whatever_the_umask_is(source: Path, tmp_path: Path, mask: str) -> None:
    top = tmp_path / "service"
    line: list[str | Path] = [
        "sh",
        "-c",
        f'umask {mask}; exec "$@"',
        "sh",
        sys.executable,
        "-IS",
        BIN / "pyinit",
        "unpack",
        source,
        top,
    ]
    done = subprocess.run(line, env=environment(), capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert tree(top) == EXPECTED
    assert top.stat().st_mode & 0o777 == 0o755


def test_a_name_that_exists_and_nothing_is_written(source: Path, tmp_path: Path) -> None:
    top = tmp_path / "service"
    top.mkdir()
    (top / "web").symlink_to("nowhere")
    done = command("pyinit", "unpack", source, top)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"pyinit: fatal: {source}:2: web: {top} has one of that name\n"
    assert [path.name for path in top.iterdir()] == ["web"]


def test_all_mistakes_are_told_and_nothing_is_written(source: Path, tmp_path: Path) -> None:
    source.write_text(TEXT + "[db]\nrun = 1\nneds = []\n")
    done = command("pyinit", "unpack", source, tmp_path / "service")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"pyinit: fatal: {source}:12: db: run: has to be a script, or a list of words\n"
        f"pyinit: fatal: {source}:13: db: neds: unknown key: is needs meant?\n"
    )
    assert not (tmp_path / "service").exists()


def test_what_is_no_toml_and_what_cannot_be_read(source: Path, tmp_path: Path) -> None:
    top = tmp_path / "service"
    source.write_text("[web]\n[web\n")
    done = command("pyinit", "unpack", source, top)
    assert done.returncode == 1
    assert done.stderr.startswith(b"pyinit: fatal: %b:2: not TOML: " % bytes(source))
    source.write_bytes(b"\n\xff")
    assert command("pyinit", "unpack", source, top).stderr.endswith(b":2: not TOML: not UTF-8\n")
    for place, why in ((tmp_path, b"is a directory"), (tmp_path / "none", b"file does not exist")):
        done = command("pyinit", "unpack", place, top)
        assert done.returncode == 111
        assert why in done.stderr
    assert b"PYINIT_SERVICE_DIR" in command("pyinit", "unpack", tmp_path, top).stderr
    assert not top.exists()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_full_disk_leaves_nothing(source: Path, tmp_path: Path, is_new: bool) -> None:
    """The file system has room for some of the files, and not for the last."""
    disk = tmp_path / "disk"
    disk.mkdir()
    source.write_text("[a]\nrun = 'x'\n[b]\nrun = '''\n" + "x" * 300_000 + "'''\n")
    top = disk / "service" if is_new else disk
    script = f"""mount -t tmpfs -o size=128k none {disk}
        {sys.executable} -IS {BIN / "pyinit"} unpack {source} {top}; echo $?; ls -A {disk}"""
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "--user", "sh", "-c", script],
        env=environment(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.stdout == b"111\n"
    assert done.stderr.decode().startswith(f"pyinit: fatal: unable to write {top}/.unpacking-")
    assert done.stderr.decode().count("\n") == 1


def test_wrong_usage_and_words_behind_two_dashes() -> None:
    for words in (["unpack"], ["unpack", "a"], ["unpack", "-x", "b"], ["convert"], ["convert", "-x"], ["new"]):
        assert command("pyinit", *words).returncode == 100
    done = command("pyinit", "--", "unpack", PYINIT_SERVICE_DIR="/no/such/directory")
    assert done.returncode == 127


def test_convert_prints_what_unpack_reads(source: Path, tmp_path: Path) -> None:
    top = tmp_path / "service"
    assert command("pyinit", "unpack", source, top).returncode == 0
    done = command("pyinit", "convert", top)
    assert (done.returncode, done.stderr) == (0, b"")
    source.write_bytes(done.stdout)
    assert command("pyinit", "unpack", source, tmp_path / "again").returncode == 0
    assert tree(tmp_path / "again") == EXPECTED


def test_convert_tells_what_it_leaves_out(source: Path, tmp_path: Path) -> None:
    top = tmp_path / "service"
    assert command("pyinit", "unpack", source, top).returncode == 0
    (top / "web/conf").touch()
    done = command("pyinit", "convert", top)
    assert done.returncode == 1
    assert done.stderr.decode() == f"pyinit: warning: {top}/web/conf: left out: there is no key for it\n"
    assert command("pyinit", "convert", tmp_path / "none").returncode == 111
