"""What a scan starts is told of behind the last start, and before anything else that the loop has to do."""

from pyinit.services.host import TOLD_AT_ONCE, Host


class Loop:
    """Notes what is to come, and lets a test say when."""

    def __init__(self) -> None:
        self.due = []

    def at(self, when, callback):
        self.due.append(callback)

    def guard(self, callback):
        callback()


class Supervisor:
    def __init__(self, loop: Loop) -> None:
        self.told_behind = None
        self._loop = loop

    def announce(self) -> None:
        self.told_behind = list(self._loop.due)


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
