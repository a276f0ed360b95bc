"""One supervisor by itself, where the moment matters: between a death and its event."""

import os
import subprocess
import sys
import textwrap

from machine import ROOT

PRELUDE = """
import os, posix, signal, sys, time
from pyinit.services.context import Host
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
    return os.waitstatus_to_exitcode(os.waitpid(web.pid, 0)[1])
def command(letters):
    fd = os.open("web/supervise/control", os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, letters)
    os.close(fd)
"""


def run(tmp_path, program: str) -> str:
    (tmp_path / "web").mkdir(exist_ok=True)
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
        outcome = reap()
        command(b"t")
        web._died(outcome)
        print(web.pid, web.wanted_up)
        """,
    )
    assert out == "0 True\n"


def test_a_down_written_before_a_death_keeps_the_service_down(tmp_path):
    out = run(
        tmp_path,
        """
        def end():
            command(b"d")
            os.kill(web.pid, signal.SIGKILL)
            os.waitid(os.P_PID, web.pid, os.WEXITED | os.WNOWAIT)
            loop.at(time.monotonic() + 0.1, lambda: (print(web.pid, web.wanted_up), loop.stop(0)))
        loop.at(0, end)
        loop.run()
        """,
    )
    assert out == "0 False\n"


def test_so_does_one_of_a_crowd_that_is_not_listened_to_yet(tmp_path):
    out = run(
        tmp_path,
        """
        reap()
        os.rename("web/supervise", "web/supervise.old")
        host = Host(loop, Spawner())
        host.start_crowd()
        web = Supervisor(host, b"web", files.open_directory(b"web"))
        web.open()
        command(b"d")
        web._died(reap())
        print(web.pid, web.wanted_up)
        """,
    )
    assert out == "0 False\n"


def test_what_is_left_of_a_flood_is_nothing_to_one_that_has_left(tmp_path):
    out = run(
        tmp_path,
        """
        left = []
        web.on_leave = lambda: left.append(True)
        def flood():
            if not web.pid:
                loop.after_turn = None
                command(b"x" * 64)
                web._read_control()
                loop.at(time.monotonic() + 0.1, lambda: loop.stop(0))
        loop.after_turn = flood
        web.command(b"d")
        print(loop.run(), left)
        """,
    )
    assert out == "0 [True]\n"


def test_a_death_is_taken_even_if_what_listens_for_it_raises(tmp_path):
    out = run(
        tmp_path,
        """
        def fail():
            raise RuntimeError
        web.on_death = fail
        outcome = reap()
        try:
            web._died(outcome)
        except RuntimeError:
            print(web.pid)
        """,
    )
    assert out == "0\n"


LOOK = """
        def held():
            return len([name for name in os.listdir("/proc/self/fd")
                        if os.path.realpath("/proc/self/fd/" + name).startswith(os.path.realpath("web"))])
        def knock():
            try:
                os.close(os.open("web/supervise/ok", os.O_WRONLY | os.O_NONBLOCK))
            except OSError as error:
                return error.errno
        control, ok = os.stat("web/supervise/control"), os.stat("web/supervise/ok")
        print(control.st_ino == ok.st_ino, held(), knock())
        web.command(b"d")
        web._died(reap()) if web.pid else None
        web.command(b"x")
        print(held(), knock())
"""


def test_ok_is_another_name_of_control_and_takes_no_descriptor(tmp_path):
    """Of a service there are its directory, its lock and control; and who leaves closes `ok` with them."""
    assert run(tmp_path, LOOK) == "True 3 None\n0 6\n"


def test_an_ok_that_is_there_already_is_used(tmp_path):
    (tmp_path / "web/supervise").mkdir(parents=True)
    os.mkfifo(tmp_path / "web/supervise/ok", 0o600)
    assert run(tmp_path, LOOK) == "False 4 None\n0 6\n"


def test_where_there_are_no_hard_links_ok_is_a_fifo_of_its_own(tmp_path):
    out = run(
        tmp_path,
        """
        def link(*arguments, **named):
            raise PermissionError(1, "Operation not permitted")
        posix.link = link
        web.command(b"d")
        web._died(reap())
        web.command(b"x")
        os.unlink("web/supervise/ok")
        web = Supervisor(Host(loop, Spawner()), b"web", files.open_directory(b"web"))
        web.open()
        """
        + LOOK,
    )
    assert out == "False 4 None\n0 6\n"
