"""The loop on the real kernel: what a fake one can't show. Each test runs in a forked child with signals held."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pyinit.system.adoption import adopt_orphans
from pyinit.system.changes import FILES_CHANGE, NAMES_CHANGE
from pyinit.system.doorbell import hold_signals
from pyinit.system.loop import Loop
from pyinit.system.sigloop import SignalLoop

TIMED_OUT = 99
"""The code of a loop that nobody stopped in time."""

LOOPS = pytest.mark.parametrize("make_loop", [Loop, SignalLoop])

MakeLoop = Callable[[bytes], Loop]


def outcome(test: Callable[[], int]) -> int:
    """Run in a forked child, whose exit code is the number that the function returns."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            hold_signals()
            code = test()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def limited(make_loop: MakeLoop) -> Loop:
    """A loop that ends by itself in the end."""
    loop = make_loop(b"test")
    loop.call_at(time.monotonic() + 30, lambda: loop.stop(TIMED_OUT))
    return loop


def start(script: str) -> int:
    """A shell without held signals; returns its pid."""
    return os.posix_spawn("/bin/sh", ["sh", "-c", script], dict(os.environ), setsigmask=())


def stop_unless(loop: Loop, code: int, is_right: bool) -> None:
    loop.stop(0 if is_right else code)


@LOOPS
def test_signals_that_were_sent_before_the_loop_are_not_lost(make_loop: MakeLoop) -> None:
    def test() -> int:
        came: list[int] = []
        loop = limited(make_loop)

        def note(number: int) -> None:
            came.append(number)
            if len(came) == 2:
                loop.stop(0)

        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, lambda number=number: note(number))  # type: ignore[misc]
            os.kill(os.getpid(), number)
        return loop.run()

    assert outcome(test) == 0


@LOOPS
def test_a_signal_ends_the_wait(make_loop: MakeLoop) -> None:
    def test() -> int:
        loop = limited(make_loop)
        loop.add_signal_handler(signal.SIGUSR1, lambda: loop.stop(0))
        sender = start(f"kill -USR1 {os.getpid()}")
        loop.add_child_handler(sender, lambda outcome: None)
        return loop.run()

    assert outcome(test) == 0


@LOOPS
def test_a_signal_that_nobody_handles_kills_as_ever(make_loop: MakeLoop) -> None:
    """The loop of a command alone holds what it does not fetch; Init asks it for every signal."""

    def test() -> int:
        loop = limited(make_loop)
        loop.call_at(0, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        loop.call_at(time.monotonic() + 0.2, lambda: loop.stop(0))
        return loop.run()

    assert outcome(test) == (-signal.SIGUSR1 if make_loop is Loop else 0)


@LOOPS
def test_every_child_is_reaped_however_few_signals_say_so(make_loop: MakeLoop) -> None:
    """SIGCHLD is one bit: all of these are dead before the loop looks."""

    def test() -> int:
        loop = limited(make_loop)
        deaths: list[int] = []

        def note(outcome: int) -> None:
            deaths.append(outcome)
            if len(deaths) == 300:
                stop_unless(loop, 2, loop.orphans == 0 and set(deaths) == {0})

        pids = [os.posix_spawn("/bin/true", ["true"], {}, setsigmask=()) for _ in range(300)]
        for pid in pids:
            loop.add_child_handler(pid, note)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return loop.run()

    assert outcome(test) == 0


@LOOPS
def test_a_death_comes_with_its_outcome(make_loop: MakeLoop) -> None:
    def test() -> int:
        loop = limited(make_loop)
        outcomes: dict[str, int] = {}

        def note(name: str, outcome: int) -> None:
            outcomes[name] = outcome
            if len(outcomes) == 3:
                stop_unless(loop, 2, outcomes == {"exit": 3, "killed": -signal.SIGKILL, "core": -signal.SIGABRT})

        for name, script in (("exit", "exit 3"), ("killed", "kill -KILL $$"), ("core", "ulimit -c 0; kill -ABRT $$")):
            loop.add_child_handler(start(script), lambda outcome, name=name: note(name, outcome))  # type: ignore[misc]
        return loop.run()

    assert outcome(test) == 0


def test_what_a_child_wrote_before_it_died_is_read_before_its_death_is_told() -> None:
    def test() -> int:
        loop = limited(Loop)
        reading, writing = os.pipe()
        came: list[bytes] = []
        loop.add_reader(reading, lambda: came.append(os.read(reading, 9)))
        pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", "printf last >&9"],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, writing, 9)],
            setsigmask=(),
        )
        loop.add_child_handler(pid, lambda outcome: stop_unless(loop, 2, came == [b"last"]))
        return loop.run()

    assert outcome(test) == 0


@LOOPS
def test_a_storm_of_orphans_keeps_no_deadline_waiting(make_loop: MakeLoop) -> None:
    """They die in five waves; a deadline every hundredth of a second is called all the while, and every one reaped."""

    def test() -> int:
        assert adopt_orphans()
        loop = limited(make_loop)
        late: list[float] = []

        def tick(due: float) -> None:
            now = time.monotonic()
            late.append(now - due)
            if loop.orphans >= 400:
                return stop_unless(loop, 2, max(late) < 2 and loop.orphans == 400)
            loop.call_at(now + 0.01, lambda: tick(now + 0.01))
            return None

        script = "for wave in 1 2 3 4 5; do for n in 1 2 3 4 5 6 7 8; do sleep 0.$wave & done; done"
        for _ in range(10):
            loop.add_child_handler(start(script), lambda outcome: None)
        loop.call_at(0, lambda: tick(time.monotonic()))
        return loop.run()

    assert outcome(test) == 0


def make_it(top: Path) -> None:
    (top / "made").mkdir()


def link_it(top: Path) -> None:
    (top / "linked").symlink_to("old")


def rename_it(top: Path) -> None:
    (top / "old").rename(top / "renamed")


def remove_it(top: Path) -> None:
    (top / "old").unlink()


def change_its_mode(top: Path) -> None:
    (top / "old").chmod(0o700)


def write_to_it(top: Path) -> None:
    (top / "old").write_text("more")


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        (make_it, NAMES_CHANGE),
        (link_it, NAMES_CHANGE),
        (rename_it, NAMES_CHANGE),
        (remove_it, NAMES_CHANGE),
        (change_its_mode, NAMES_CHANGE),
        (write_to_it, FILES_CHANGE),
    ],
)
def test_a_watched_directory_tells_of_every_kind_of_change(
    tmp_path: Path, change: Callable[[Path], None], changes: int
) -> None:
    """The watch lasts, though `listdir` closes a duplicate of the directory's descriptor, until it is ended.

    The kernel sends SIGIO before the call returns that changed something, so the next turn has it.
    """
    (tmp_path / "old").write_text("")

    def test() -> int:
        loop = limited(Loop)
        heard: list[str] = []
        directory_fd = os.open(tmp_path, os.O_RDONLY)
        watch_fd = loop.watch_directory(directory_fd, lambda: heard.append("change"), changes)
        codes: list[int] = []

        def again() -> None:
            codes.append(0 if heard else 2)
            heard.clear()
            os.listdir(directory_fd)
            (tmp_path / "second").mkdir()

        def end_watch() -> None:
            codes.append(0 if heard else 3)
            loop.unwatch_directory(watch_fd)
            heard.clear()
            (tmp_path / "third").mkdir()

        steps = (lambda: change(tmp_path), again, end_watch, lambda: loop.stop(max(*codes, 4 if heard else 0)))
        for count, step in enumerate(steps):
            loop.call_at(time.monotonic() + 0.05 * count, step)
        return loop.run()

    assert outcome(test) == 0


def test_no_wait_is_a_loop_in_disguise() -> None:
    """With nothing to do it takes no processor time."""

    def test() -> int:
        loop = Loop(b"test")
        loop.add_signal_handler(signal.SIGALRM, lambda: loop.stop(0))
        before = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        code = loop.run()
        return code or (2 if time.process_time() - before > 0.1 else 0)

    assert outcome(test) == 0
