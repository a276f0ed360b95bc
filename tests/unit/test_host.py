"""What a scan starts is told of behind the last start, and before anything else that the loop has to do."""

from pyinit.services.context import TOLD_AT_ONCE, Host


class Loop:
    """Notes what is to come, and lets a test say when."""

    def __init__(self) -> None:
        self.due = []

    def at(self, when, callback):
        self.due.append(callback)

    def guard(self, callback, *arguments):
        callback(*arguments)


class Supervisor:
    name = b"web"

    def __init__(self, loop: Loop, failures: int = 0) -> None:
        self.told_behind = None
        self.hears = False
        self._loop = loop
        self._failures = failures

    def announce(self) -> None:
        self.told_behind = list(self._loop.due)

    def hear(self) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise OSError(24, "Too many open files")
        self.hears = True


def test_a_scan_tells_of_what_it_started_before_the_loop_turns(monkeypatch):
    loop = Loop()
    monkeypatch.setattr("posix.sched_yield", lambda: loop.due.append("gave way"))
    host = Host(loop, spawner=None)
    loop.at(0, "a logging process to be started")
    few = [Supervisor(loop) for _ in range(TOLD_AT_ONCE)]
    host.start_crowd()
    for supervisor in few:
        host.started()
        host.tell(supervisor)
    assert [supervisor.told_behind for supervisor in few] == [None] * TOLD_AT_ONCE
    host.crowd_started()
    assert all(supervisor.told_behind == ["a logging process to be started", "gave way"] for supervisor in few)
    assert not host.is_behind


def test_the_rest_of_a_crowd_is_told_of_a_turn_at_a_time():
    loop = Loop()
    host = Host(loop, spawner=None)
    crowd = [Supervisor(loop) for _ in range(2 * TOLD_AT_ONCE + 1)]
    host.start_crowd()
    for supervisor in crowd:
        host.tell(supervisor)
    host.crowd_started()
    for told in TOLD_AT_ONCE, 2 * TOLD_AT_ONCE:
        assert sum(supervisor.told_behind is not None for supervisor in crowd) == told
        assert host.is_behind
        loop.due.pop()()
    assert all(supervisor.told_behind is not None for supervisor in crowd)
    assert not host.is_behind


def test_a_crowd_takes_commands_when_all_of_it_has_been_started():
    loop = Loop()
    host = Host(loop, spawner=None)
    crowd = [Supervisor(loop) for _ in range(TOLD_AT_ONCE + 1)]
    host.start_crowd()
    for supervisor in crowd:
        host.tell(supervisor)
    assert not any(supervisor.hears for supervisor in crowd)
    host.crowd_started()
    loop.due.pop()()
    assert all(supervisor.hears for supervisor in crowd)


def test_without_room_to_take_commands_it_is_said_once_and_tried_until_there_is(capfd):
    loop = Loop()
    host = Host(loop, spawner=None)
    web = Supervisor(loop, failures=3)
    host.start_crowd()
    host.tell(web)
    host.crowd_started()
    for _ in range(3):
        assert not web.hears
        loop.due.pop()()
    assert web.hears
    assert not loop.due
    told = "supervise: warning: unable to read web/supervise/control: process cannot open more files\n"
    assert capfd.readouterr().err == told
