"""The event loop on a fake kernel. `tests/process/test_loop.py` has what only a real kernel shows."""

import os
import posix
from collections.abc import Callable
from pathlib import Path
from signal import SIGHUP, SIGTERM, SIGUSR1

import pytest
from kernel import World

from pyinit.system import loop as loop_module
from pyinit.system.changes import NAMES_CHANGE
from pyinit.system.loop import BATCH, BREATH, PAUSE, PENALTY, REAPED_AT_ONCE


@pytest.fixture
def world() -> World:
    return World()


def pipe() -> tuple[int, int]:
    return posix.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)


class Owner:
    """Has a name, which the guard's warnings begin with."""

    name = b"web"

    def fail(self) -> None:
        raise RuntimeError("broken")

    def exited(self, outcome: int) -> None:
        raise RuntimeError(f"broken by {outcome}")


def test_an_error_is_told_with_its_owner_and_the_rest_goes_on(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.loop.call_at(0, Owner().fail)
    world.loop.call_at(0, lambda: world.loop.stop(3))
    assert world.run() == 3
    assert capfd.readouterr().err.startswith("test: warning: web: internal error: RuntimeError: broken at /")


def test_a_far_deadline_is_waited_for_in_waits_that_epoll_takes(world: World) -> None:
    begin, came = world.kernel.now, []
    world.loop.call_at(begin + 30.5 * 86400, lambda: came.append(world.kernel.now))
    world.run(31 * 86400)
    assert came == [begin + 30.5 * 86400]
    assert (max(world.kernel.waits), len(world.kernel.waits)) == (86400, 31)


@pytest.mark.parametrize("owner", [b"", b"log"])
def test_the_guard_tells_whether_the_callback_returned(
    world: World, owner: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert world.loop.guard(lambda value: None, 1)
    assert not world.loop.guard(Owner().fail, owner=owner)
    assert capfd.readouterr().err.startswith(f"test: warning: {(owner or b'web').decode()}: internal error: ")


def test_an_error_that_cannot_be_shown_is_no_error_of_the_loop(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fail() -> None:
        raise Unspeakable

    assert not world.loop.guard(fail)
    assert capfd.readouterr().err == "test: warning: internal error that could not be told\n"


def test_a_reader_is_called_as_long_as_there_is_something_to_read(world: World) -> None:
    reading, writing = pipe()
    came: list[bytes] = []
    world.loop.add_reader(reading, lambda: came.append(os.read(reading, 1)))
    world.run()
    assert came == []
    os.write(writing, b"abc")
    world.run()
    assert came == [b"a", b"b", b"c"]
    world.loop.remove_reader(reading)
    os.write(writing, b"d")
    world.run()
    assert came == [b"a", b"b", b"c"]
    os.close(reading)
    os.close(writing)


def test_the_end_of_a_pipe_calls_its_reader(world: World) -> None:
    reading, writing = pipe()

    def read() -> None:
        assert os.read(reading, 1) == b""
        world.loop.remove_reader(reading)
        world.loop.stop(0)

    world.loop.add_reader(reading, read)
    os.close(writing)
    assert world.run() == 0
    os.close(reading)


def test_a_reader_and_a_writer_of_one_descriptor_come_and_go_by_themselves(world: World, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    fd = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    came: list[str] = []

    def write() -> None:
        came.append("write")
        world.loop.remove_writer(fd)
        os.write(fd, b"x")

    def read() -> None:
        came.append("read")
        os.read(fd, 9)

    world.loop.add_reader(fd, read)
    world.loop.add_writer(fd, write)
    world.run()
    assert came == ["write", "read"]
    world.loop.add_writer(fd, write)
    world.loop.remove_reader(fd)
    world.run()
    assert came == ["write", "read", "write"]
    assert fd not in world.kernel.pollers[0].registered
    world.loop.remove_reader(fd)
    world.loop.remove_writer(fd)
    os.close(fd)


def test_a_file_has_no_readiness_and_stays_unknown(world: World, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        for add, remove in (
            (world.loop.add_reader, world.loop.remove_reader),
            (world.loop.add_writer, world.loop.remove_writer),
        ):
            with pytest.raises(PermissionError):
                add(file.fileno(), Owner().fail)
            remove(file.fileno())


def test_a_descriptor_whose_callback_fails_is_left_alone_for_a_while(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    reading, writing = pipe()
    calls: list[float] = []

    def fail() -> None:
        calls.append(world.kernel.now)
        raise ValueError

    os.write(writing, b"x")
    world.loop.add_reader(reading, fail)
    world.run(2.5 * PENALTY)
    assert calls == [1000.0, 1000.0 + PENALTY, 1000.0 + 2 * PENALTY]
    assert capfd.readouterr().err.count("internal error: ValueError") == 3
    os.close(reading)
    os.close(writing)


def test_a_reader_that_was_added_anew_meanwhile_is_the_one_that_stays(world: World) -> None:
    reading, writing = pipe()
    came: list[bytes] = []

    def fail() -> None:
        raise ValueError

    os.write(writing, b"x")
    world.loop.add_reader(reading, fail)
    world.run()
    world.loop.add_reader(reading, lambda: came.append(os.read(reading, 9)))
    world.run(2 * PENALTY)
    assert came == [b"x"]
    os.close(reading)
    os.close(writing)


def test_one_that_gave_its_descriptor_up_before_it_failed_is_not_called_again(world: World) -> None:
    reading, writing = pipe()

    def fail() -> None:
        world.loop.remove_reader(reading)
        os.close(reading)
        raise ValueError

    world.loop.add_reader(reading, fail)
    os.write(writing, b"x")
    assert world.run(5) is None
    os.close(writing)


def test_a_turn_that_fails_does_not_end_the_loop(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    turn, failures = world.loop._turn, [1, 2, 3]

    def failing() -> None:
        if failures:
            failures.pop()
            raise MemoryError
        turn()

    monkeypatch.setattr(world.loop, "_turn", failing)
    world.loop.call_at(0, lambda: world.loop.stop(0))
    assert world.run(1) == 0
    assert world.kernel.waits == [PAUSE] * 3, "it does not spin"
    assert capfd.readouterr().err.count("internal error: MemoryError") == 3


def test_signals_come_in_with_the_loop_and_not_before(world: World) -> None:
    came: list[int] = []
    world.loop.add_signal_handler(SIGTERM, lambda: came.append(SIGTERM))
    world.kernel.ring(SIGTERM)
    assert world.kernel.bell
    assert not world.kernel.bell.is_open
    world.run()
    assert came == [SIGTERM]


def test_many_signals_of_one_kind_are_one_call(world: World) -> None:
    came: list[int] = []
    for number in SIGHUP, SIGUSR1:
        world.loop.add_signal_handler(number, lambda number=number: came.append(number))  # type: ignore[misc]
    for number in SIGHUP, SIGUSR1, SIGHUP, SIGHUP:
        world.kernel.ring(number)
    world.run()
    assert sorted(came) == [SIGHUP, SIGUSR1]


def test_a_signal_handler_that_fails_does_not_keep_the_others_from_theirs(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.loop.add_signal_handler(SIGHUP, Owner().fail)
    world.loop.add_signal_handler(SIGUSR1, Owner().fail)
    world.kernel.ring(SIGHUP)
    world.kernel.ring(SIGUSR1)
    world.run()
    assert capfd.readouterr().err.count("web: internal error") == 2


def test_every_child_is_reaped_however_few_signals_say_so(world: World) -> None:
    outcomes: dict[int, int] = {}
    for pid in range(1, 301):
        world.kernel.living.add(pid)
        world.loop.add_child_handler(pid, lambda outcome, pid=pid: outcomes.update({pid: outcome}))  # type: ignore[misc]
    for pid in range(1, 301):
        world.kernel.die(pid, pid % 256 if pid % 2 else -9)
    world.run()
    assert outcomes == {pid: pid % 256 if pid % 2 else -9 for pid in range(1, 301)}
    assert world.loop.orphans == 0


def test_a_death_is_told_once_and_a_new_child_may_have_the_pid(world: World) -> None:
    came: list[int] = []
    world.kernel.living.add(7)
    world.loop.add_child_handler(7, came.append)
    world.kernel.die(7, 1)
    world.run()
    world.kernel.die(7, 2)
    world.run()
    assert came == [1]
    assert world.loop.orphans == 1


def test_what_a_child_wrote_before_it_died_is_read_before_its_death_is_told(world: World) -> None:
    reading, writing = pipe()
    came: list[object] = []
    world.kernel.living.add(7)
    world.loop.add_reader(reading, lambda: came.append(os.read(reading, 9)))
    world.loop.add_child_handler(7, came.append)

    def end() -> None:
        os.write(writing, b"last")
        world.kernel.deaths.append((7, 0))

    world.loop.add_signal_handler(SIGHUP, end)
    world.kernel.ring(SIGHUP)
    world.kernel.die(7, 3)
    world.run()
    assert came[:2] == [b"last", 3]
    os.close(reading)
    os.close(writing)


def test_a_death_whose_callback_fails_keeps_no_other_death_from_its_own(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    came: list[int] = []
    world.loop.add_child_handler(7, Owner().exited)
    world.loop.add_child_handler(8, came.append)
    world.kernel.die(7, 1)
    world.kernel.die(8, 2)
    world.run()
    assert came == [2]
    assert "web: internal error: RuntimeError: broken by 1" in capfd.readouterr().err


def test_orphans_are_counted_and_told_of(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    came: list[tuple[int, int]] = []

    def fail(pid: int, outcome: int) -> None:
        raise ValueError

    world.loop.on_orphan += [fail, lambda pid, outcome: came.append((pid, outcome))]
    world.kernel.die(7, 1)
    world.kernel.die(8, -9)
    world.run()
    assert came == [(7, 1), (8, -9)]
    assert world.loop.orphans == 2
    assert capfd.readouterr().err.count("internal error: ValueError") == 2


def test_after_a_batch_of_orphans_the_loop_takes_a_breath(world: World) -> None:
    """While it does, more of them wait; a deadline does not."""
    world.kernel.living.add(1)
    came: list[float] = []
    world.loop.call_at(1000.0 + BREATH / 2, lambda: came.append(world.kernel.now))
    for pid in range(100, 100 + BATCH):
        world.kernel.die(pid)
    world.run()
    assert world.loop.orphans == BATCH
    world.kernel.die(200)
    world.run(BREATH / 4)
    assert world.loop.orphans == BATCH, "it holds its breath"
    world.run(1)
    assert world.loop.orphans == BATCH + 1
    assert came == [pytest.approx(1000.0 + BREATH / 2)]


def test_a_fork_bomb_of_orphans_does_not_keep_descriptors_waiting(world: World) -> None:
    reading, writing = pipe()
    seen: list[int] = []

    def read() -> None:
        seen.append(world.loop.orphans)
        world.loop.remove_reader(reading)

    def write(pid: int, outcome: int) -> None:
        if pid == 1000:
            os.write(writing, b"x")

    world.kernel.living.add(1)
    for pid in range(REAPED_AT_ONCE + 10):
        world.kernel.die(1000 + pid)
    world.loop.on_orphan.append(write)
    world.loop.add_reader(reading, read)
    world.run(1)
    assert seen == [REAPED_AT_ONCE]
    assert world.loop.orphans == REAPED_AT_ONCE + 10
    os.close(reading)
    os.close(writing)


def test_deadlines_come_in_order_and_cancelled_ones_never(world: World) -> None:
    came: list[str] = []

    def note(name: str) -> Callable[[], None]:
        return lambda: came.append(f"{name} {world.kernel.now:.0f}")

    for name, when in (("b", 1020), ("a", 1010), ("never", 1015), ("c", 1020)):
        deadline = world.loop.call_at(when, note(name))
        if name == "never":
            deadline.cancel()
            deadline.cancel()
    world.run(100)
    assert came == ["a 1010", "b 1020", "c 1020"]
    assert world.kernel.waits == [10, 10], "it does not wake for one that was cancelled"


def test_a_deadline_that_makes_another_one_for_now_has_it_called_in_this_turn(world: World) -> None:
    came: list[str] = []

    def first() -> None:
        world.loop.call_at(0, lambda: came.append("second"))

    world.loop.call_at(0, first)
    world.run()
    assert came == ["second"]


def test_a_loop_with_nothing_to_do_sleeps_for_ever(world: World) -> None:
    assert world.run(10_000) is None
    assert world.kernel.waits == []


def test_each_watcher_is_called_when_a_directory_changes(world: World, tmp_path: Path) -> None:
    """SIGIO does not tell which directory it was."""
    came: list[str] = []
    directory_fd = os.open(tmp_path, os.O_RDONLY)
    watches = [
        world.loop.watch_directory(directory_fd, lambda name=name: came.append(name), NAMES_CHANGE)  # type: ignore[misc]
        for name in ("a", "b")
    ]
    world.kernel.change_directory()
    world.run()
    assert came == ["a", "b"]
    world.loop.unwatch_directory(watches[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(watches[0])
    world.kernel.change_directory()
    world.run()
    assert came == ["a", "b", "b"]
    world.loop.unwatch_directory(watches[1])
    os.close(directory_fd)


def test_the_loop_alone_catches(world: World) -> None:
    """What stops the interpreter is no error of a callback."""

    def leave() -> None:
        raise KeyboardInterrupt

    world.loop.call_at(0, leave)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert loop_module.PAUSE > 0
