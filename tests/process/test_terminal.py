"""On a terminal: a shell as the main command is as good as without init, and a container of services ends on ^C."""

import os
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pexpect
import pytest
from machine import BIN, PROGRAMS, UNSHARE, Machine, environment
from waiting import until

PROMPT = "READY>"
SHELL = ["bash", "--norc", "--noprofile", "--noediting", "-i"]

PROCESS_1 = (*UNSHARE, "setsid", "--ctty")
"""As a container's: process 1 leads the session that has the terminal."""


class Terminal:
    """pyinit as process 1 of a namespace, leading the session of a new terminal."""

    def __init__(self, machine: Machine, *words: str, prefix: tuple[str, ...] = PROCESS_1) -> None:
        self.machine = machine
        line = [*prefix, sys.executable, "-IS", str(BIN / "pyinit"), *words]
        env = environment(**machine.env, PS1=PROMPT, TERM="dumb", PYINIT_STOP_TIMEOUT="3")
        self.log = StringIO()
        self.pty = pexpect.spawn(line[0], line[1:], env=env, timeout=10, dimensions=(24, 80), encoding="utf-8")
        self.pty.logfile_read = self.log

    def ask(self, line: str) -> str:
        """Type a line at the prompt; what is printed for it."""
        self.pty.sendline(f"echo =BEGIN=; {line}")
        self.pty.expect_exact(PROMPT)
        return str(self.pty.before).rpartition("=BEGIN=")[2].strip()

    def until_seen(self, *texts: str) -> None:
        """Read until all of these were printed, in any order."""

        def seen() -> bool:
            self.pty.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=0.02)
            return all(text in self.log.getvalue() for text in texts)

        until(seen, lambda: f"{texts} to be printed; there is {self.log.getvalue()!r}")

    def end(self) -> int:
        """The exit code, once everything was read."""
        self.pty.expect(pexpect.EOF)
        self.pty.close()
        assert self.pty.exitstatus is not None
        return int(self.pty.exitstatus)


@pytest.fixture
def terminal(make_machine: Callable[..., Machine]) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def make(*words: str, services: "dict[str, str] | None" = None, **options: tuple[str, ...]) -> Terminal:
        machine = make_machine()
        for name, script in (services or {}).items():
            machine.add(name, script)
        made.append(Terminal(machine, *words, **options))
        return made[-1]

    yield make
    for one in made:
        one.pty.close(force=True)


@pytest.mark.parametrize("services", [{}, {"a": "exec sleep 1000"}], ids=["alone", "beside a service"])
@pytest.mark.parametrize("prefix", [PROCESS_1, ("env",)], ids=["process 1", "subreaper"])
def test_a_shell_has_job_control(
    terminal: Callable[..., Terminal], services: dict[str, str], prefix: tuple[str, ...]
) -> None:
    shell = terminal("--", *SHELL, services=services, prefix=prefix)
    shell.pty.expect_exact(PROMPT)
    greeting = shell.log.getvalue()
    assert "cannot set terminal process group" not in greeting
    assert "no job control" not in greeting

    assert shell.ask("echo $(tty) | grep -c /dev/pts") == "1"
    shell.pty.sendline("sleep 1000")
    until(lambda: "sleep" in foreground(shell), "sleep to have the terminal")
    shell.pty.sendcontrol("c")
    shell.pty.expect_exact(PROMPT)
    shell.pty.sendline("echo code $?")
    shell.pty.expect_exact("code 130")
    shell.pty.expect_exact(PROMPT)

    shell.pty.sendline("sleep 1001")
    until(lambda: "sleep" in foreground(shell), "sleep to have the terminal")
    shell.pty.sendcontrol("z")
    shell.pty.expect_exact(PROMPT)
    assert "Stopped" in shell.ask("jobs")
    assert "sleep 1001 &" in shell.ask("bg")
    assert "Running" in shell.ask("jobs")
    shell.pty.sendline("fg")
    until(lambda: "sleep" in foreground(shell), "sleep to have the terminal again")
    shell.pty.sendcontrol("c")
    shell.pty.expect_exact(PROMPT)

    assert shell.ask("stty size") == "24 80"
    shell.pty.setwinsize(30, 100)
    assert shell.ask("stty size") == "30 100"
    shell.pty.sendline("exit 7")
    assert shell.end() == 7


def foreground(shell: Terminal) -> str:
    """The names of the processes of the terminal's foreground group."""
    group = os.tcgetpgrp(shell.pty.child_fd) if shell.pty.child_fd >= 0 else 0
    names = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(rest.split()[2]) == group:
            names.append(name)
    return " ".join(names)


def test_a_program_that_reads_a_key_gets_it_at_once(terminal: Callable[..., Terminal]) -> None:
    reading = terminal("--", "sh", "-c", "stty raw -echo; echo ready; dd bs=1 count=1 2>/dev/null | od -c; stty sane")
    reading.pty.expect_exact("ready")
    reading.pty.send("\x03")
    reading.pty.expect_exact("003")
    assert reading.end() == 0


def test_interrupts_reach_the_command_only(terminal: Callable[..., Terminal]) -> None:
    script = "trap 'echo service interrupted' INT; echo up; while :; do sleep 0.02; done"
    command = (
        "trap 'echo command interrupted' INT; echo ready; while read line; do echo got $line; done; read line; exit 5"
    )
    shell = terminal("--", "bash", "-c", command, services={"a": script})
    shell.until_seen("ready\r\n", "a: up", "services=1")
    shell.pty.sendcontrol("c")
    shell.until_seen("command interrupted")
    shell.pty.sendline("line")
    shell.pty.expect_exact("got line")
    shell.pty.sendeof()
    shell.pty.sendeof()
    assert shell.end() == 5
    assert "service interrupted" not in shell.log.getvalue()


def test_without_a_command_an_interrupt_stops_everything_in_order(terminal: Callable[..., Terminal]) -> None:
    script = f"trap 'echo interrupted' INT; exec {PROGRAMS}/steady"
    services = terminal(
        services={
            "a": script,
            "b": "trap 'echo quit' QUIT; trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.02; done",
        }
    )
    services.until_seen("a: ready", "b: up", "pyinit: ready services=2")
    services.pty.sendcontrol("c")
    code = services.end()
    said = services.log.getvalue()
    assert code == 0
    assert "a: last words" in said
    assert "b: bye" in said
    assert "interrupted" not in said
    assert not {"quit", "killed", "multilog"} & set(said.replace(":", " ").split())


def test_a_stop_key_stops_nothing_of_ours(terminal: Callable[..., Terminal]) -> None:
    services = terminal(services={"a": f"exec {PROGRAMS}/steady"})
    services.until_seen("a: ready")
    services.pty.sendcontrol("z")
    services.pty.sendcontrol("\\")
    assert services.end() == 0
    assert "a: last words" in services.log.getvalue()


def test_logs_come_through_whatever_the_command_does_to_the_terminal(terminal: Callable[..., Terminal]) -> None:
    """`stty tostop` stops who writes from the background, or fails the write; the log collector and process 1 do."""
    script = "trap 'echo hup' HUP; echo up; while :; do sleep 0.02; done"
    shell = terminal("--", *SHELL, services={"a": script, "b": "exec sleep 1000"})
    shell.until_seen("a: up", PROMPT)
    shell.pty.sendline("stty tostop")
    shell.until_seen("stty tostop\r\n" + PROMPT)
    shell.machine.svc("h", "a")
    shell.until_seen("a: hup")
    (shell.machine.services / "b/run").unlink()
    shell.machine.svc("t", "b")
    shell.until_seen("unable to start b/run")
    shell.pty.sendline("exit 0")
    assert shell.end() == 0


def test_what_ends_without_its_terminal(terminal: Callable[..., Terminal]) -> None:
    """HUP for the leader of the session is a scan with services, the command's without; its own it gets anyway."""
    for services in ({}, {"a": "exec sleep 1000"}):
        shell = terminal("--", "sh", "-c", "trap 'echo hup >hup; exit' HUP; echo ready; read line", services=services)
        shell.until_seen("ready\r\n")
        shell.pty.close(force=False)
        until(lambda: not shell.pty.isalive(), "it to end")
