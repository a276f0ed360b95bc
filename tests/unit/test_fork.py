"""The one way to fork: what a child is, and how it ends."""

import os
import signal
import sys

import pytest

from pyinit.system.fork import BROKEN, fork, worker


def outcome(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def blocked() -> set[int]:
    return set(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def test_a_child_exits_with_the_code_that_its_function_returns() -> None:
    assert outcome(fork(lambda first, second: int(first + second), 3, 4)) == 7


def test_a_function_that_fails_says_its_last_words(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise ValueError("broken")

    assert outcome(fork(fail)) == BROKEN
    told = capfd.readouterr().err
    assert told.startswith("pyinit: fatal: a forked child: ValueError: broken at ")
    assert told.count("\n") == 1, "one line, no traceback"


def test_nothing_of_the_child_comes_back_into_the_parents_program() -> None:
    def leave() -> int:
        sys.exit(5)

    assert outcome(fork(leave)) == BROKEN


def test_signals_are_held_in_the_child_and_not_in_the_parent() -> None:
    before = blocked()
    assert outcome(fork(lambda: int({signal.SIGTERM, signal.SIGCHLD} <= blocked()))) == 1
    assert blocked() == before


def test_a_fork_that_fails_leaves_the_mask_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    before = blocked()
    monkeypatch.setattr("pyinit.system.fork.posix.fork", refuse)
    with pytest.raises(BlockingIOError):
        fork(lambda: 0)
    assert blocked() == before


def test_a_worker_keeps_its_socket_and_nothing_else(tmp_path: os.PathLike[str]) -> None:
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(4)]
    kept = fds[2]

    def main(expected: int) -> int:
        open_fds = set()
        for fd in range(256):
            try:
                os.fstat(fd)
            except OSError:
                continue
            open_fds.add(fd)
        return int(open_fds == {0, 1, 2, expected})

    assert outcome(fork(worker, b"tester", kept, main, kept)) == 1
    for fd in fds:
        os.close(fd)


def test_a_worker_is_like_a_new_process() -> None:
    """Its signals are as by default, and none is held; only SIGPIPE stays ignored."""
    set_before = signal.signal(signal.SIGUSR1, lambda number, frame: None)

    def main() -> int:
        facts = (
            signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL,
            signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN,
            blocked() == set(),
        )
        return int(all(facts))

    keep_fd = os.open("/dev/null", os.O_RDONLY)
    try:
        assert outcome(fork(worker, b"tester", keep_fd, main)) == 1
    finally:
        signal.signal(signal.SIGUSR1, set_before)
        os.close(keep_fd)


def test_a_worker_has_a_name_of_its_own() -> None:
    def main() -> int:
        with open("/proc/self/comm", encoding="ascii") as file:
            return int(file.read() == "tester\n")

    keep_fd = os.open("/dev/null", os.O_RDONLY)
    assert outcome(fork(worker, b"tester", keep_fd, main)) == 1
    os.close(keep_fd)
