"""Called tini or dumb-init, it says what that program says, on the same streams: Debian's and ours are compared."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pexpect
import pytest
from inits import DEBIAN, LISTENER, Scenario, link_ours, run
from machine import environment
from waiting import until

PIDS = re.compile(r"(?<=tini \()\d+|(?<=pid ')\d+|(?<=pid: ')\d+|(?<=pid=)\d+|(?<=PID )\d+")

IDLE = ("No child to reap", "No child to wait")
"""What C's tini says each second that it wakes up for nothing."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return link_ours(tmp_path_factory.mktemp("ours"))


def without_pids(text: str, program: str) -> list[str]:
    lines = PIDS.sub("PID", text.replace(program, "PROGRAM")).splitlines()
    return [line for line in lines if not line.endswith(IDLE)]


def said(*line: str, namespace: bool = False, **env: str) -> Scenario:
    """The exit code and both streams, to the letter but for pids."""

    def scenario(program: str, _: Path) -> object:
        done = run(program, *line, namespace=namespace, **env)
        return done.returncode, without_pids(done.stdout, program), without_pids(done.stderr, program)

    return scenario


def each(*lines: str, **env: str) -> Scenario:
    """The same of several lines, with `|` between their words."""

    def scenario(program: str, top: Path) -> object:
        return [said(*line.split("|") if line else (), namespace=False, **env)(program, top) for line in lines]

    return scenario


def told_of_signals(*options: str, numbers: "tuple[int, ...]", mark: str) -> Scenario:
    """What is said about signals. The next is sent once the `mark` of the one before it is there.

    A mark is what the command says of a signal, or what is said of it: a C program's stdout comes at its end.
    """

    def scenario(program: str, top: Path) -> object:
        out, err = top / "out", top / "err"
        words = [program, *options, "--", sys.executable, "-c", LISTENER, "1", "2", "10", "12"]
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                words,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        until(lambda: "ready" in out.read_text(), "the command to be ready")
        for number in numbers:
            expected = mark.format(number)
            process.send_signal(number)
            until(partial(lambda text: text in out.read_text() + err.read_text(), expected), expected)
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
        own = [line for line in without_pids(out.read_text(), program) if line.startswith("[")]
        return code, own, without_pids(err.read_text(), program)

    return scenario


def zombies(*options: str, **env: str) -> Scenario:
    """What is said of an orphan that ends while the command runs."""

    def scenario(program: str, top: Path) -> object:
        script = "(sleep 0.1 & echo $! >orphan); while kill -0 $(cat orphan) 2>/dev/null; do sleep 0.05; done; exit 3"
        return said(*options, "--", "sh", "-c", f"cd {top}; {script}", namespace=True, **env)(program, top)

    return scenario


TINI = {
    "version": each("--version", "--version|a", "-h", "-vh", "-xh"),
    "usage": each("", "--", "-v", "-x", "-g|-e", "--help", "--help|a", "sh|-c|exit"),
    "operands": each("sh|-g|--|-c|exit 3", "-g|sh|--|-c|exit 4"),
    "refused exit codes": each("-e|256|a", "-e|-1|a", "-e|x|a", "-e||a", "-e|1x|a", "-e| 1|true", "-e|+1|true"),
    "refused signals": each("-p|KILL|a", "-p|9|a", "-p|SIGNOPE|a", "-p|SIGRTMIN|a", "-p|sigkill|a"),
    "POSIXLY_CORRECT": each("-e|1|sh|-c|exit 1", "sh|-e|-c|exit 2", "-e|1|--|sh|-c|exit 1", POSIXLY_CORRECT=""),
    "no subreaper": each("true", "-v|--|true", "-s|true", "-vvvs|true"),
    "no subreaper, quiet": each("true", TINI_VERBOSITY="0"),
    "levels": each("-v|--|sh|-c|exit 3", "-vv|--|sh|-c|exit 3", "-vvv|--|sh|-c|exit 3", "-vvvv|--|true"),
    "levels of a killed command": each("-v|--|sh|-c|kill -9 $$", "-vv|--|sh|-c|kill -TERM $$"),
    "a level by variable": each("-v|true", TINI_VERBOSITY="3"),
    "strange levels": each("-v|true", TINI_VERBOSITY=" 2x"),
    "a negative level": each("true", TINI_VERBOSITY="-1"),
    "not run": each("-s|--|/nonexistent", "-s|--|nonexistent", "-s|--|/etc", "-s|--|/etc/passwd", "-s|--|"),
    "as process 1": said("-v", "--", "true", namespace=True),
    "zombies": zombies(),
    "zombies with -w": zombies("-w"),
    "zombies with -vv": zombies("-vv"),
    "zombies with -w, quiet": zombies("-w", TINI_VERBOSITY="0"),
    "signals": told_of_signals("-vv", "-s", numbers=(1, 2, 10, 12), mark="\n{0}\n"),
}

DUMB_INIT = {
    "version": each("-V", "--version", "--vers", "-V|true", "-h", "--help", "--he", "-vh"),
    "usage": each("", "--", "-v", "-c"),
    "wrong options": each("-x|a", "--nothing|a", "--ver|a", "--verbose=1|a", "--rewrite", "-r", "-cx|a"),
    "refused rewriting": each(
        *("-r|1:32|a", "-r|32:1|a", "-r|0:1|a", "-r|-1:2|a", "-r|1:-1|a", "-r|15|a", "-r|15:|a", "-r|:15|a"),
        *("-r|x:y|a", "-r|USR1:HUP|a", "--rewrite=1;2|a", "--rewrite=1:|a", "-r||a", "-r|1 :2|a"),
    ),
    "rewriting as scanf reads it": each("-r|1:15x|true", "-r|+1:+2|true", "-r| 1: 2|true", "--rew|1:31|true"),
    "not run": each("/nonexistent", "nonexistent", "/etc", "/etc/passwd", "--|"),
    "debug": each("-v|--|sh|-c|exit 3", "--verbose|sh|-c|kill -9 $$", "-cv|true", "-v|/nonexistent"),
    "debug by variable": each("sh|-c|exit 3", DUMB_INIT_DEBUG="1"),
    "debug without a session": each("true", DUMB_INIT_DEBUG="1", DUMB_INIT_SETSID="0"),
    "no debug": each("sh|-c|exit 3", DUMB_INIT_DEBUG="0", DUMB_INIT_SETSID="1"),
    "zombies": zombies("-v"),
    "signals": told_of_signals("-v", numbers=(1, 2, 10), mark="Received signal {0}."),
    "rewritten signals": told_of_signals("-v", "-r", "1:10", "-r", "2:0", numbers=(1, 2), mark="Received signal {0}."),
    "signals to a single child": told_of_signals("-vc", numbers=(1, 10), mark="Received signal {0}."),
}

SCENARIOS: dict[str, dict[str, Scenario]] = {"tini": TINI, "dumb-init": DUMB_INIT}


def compare(name: str, scenario: Scenario, ours: dict[str, str], top: Path) -> None:
    for directory in ("theirs", "ours"):
        (top / directory).mkdir()
    theirs = scenario(DEBIAN[name], top / "theirs")
    assert scenario(ours[name], top / "ours") == theirs
    assert theirs, "something was seen"


@pytest.mark.parametrize(("name", "scenario"), [(name, scenario) for name in SCENARIOS for scenario in SCENARIOS[name]])
def test_it_says_what_debians_says(name: str, scenario: str, ours: dict[str, str], tmp_path: Path) -> None:
    compare(name, SCENARIOS[name][scenario], ours, tmp_path)


@pytest.mark.parametrize("name", ["tini-static", "docker-init"])
def test_tini_by_its_other_names(name: str, ours: dict[str, str], tmp_path: Path) -> None:
    compare(name, each("", "-h", "--version", "-s|--|/nonexistent", "sh|-c|exit"), ours, tmp_path)


def test_tini_fails_where_a_directory_of_services_would_not_matter(ours: dict[str, str], tmp_path: Path) -> None:
    """The words of pyinit mean nothing under another name."""
    compare("docker-init", each("-s|doctor", "-s|unpack", PYINIT_SERVICE_DIR="/nonexistent"), ours, tmp_path)


# --- the terminal

Session = Callable[[str], list[str]]


def on_terminal(*options: str, script: str) -> Session:
    """What is printed on a terminal of which the program leads the session."""

    def session(program: str) -> list[str]:
        pty = pexpect.spawn(program, [*options, "--", "sh", "-c", script], env=environment(), encoding="utf-8")
        printed = pty.read()
        pty.close()
        return sorted([*without_pids(printed, program), f"code {pty.exitstatus}"])

    return session


PLACE = """
    set -- $(ps -o pid=,pgid=,sid=,tpgid= -p $$)
    [ $1 = $2 ] && echo leads a group
    [ $1 = $3 ] && echo leads a session
    [ $1 = $4 ] && echo has the foreground
    (echo terminal >/dev/tty)
    exit 4"""
"""Where the command is, and whether it can use the terminal."""


@pytest.mark.parametrize("options", [(), ("-c",), ("-v",), ("-vc",)])
def test_a_terminal_is_handed_over_as_dumb_init_does(options: tuple[str, ...], ours: dict[str, str]) -> None:
    session = on_terminal(*options, script=PLACE)
    assert session(ours["dumb-init"]) == session(DEBIAN["dumb-init"])


def hand_off(program: str) -> list[str]:
    """HUP and CONT come with the hand-off of the terminal; what the command gets of them and of two later ones."""
    listener = [sys.executable, "-c", LISTENER, "1", "18", "10"]
    pty = pexpect.spawn(program, ["--", *listener], env=environment(), encoding="utf-8")
    pty.expect_exact("ready")
    assert pty.pid
    for number in (signal.SIGHUP, signal.SIGCONT):
        os.kill(pty.pid, number)
        pty.expect_exact(f"\n{number:d}\r")
    pty.close(force=True)
    return (pty.before or "").split()


def test_the_signals_of_a_hand_off_are_not_forwarded(ours: dict[str, str]) -> None:
    assert hand_off(ours["dumb-init"]) == hand_off(DEBIAN["dumb-init"]) == []


@pytest.mark.parametrize("name", ["tini", "dumb-init"])
def test_a_shell_in_the_foreground_has_job_control(name: str, ours: dict[str, str]) -> None:
    script = "bash --norc --noprofile -ic 'sleep 1000 & jobs; kill %1; wait; ps -o stat= -p $$ | tr -d \" \\n\"' 2>&1"

    def session(program: str) -> list[str]:
        return on_terminal(script=f"{script} | sed 's/[0-9][0-9]*/N/g'")(program)

    assert session(ours[name]) == session(DEBIAN[name])
