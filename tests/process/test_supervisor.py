"""One supervisor by itself, where the moment matters: between a death and its event."""

import subprocess
import sys
import textwrap

from machine import ROOT

PRELUDE = """
import os, posix, signal, sys
from pyinit.services.host import Host
from pyinit.services.supervisor import Supervisor
from pyinit.system import files
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner, block_signals
block_signals()
loop = Loop(b"test")
web = Supervisor(Host(loop, Spawner()), b"web", files.open_directory(b"web"))
web.open()
def reap():
    os.kill(web.pid, signal.SIGKILL)
    return os.waitpid(web.pid, 0)
def command(letters):
    fd = os.open("web/supervise/control", os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, letters)
    os.close(fd)
"""


def run(tmp_path, program: str) -> str:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/run").write_text("#!/bin/sh\nexec sleep 1000\n")
    (tmp_path / "web/run").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_command_for_a_process_that_has_just_been_reaped_does_not_lose_its_death(tmp_path):
    out = run(
        tmp_path,
        """
        pid, status = reap()
        command(b"t")
        web._died(status)
        print(web.pid, web.wanted_up)
        """,
    )
    assert out == "0 True\n"


def test_a_down_written_before_a_death_keeps_the_service_down(tmp_path):
    out = run(
        tmp_path,
        """
        pid, status = reap()
        command(b"d")
        web._died(status)
        print(web.pid, web.wanted_up)
        """,
    )
    assert out == "0 False\n"


def test_a_death_is_taken_even_if_what_listens_for_it_raises(tmp_path):
    out = run(
        tmp_path,
        """
        def fail():
            raise RuntimeError
        web.on_death = fail
        pid, status = reap()
        try:
            web._died(status)
        except RuntimeError:
            print(web.pid)
        """,
    )
    assert out == "0\n"
