"""Called tini or dumb-init, it is that program: every scenario runs on Debian's and on ours, and they are compared."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest
from inits import DEBIAN, LISTENER, Running, Scenario, descendants, link_ours, run
from machine import environment
from waiting import until


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return link_ours(tmp_path_factory.mktemp("ours"))


# --- exit codes


def codes(*lines: str, namespace: bool = False, **env: str) -> Scenario:
    """Exit codes of command lines, and which streams were written to."""

    def scenario(program: str, _: Path) -> object:
        return [run(program, *line.split("|"), namespace=namespace, **env).returncode for line in lines if line]

    return scenario


def told(*lines: str) -> Scenario:
    """Exit codes of what is printed about oneself."""

    def scenario(program: str, _: Path) -> object:
        return [run(program, *line.split()).returncode for line in lines]

    return scenario


def not_run(*options: str) -> Scenario:
    """Every way in which a command can't be run, or only just."""

    def scenario(program: str, top: Path) -> object:
        for name, content, mode in (
            ("plain", "#!/bin/sh\n", 0o644),
            ("shebangless", "exit 5\n", 0o755),
            ("interpreter", "#!/nonexistent\n", 0o755),
            ("empty", "", 0o755),
        ):
            (top / name).write_text(content)
            (top / name).chmod(mode)
        (top / "directory").mkdir()
        words = ["nonexistent", "/nonexistent", "/etc/passwd/x", "", str(top)]
        words += [str(path) for path in sorted(top.iterdir())]
        seen = {word: run(program, *options, "--", word).returncode for word in words}
        path = f"/etc/passwd:/nonexistent::{top}:{os.environ['PATH']}"
        for word in ("plain", "shebangless", "directory", "true"):
            seen[f"{word} on PATH"] = run(
                program, *options, "--", word, PATH=f"{Path(sys.executable).parent}:{path}"
            ).returncode
        return {Path(word).name: code for word, code in seen.items() if word != str(top)}

    return scenario


EXITS = [f"--|sh|-c|exit {code}" for code in (0, 1, 3, 126, 255)]
KILLS = [f"--|sh|-c|kill -{name} $$" for name in ("HUP", "INT", "KILL", "TERM", "USR1", "RTMIN")]

# --- what the command is given


def place_in_tree(*options: str, **env: str) -> Scenario:
    """Who leads which group and session."""

    def scenario(program: str, top: Path) -> object:
        with Running(top / "out", program, *options, "--", "sh", "-c", "echo ready; sleep 1000", **env) as running:
            child = descendants(running.process.pid)[0]
            above = running.process.pid
            return {
                "leads a group": os.getpgid(child) == child,
                "leads a session": os.getsid(child) == child,
                "same session": os.getsid(child) == os.getsid(above),
                "above leads": os.getpgid(above) == above,
            }

    return scenario


def status(program: str, _: Path) -> object:
    """Signals as the command finds them, its descriptors, limits, environment, directory and mask of modes."""
    script = "grep -E '^(Sig[BIC]|NoNewP)' /proc/self/status; ls /proc/self/fd; ulimit -a; pwd; umask; env | sort"
    lines = run(program, "--", "sh", "-c", script, LC_ALL="", LANG="C").stdout.splitlines()
    return [line for line in lines if not line.startswith("_=")]


def stdin(program: str, _: Path) -> object:
    done = run(program, "--", "cat", stdin="a\nb")
    return done.returncode, done.stdout


def closed_streams(program: str, _: Path) -> object:
    line = f"exec {program} -- sh -c 'exit 7' <&- >&- 2>&-"
    return subprocess.run(["sh", "-c", line], env=environment(), check=False, timeout=30).returncode


# --- signals


def signals_to_command(*options: str, numbers: "tuple[int, ...]") -> Scenario:
    """Which signals arrive at the command, and as which."""

    def scenario(program: str, top: Path) -> object:
        wanted = [str(number) for number in range(1, 65) if number not in (9, 19, 32, 33)]
        with Running(top / "out", program, *options, "--", sys.executable, "-c", LISTENER, *wanted) as running:
            for number in numbers:
                before = len(running.lines())
                running.send(number)
                until(lambda: len(running.lines()) > before, f"signal {number}")
            return running.lines()

    return scenario


def ignored(*options: str, number: int) -> Scenario:
    """A signal that is not to arrive: the one after it does."""

    def scenario(program: str, top: Path) -> object:
        words = [sys.executable, "-c", LISTENER, "1", "2", "10", "15"]
        with Running(top / "out", program, *options, "--", *words) as running:
            running.send(number)
            time.sleep(0.1)  # that what must not come would have come
            running.send(signal.SIGHUP)
            running.until_line("1")
            return running.lines()

    return scenario


def group(*options: str, **env: str) -> Scenario:
    """Whether a signal reaches the command's own child as well."""

    def scenario(program: str, top: Path) -> object:
        script = (
            "trap 'echo parent' USR1; (trap 'echo child' USR1; echo ready; while :; do sleep 0.05; done) & wait; wait"
        )
        with Running(top / "out", program, *options, "--", "sh", "-c", script, **env) as running:
            running.send(signal.SIGUSR1)
            running.until_line("parent")
            time.sleep(0.2)
            return {"the command's child too": "child" in running.lines()}

    return scenario


def stopped(*options: str, number: int = signal.SIGTSTP, **env: str) -> Scenario:
    """What TSTP or its like stops, and whether CONT has it go on."""

    def scenario(program: str, top: Path) -> object:
        with Running(top / "out", program, *options, "--", "sh", "-c", "echo ready; exec sleep 1000", **env) as running:
            child = descendants(running.process.pid)[0]
            running.send(number)
            until(lambda: running.state(child) == "T" or running.state() == "T", "something to stop")
            time.sleep(0.2)
            seen = [(running.state(), running.state(child))]
            running.send(signal.SIGCONT)
            until(lambda: running.state() == "S", "it to go on")
            time.sleep(0.2)
            return [*seen, (running.state(), running.state(child))]

    return scenario


def stopped_with_background(*options: str) -> Scenario:
    """Whether a shell's child in the background stops and goes on with it."""

    def scenario(program: str, top: Path) -> object:
        script = "sleep 1000 & echo ready; exec sleep 1001"
        with Running(top / "out", program, *options, "--", "sh", "-c", script) as running:
            pids = [running.process.pid, *descendants(running.process.pid)]
            until(lambda: all("sleep" in Path(f"/proc/{pid}/comm").read_text() for pid in pids[1:]), "both to run")
            seen = []
            for number, state in ((signal.SIGTSTP, "T"), (signal.SIGCONT, "S")):
                running.send(number)
                until(partial(lambda state: running.state() == state, state), f"to be {state}")
                time.sleep(0.2)
                seen.append([running.state(pid) for pid in pids])
            return seen

    return scenario


def suspended_by(rewriting: str) -> Scenario:
    """TSTP as another signal: it suspends the program all the same, and the command gets the other one."""

    def scenario(program: str, top: Path) -> object:
        words = [sys.executable, "-c", LISTENER, "1", "10", "20"]
        with Running(top / "out", program, "-r", rewriting, "--", *words) as running:
            running.send(signal.SIGTSTP)
            until(lambda: running.state() == "T", "it to be suspended")
            running.send(signal.SIGCONT)
            until(lambda: running.state() != "T", "it to go on")
            running.send(signal.SIGHUP)
            running.until_line("1")
            return running.lines()

    return scenario


def directories(program: str, top: Path) -> object:
    """Where the program is and where the command is."""
    script = "readlink /proc/$PPID/cwd /proc/$$/cwd"
    line = f"cd {top}; exec {program} -- sh -c '{script}'"
    done = subprocess.run(["sh", "-c", line], env=environment(), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.replace(str(top), "TOP")


def killed_by_signal(number: int, *options: str) -> Scenario:
    def scenario(program: str, top: Path) -> object:
        with Running(top / "out", program, *options, "--", "sh", "-c", "echo ready; exec sleep 1000") as running:
            running.send(number)
            return running.process.wait(10)

    return scenario


# --- others


def leftovers(*options: str, **env: str) -> Scenario:
    """What becomes of a child that the command leaves in its group: ended with it, or left alone."""

    def scenario(program: str, top: Path) -> object:
        script = f"sleep 1000 >/dev/null 2>&1 & echo $! >{top}/pid; exit 3"
        done = run(program, *options, "--", "sh", "-c", script, stdin="", namespace=False, **env)
        pid = int((top / "pid").read_text())
        time.sleep(0.2)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return done.returncode, "ended"
        return done.returncode, "left"

    return scenario


def orphan(*options: str, **env: str) -> Scenario:
    """Whose child an orphan is: the program's own where it is a subreaper."""

    def scenario(program: str, top: Path) -> object:
        script = "(sleep 1000 & echo $! >&3) 3>pid; echo ready; exec sleep 1000"
        with Running(top / "out", program, *options, "--", "sh", "-c", f"cd {top}; {script}", **env) as running:
            pid = int((top / "pid").read_text())
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
            if parent != running.process.pid:
                os.kill(pid, signal.SIGKILL)
                return "another's"
            os.kill(pid, signal.SIGKILL)
            until(lambda: not Path(f"/proc/{pid}").exists(), "the orphan to be reaped")
            return "its own"

    return scenario


def parent_death(program: str, top: Path) -> object:
    """`-p`: its own parent's death arrives as a signal, and so at the command."""
    launcher = f"{program} -p SIGUSR1 -- {sys.executable} -c '{LISTENER}' 10 >{top}/out & sleep 1000"
    parent = subprocess.Popen(["sh", "-c", launcher], env=environment(), start_new_session=True)
    out = top / "out"
    until(lambda: out.exists() and "ready" in out.read_text(), "the command to be ready")
    pid = next(child for child in descendants(parent.pid) if "sleep" not in Path(f"/proc/{child}/comm").read_text())
    below = descendants(parent.pid)
    parent.kill()
    parent.wait(10)
    try:
        until(lambda: "10" in out.read_text().split(), "the signal")
        return out.read_text().split()
    finally:
        for each in {pid, *below}:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue


def as_process_1(*options: str) -> Scenario:
    """In a namespace: every orphan is reaped, and the command's code is the namespace's."""

    def scenario(program: str, _: Path) -> object:
        script = """
            for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.01 &); done
            n=0; while [ $n -lt 200 ] && ps -e -o args= | grep -q '^sleep 0.01'; do n=$((n + 1)); sleep 0.02; done
            ps -e -o stat= | grep -c Z; ps -o ppid= -p $$; exit 42"""
        done = run(program, *options, "--", "sh", "-c", textwrap.dedent(script), namespace=True)
        return done.returncode, done.stdout.split()

    return scenario


MOST = tuple(n for n in range(1, 65) if n not in (9, 17, 19, 32, 33, 4, 5, 6, 7, 8, 11, 31, 20, 21, 22))
"""What both programs forward: not faults, not what stops a process of a terminal (which dumb-init rewrites)."""

FAULTS = (4, 5, 6, 7, 8, 11, 31)
"""Signals that mean a fault of one's own, unless they come from another process."""

BOTH: dict[str, Scenario] = {
    "exit codes": codes(*EXITS),
    "exit codes as process 1": codes(*EXITS[:3], *KILLS, namespace=True),
    "codes of the killed": codes(*KILLS),
    "what cannot be run": not_run(),
    "the state the command finds": status,
    "standard input": stdin,
    "all signals": signals_to_command(numbers=MOST),
    "killed by a forwarded signal": killed_by_signal(signal.SIGTERM),
    "killed by a forwarded real-time signal": killed_by_signal(signal.SIGRTMIN),
    "group and session": place_in_tree(),
    "whom a signal reaches": group(),
    "what stops": stopped(),
    "what is left": leftovers(),
    "an orphan": orphan(),
    "process 1": as_process_1(),
}

SCENARIOS: dict[str, dict[str, Scenario]] = {
    "tini": {
        **BOTH,
        "wrong use": codes("-x|true", "-e|256|true", "-e|x|true", "-p|NOPE|true", "--help|true", "-e", "--nothing"),
        "no command": told("", "--", "-v", "-g"),
        "about itself": told("-h", "--version", "-l"),
        "remapped": codes("-e|3|--|sh|-c|exit 3", "-e|3|-e|143|--|sh|-c|kill -TERM $$", "-e3|--|sh|-c|exit 4"),
        "options together": codes(
            "-vvg|sh|-c|exit 5", "-gwe5|sh|-c|exit 5", "-g|sh|-c|exit 6", "-s|-g|--|sh|-c|exit 7"
        ),
        "to the group": group("-g"),
        "to the group, by variable": group(TINI_KILL_PROCESS_GROUP="1"),
        "a subreaper": orphan("-s"),
        "a subreaper, by variable": orphan(TINI_SUBREAPER=""),
        "parent's death": parent_death,
        "levels by variable": codes("true", TINI_VERBOSITY="x"),
        "what is left, with -g": leftovers("-g"),
        "process 1, with options": as_process_1("-g", "-w", "-s"),
    },
    "dumb-init": {
        **BOTH,
        "wrong use": codes("-x|true", "-r|15|true", "-r|15:99|true", "-r|x:y|true", "--nothing|true", "-r"),
        "no command": told("", "--", "-v"),
        "about itself": told("-h", "--help", "-V", "--version"),
        "no standard streams": closed_streams,
        "options after operands": codes("sh|-c|exit 5", "sh|--|-c|exit 6", "-v|sh|-v|-c|exit 7"),
        "options together": codes("-cv|sh|-c|exit 5", "--single-child|--|sh|-c|exit 6", "-v|--|sh|-c|exit 7"),
        "rewritten": signals_to_command("-r", "15:3", "--rewrite", "1:10", "--rewrite=2:12", numbers=(15, 1, 2, 3)),
        "rewritten to nothing": ignored("-r", "15:0", number=15),
        "faults": signals_to_command(numbers=FAULTS),
        "faults for a single child": signals_to_command("-c", numbers=FAULTS),
        "TTIN": stopped(number=signal.SIGTTIN),
        "TTOU": stopped(number=signal.SIGTTOU),
        "TTIN, single child": stopped("-c", number=signal.SIGTTIN),
        "TTOU, single child": stopped("-c", number=signal.SIGTTOU),
        "what stops with what": stopped_with_background(),
        "what stops with what, single child": stopped_with_background("-c"),
        "suspending as another signal": suspended_by("20:10"),
        "suspending without a signal": suspended_by("20:0"),
        "directories": directories,
        "a single child": place_in_tree("-c"),
        "a single child, by variable": place_in_tree(DUMB_INIT_SETSID="0"),
        "whom a signal reaches, single child": group("-c"),
        "what stops, single child": stopped("-c"),
        "what is left, single child": leftovers("--single-child"),
        "what is left, by variable": leftovers(DUMB_INIT_SETSID="0"),
        "debugging": codes("true", DUMB_INIT_DEBUG="1"),
        "process 1, single child": as_process_1("-c"),
    },
}


@pytest.mark.parametrize(("name", "scenario"), [(name, scenario) for name in SCENARIOS for scenario in SCENARIOS[name]])
def test_like_debians(name: str, scenario: str, ours: dict[str, str], tmp_path: Path) -> None:
    for directory in ("theirs", "ours"):
        (tmp_path / directory).mkdir()
    run_on = SCENARIOS[name][scenario]
    theirs = run_on(DEBIAN[name], tmp_path / "theirs")
    assert run_on(ours[name], tmp_path / "ours") == theirs
    assert theirs, "something was seen"
