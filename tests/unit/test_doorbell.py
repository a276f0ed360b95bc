"""The doorbell, with real signals: each test is a forked child, since the mask and the handlers are a process's own."""

import os
import select
import signal
from collections.abc import Callable

import pytest

from pyinit.system.doorbell import RING_LENGTH, Doorbell, hold_signals, release_signals, restore_mask


def in_child(test: Callable[[], None]) -> None:
    """Run in a child; what it raises fails this test."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            test()
            code = 0
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, encoding="utf-8") as told:
        text = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, text


def blocked() -> set[int]:
    return set(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def rings(doorbell: Doorbell) -> bool:
    return bool(select.select([doorbell.fileno()], (), (), 0)[0])


def test_a_signal_rings_and_is_taken_once() -> None:
    def test() -> None:
        doorbell = Doorbell()
        doorbell.listen(signal.SIGUSR1)
        assert not rings(doorbell)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert rings(doorbell)
        assert doorbell.take() == {signal.SIGUSR1}
        assert not rings(doorbell)

    in_child(test)


def test_signals_that_are_held_come_when_the_door_is_opened() -> None:
    def test() -> None:
        hold_signals()
        doorbell = Doorbell()
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            doorbell.listen(number)
            os.kill(os.getpid(), number)
        assert not rings(doorbell)
        doorbell.open()
        assert doorbell.take() == {signal.SIGUSR1, signal.SIGUSR2}
        assert blocked() == set()

    in_child(test)


def test_a_full_pipe_loses_no_signal() -> None:
    """The bell is not the mailbox: it is full after 65,536 rings, and still every number is known."""

    def test() -> None:
        doorbell = Doorbell()
        doorbell.listen(signal.SIGUSR1)
        doorbell.listen(signal.SIGUSR2)
        for _ in range(66_000):
            os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        assert doorbell.take() == {signal.SIGUSR1, signal.SIGUSR2}
        assert rings(doorbell), f"no more than {RING_LENGTH} bytes are read at once"
        assert doorbell.take() == set()

    in_child(test)


def test_its_descriptors_do_not_reach_programs() -> None:
    def test() -> None:
        doorbell = Doorbell()
        assert not os.get_inheritable(doorbell.fileno())

    in_child(test)


@pytest.mark.parametrize("before", [set(), {signal.SIGUSR1}])
def test_a_mask_is_put_back(before: set[signal.Signals]) -> None:
    def test() -> None:
        release_signals()
        signal.pthread_sigmask(signal.SIG_BLOCK, before)
        mask = hold_signals()
        assert signal.SIGTERM in blocked()
        restore_mask(mask)
        assert blocked() == before

    in_child(test)
