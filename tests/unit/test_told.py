"""A program that is told its own pid: started for real."""

import os
from pathlib import Path

import pytest

from pyinit.system.spawn import Spawner, redirection


@pytest.fixture
def spawner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Spawner:
    monkeypatch.chdir(tmp_path)
    return Spawner(has_groups=True)


def make(top: Path, script: str) -> int:
    (top / "run").write_text(f"#!/bin/sh\n{script}\n")
    (top / "run").chmod(0o755)
    return os.open(top, os.O_PATH)


def test_it_knows_its_pid_and_has_what_every_program_gets(tmp_path: Path, spawner: Spawner) -> None:
    says = 'echo "$WATCHDOG_PID $$ $A ${HOME-none} $(pwd)"; echo ready >&3'
    script = f"{says}; ps -o pgid= -p $$; grep SigIgn /proc/self/status"
    directory_fd = make(tmp_path, script)
    read_fd, write_fd = os.pipe()
    out_fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    redirections = [redirection(out_fd, 1), redirection(write_fd, 3)]
    pid = spawner.start_told([b"./run"], directory_fd, redirections, {b"A": b"b", b"HOME": None})
    assert os.waitpid(pid, 0)[1] == 0
    first, group, ignored = (tmp_path / "out").read_text().splitlines()
    assert first == f"{pid} {pid} b none {tmp_path}"
    assert int(group) == pid
    assert int(ignored.split()[1], 16) & 1 << 12 == 0, "SIGPIPE is not ignored"
    assert os.read(read_fd, 99) == b"ready\n"
    for fd in (directory_fd, read_fd, write_fd, out_fd):
        os.close(fd)


def test_it_has_no_descriptors_that_others_have_not(tmp_path: Path, spawner: Spawner) -> None:
    directory_fd = make(tmp_path, 'ls /proc/self/fd >"$OUT"')
    before = os.listdir("/proc/self/fd")
    for name, start in ("told", spawner.start_told), ("plain", spawner.start):
        pid = start([b"./run"], directory_fd, [], {b"OUT": name.encode()})
        os.waitpid(pid, 0)
    assert (tmp_path / "told").read_text() == (tmp_path / "plain").read_text()
    assert os.listdir("/proc/self/fd") == before
    os.close(directory_fd)


def test_what_cannot_be_executed_is_an_error(tmp_path: Path, spawner: Spawner) -> None:
    directory_fd = make(tmp_path, "")
    (tmp_path / "run").unlink()
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        spawner.start_told([b"./run"], directory_fd, [], {})
    assert os.listdir("/proc/self/fd") == before
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 127, "the child is there to be reaped"
    os.close(directory_fd)
