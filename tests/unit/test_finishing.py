"""What follows an end: leftovers, `finish`, what that leaves. On a fake kernel, with a fake /proc."""

import os
import subprocess
from collections.abc import Callable, Iterator
from errno import EAGAIN, ENOENT
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM

import pytest
from descriptors import open_in
from kernel import FakeKernel, World, make_service
from waiting import until

from pyinit.formats import status
from pyinit.formats.control import DOWN, UP
from pyinit.services import census, finishing, leftovers, program
from pyinit.services.census import Census, Traits
from pyinit.services.leftovers import LAST_MOMENT, PAUSE, SOON
from pyinit.services.life.events import Replaced
from pyinit.services.life.moment import BACKOFF, FAILED, FINISHING, IDLE, LEFT, RUNNING
from pyinit.services.supervisor import Supervisor
from pyinit.system import files, impersonation, processes
from pyinit.system.processes import Process

US = 1
REDIRECTIONS = [(1, 5, 1)]


class FakeProc:
    """/proc of a test: processes by pid, as long as they live in its kernel, and the SERVICE_NAME of each."""

    def __init__(self, kernel: FakeKernel) -> None:
        self.kernel = kernel
        self.processes: dict[int, Process] = {}
        self.names: dict[int, bytes] = {}
        self.reads = 0
        self.is_there = True
        self.looks: list[int] = []
        self.executing: set[int] = set()
        self.foreign: set[int] = set()
        self.asked: list[list[int]] = []
        self.readers: list[int] = []
        self.errors: list[Exception] = []

    def add(self, pid: int, parent: int = US, group: int = 0, session: int = 0, name: bytes = b"") -> None:
        self.processes[pid] = Process(parent, group or pid, session or 1, began=pid * 7)
        self.names[pid] = name
        self.kernel.living.add(pid)

    def _bury(self) -> None:
        """Init adopts the children of the dead."""
        for pid in [pid for pid in self.processes if pid not in self.kernel.living]:
            del self.processes[pid]
        for process in self.processes.values():
            if process.parent not in self.kernel.living:
                process.parent = US

    def read(self) -> dict[int, Process]:
        self.reads += 1
        self._bury()
        return dict(self.processes)

    def children(self) -> set[int]:
        if not self.is_there:
            raise FileNotFoundError
        self._bury()
        return {pid for pid, process in self.processes.items() if process.parent == US}

    def descendants(self, pid: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for child, process in self.processes.items():
            if process.parent == pid:
                found |= {child: process.began, **self.descendants(child)}
        return found

    def read_environment(self, pid: int) -> bytes:
        self.looks.append(pid)
        if pid in self.executing:
            return b""
        if pid in self.foreign:
            raise PermissionError
        return b"A=B\0SERVICE_NAME=%b\0" % self.names.get(pid, b"")

    def ask_as_owners(self, name: bytes, owners: dict[int, tuple[int, int]]) -> tuple[int, int]:
        """A child of ours reads them, and ends when the test says so."""
        if self.errors:
            raise self.errors.pop()
        self.asked.append(sorted(owners))
        self.readers.append(5000 + len(self.readers))
        self.kernel.living.add(self.readers[-1])
        return self.readers[-1], -1

    def answers(self, read_fd: int) -> dict[int, bytes]:
        return {pid: self.names[pid] for pid in self.asked[-1] if self.names[pid]}


class Service:
    """A supervised service whose processes are in a fake /proc."""

    def __init__(self, world: World, proc: FakeProc, directory: Path) -> None:
        self.world, self.proc, self.directory = world, proc, directory
        self.left = False
        name = directory.name.encode()
        self.supervisor = Supervisor(world.context, name, files.open_directory(bytes(directory)), REDIRECTIONS)
        self.supervisor.open()
        self.supervisor.on_leave = self._leave

    def _leave(self) -> None:
        self.left = True

    @property
    def phase(self) -> bytes:
        return self.supervisor.state.phase

    @property
    def status(self) -> tuple[int, bool, int]:
        return status.unpack((self.directory / "supervise/status").read_bytes())[:3]

    @property
    def finish(self) -> int:
        """The pid of the last `finish`."""
        return next(start.pid for start in reversed(self.world.spawner.starts) if start.argv[0] == b"./finish")

    def end(self, outcome: int = 1) -> int:
        """Its process ends after ten seconds; the pid that it had."""
        pid = self.supervisor.pid
        self.world.run(10)
        self.die(pid, outcome)
        return pid

    def die(self, pid: int, outcome: int = 0) -> None:
        """A process ends."""
        self.world.kernel.die(pid, outcome)
        self.world.run()

    @property
    def runs(self) -> list[bytes]:
        return [start.argv[0] for start in self.world.spawner.starts]


@pytest.fixture
def proc(world: World, monkeypatch: pytest.MonkeyPatch) -> FakeProc:
    fake = FakeProc(world.kernel)
    monkeypatch.setattr(census, "children", fake.children)
    monkeypatch.setattr(census, "read_processes", fake.read)
    monkeypatch.setattr(census, "read_environment", fake.read_environment)
    monkeypatch.setattr(census, "owner", lambda pid: (pid, pid))
    monkeypatch.setattr(census, "ask_as_owners", fake.ask_as_owners)
    monkeypatch.setattr(census, "answers", fake.answers)
    monkeypatch.setattr(leftovers, "command_name", lambda pid: b"sleep")
    monkeypatch.setattr(finishing, "descendants", fake.descendants)
    monkeypatch.setattr(program, "descendants", fake.descendants)
    return fake


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "runtime")


Make = Callable[..., Service]


@pytest.fixture
def make(world: World, proc: FakeProc, tmp_path: Path) -> Iterator[Make]:
    """make(finish="...", kill_mode="mixed"): a service with these files. All are closed in the end."""
    made: list[Service] = []
    before = open_in()

    def make(name: str = "web", **says: str) -> Service:
        texts = {file.replace("_", "-").replace("--", "__"): text for file, text in says.items()}
        made.append(Service(world, proc, make_service(tmp_path, name, **texts)))
        return made[-1]

    yield make
    world.kernel.obeys = (SIGTERM,)
    world.context.end_by = 0
    for service in made:
        service.supervisor.command(b"dx")
    for pid in list(world.loop.children):
        world.kernel.kill(pid, SIGKILL)
    world.run(100)
    assert all(service.left for service in made)
    assert open_in() == before


# --- finish


@pytest.mark.parametrize(("outcome", "code", "number"), [(0, b"0", b"0"), (3, b"3", b"0"), (-9, b"256", b"9")])
def test_finish_gets_the_arguments_of_s6(make: Make, outcome: int, code: bytes, number: bytes) -> None:
    web = make(finish="")
    pid = web.end(outcome)
    start = web.world.spawner.starts[-1]
    assert start.argv == [b"./finish", code, number, b"web", b"%d" % pid]
    assert (start.name, start.changes) == ("web", {b"SERVICE_NAME": b"web"})
    assert (web.phase, web.status) == (FINISHING, (0, False, UP))
    web.die(web.finish)
    assert (web.phase, web.runs) == (RUNNING, [b"./run", b"./finish", b"./run"])


def test_finish_has_the_environment_and_the_log_of_the_service(make: Make) -> None:
    web = make(finish="", env__COLOUR="green\n")
    web.end()
    first, second = web.world.spawner.starts
    assert second.changes == first.changes == {b"SERVICE_NAME": b"web", b"COLOUR": b"green"}
    assert second.redirections == first.redirections == REDIRECTIONS


def test_an_environment_that_cannot_be_read_leaves_finish_out(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    web = make(finish="", env__COLOUR="green\n")
    (web.directory / "env").mkdir(exist_ok=True)
    (web.directory / "env/A=B").write_text("x")
    web.end()
    assert b"./finish" not in web.runs
    assert "supervise: warning: unable to start web/finish: unable to use env/A=B" in capfd.readouterr().err


def test_an_exit_of_125_is_for_good(make: Make) -> None:
    web = make(finish="")
    web.end()
    web.die(web.finish, 125)
    assert (web.phase, web.status) == (FAILED, (0, False, DOWN))
    assert web.supervisor.state.reason == b"finish exited 125"


def test_the_delay_counts_from_the_exit(make: Make) -> None:
    web = make(finish="", backoff="3s")
    web.end()
    web.world.run(2)
    web.die(web.finish)
    assert web.phase == BACKOFF
    web.world.run(0.9)
    assert web.phase == BACKOFF
    web.world.run(0.2)
    assert web.phase == RUNNING


def test_a_hanging_finish_is_killed_with_its_children(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    web = make(finish="")
    web.end()
    web.proc.add(900, parent=web.finish)
    web.proc.add(901, parent=900, session=901)
    killed = web.finish
    web.world.run(4.9)
    assert web.world.kernel.sent(killed) == []
    web.world.run(0.2)
    assert [web.world.kernel.sent(pid) for pid in (killed, 900, 901)] == [[SIGKILL]] * 3
    assert (web.phase, web.runs[-1]) == (RUNNING, b"./run")
    assert f"killed web/finish (pid {killed}): it did not end within 5.0 seconds" in capfd.readouterr().err


def test_its_time_is_what_the_directory_says(make: Make) -> None:
    web = make(finish="", timeout_finish="0")
    web.end()
    web.world.run(86400)
    assert web.phase == FINISHING
    (web.directory / "timeout-finish").write_text("250")
    web.die(web.finish)
    web.end()
    web.world.run(0.3)
    assert web.phase == RUNNING


def test_what_finish_leaves_in_its_group_is_killed_before_the_start(make: Make) -> None:
    web = make(finish="")
    web.proc.add(800, name=b"web")
    web.end()
    web.proc.add(900, group=web.finish, name=b"web")
    web.world.kernel.obeys = ()
    web.die(web.finish)
    assert web.world.kernel.sent(900) == [SIGKILL]
    assert web.world.kernel.sent(800) == [], "a daemon that is left on purpose"
    assert web.phase == RUNNING


def test_a_finish_that_cannot_be_executed_is_told_and_left_out(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    web = make(finish="")
    web.world.run(10)
    web.world.spawner.failures.append(OSError(ENOENT, ""))
    web.end()
    assert web.phase == RUNNING
    assert "warning: unable to start web/finish: file does not exist" in capfd.readouterr().err


def test_a_finish_that_cannot_be_forked_is_tried_again(make: Make) -> None:
    web = make(finish="")
    web.world.run(10)
    web.world.spawner.failures += [OSError(EAGAIN, "")] * 2
    web.end()
    assert (web.phase, b"./finish" in web.runs) == (FINISHING, False)
    web.world.run(2.1)
    web.die(web.finish)
    assert web.runs == [b"./run", b"./finish", b"./run"]


def test_it_is_tried_for_no_longer_than_it_may_take(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    web = make(finish="")
    web.world.spawner.refused.add(b"./finish")
    web.end()
    web.world.run(6)
    assert web.runs == [b"./run", b"./run"]
    assert "no time is left for web/finish" in capfd.readouterr().err


def test_an_error_of_another_kind_ends_it(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    web = make(finish="")
    web.world.spawner.failures.append(ValueError("embedded null byte"))
    web.end()
    assert web.phase == RUNNING
    assert "unable to start web/finish: ValueError('embedded null byte')" in capfd.readouterr().err


def test_finish_runs_before_the_service_leaves(make: Make) -> None:
    web = make(finish="")
    web.world.kernel.obeys = (SIGTERM,)
    web.supervisor.command(b"dx")
    web.world.run()
    assert (web.phase, web.left, web.status) == (FINISHING, False, (0, False, DOWN))
    web.die(web.finish)
    assert (web.phase, web.left) == (LEFT, True)


def test_commands_meanwhile_decide_what_follows(make: Make) -> None:
    web = make(finish="")
    web.end()
    web.supervisor.command(b"d")
    assert web.status == (0, False, DOWN)
    web.die(web.finish)
    assert web.phase == IDLE


def test_none_is_begun_when_the_time_of_everything_is_over(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    web = make(finish="", kill_mode="mixed")
    web.world.context.end_by = web.world.kernel.now + 5
    web.end()
    assert b"./finish" not in web.runs
    assert "no time is left for web/finish" in capfd.readouterr().err


# --- who belongs to a service


def found_in(proc: FakeProc, traits: Traits, *owned: int) -> set[int]:
    return Census(owned).find(traits).pids


def test_they_are_known_by_group_session_and_name(proc: FakeProc) -> None:
    proc.add(20, group=100)
    proc.add(21, session=100)
    proc.add(22, name=b"web")
    proc.add(23, name=b"other")
    proc.add(24)
    assert found_in(proc, Traits({100}, b"web")) == {20, 21, 22}
    assert found_in(proc, Traits({100})) == {20, 21}


def test_what_descends_from_one_of_them_is_one_too(proc: FakeProc) -> None:
    proc.add(20, group=100)
    proc.add(21, parent=20)
    proc.add(22, parent=21, name=b"other")
    assert found_in(proc, Traits({100}, b"web")) == {20, 21, 22}


def test_what_was_seen_to_descend_from_it_is_known_again_by_when_it_began(proc: FakeProc) -> None:
    proc.add(20)
    proc.add(21)
    assert found_in(proc, Traits((), known={20: 20 * 7, 21: 3})) == {20}


def test_children_of_others_are_never_looked_at(proc: FakeProc) -> None:
    proc.kernel.living.add(2)
    proc.add(20, group=100, name=b"web")
    proc.add(21, parent=20, name=b"web")
    proc.add(30, parent=2, name=b"web")
    assert found_in(proc, Traits({100}, b"web"), 20) == set()
    assert proc.reads == 0, "no child of ours is anybody's leftover"


def test_one_may_be_spared_but_not_what_descends_from_it(proc: FakeProc) -> None:
    proc.add(100)
    proc.add(101, parent=100)
    found = Census(()).find(Traits({100}, spared=100))
    assert (found.pids, found.roots, found.is_hidden) == ({101}, {100}, True)


def test_the_dead_are_not_counted(proc: FakeProc) -> None:
    proc.add(20, group=100)
    proc.processes[20].is_dead = True
    assert found_in(proc, Traits({100})) == set()


def test_what_is_forked_while_we_read_is_found(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that forked has ended, and was all that was known of them."""
    proc.add(20, group=100)
    read = proc.read

    def read_late() -> dict[int, Process]:
        if 20 in proc.kernel.living:
            proc.kernel.living.discard(20)
            found = read()
            proc.add(21, group=100)
            return found
        return read()

    monkeypatch.setattr(census, "read_processes", read_late)
    assert found_in(proc, Traits({100})) == {21}


def test_strangers_that_come_and_come_do_not_keep_the_search(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> dict[int, Process]:
        proc.add(20 + len(proc.processes))
        return proc.read()

    proc.add(20)
    monkeypatch.setattr(census, "read_processes", read)
    assert found_in(proc, Traits({100})) == set()
    assert proc.reads == census.READS


def test_one_that_ends_meanwhile_is_passed_over(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.add(20, group=100)
    monkeypatch.setattr(census, "read_processes", dict)
    assert found_in(proc, Traits({100})) == set()


def test_without_proc_there_are_none(proc: FakeProc) -> None:
    proc.add(20, group=100)
    proc.is_there = False
    assert found_in(proc, Traits({100})) == set()


# --- kill-mode


@pytest.mark.parametrize("mode", ["mixed", "group"])
def test_leftovers_are_asked_once_each_and_the_start_waits_for_them(make: Make, mode: str) -> None:
    web = make(kill_mode=mode)
    web.proc.add(800, group=web.supervisor.pid)
    web.proc.add(801, name=b"web")
    web.proc.add(700, name=b"other")
    web.end()
    sent = web.world.kernel.sent
    assert (sent(800), sent(801), sent(700)) == ([SIGTERM, SIGCONT], [SIGTERM, SIGCONT], [])
    assert (web.phase, web.status) == (FINISHING, (0, False, UP))
    web.die(800)
    assert (web.phase, web.proc.reads) == (FINISHING, 1)
    web.die(801)
    assert (web.phase, web.proc.reads) == (RUNNING, 2)
    assert sent(700) == []
    assert web.world.loop.on_orphan == []


def test_the_process_alone_is_stopped_where_nothing_is_said(make: Make) -> None:
    web = make(success="0")
    web.proc.add(800, group=web.supervisor.pid, name=b"web")
    web.end()
    assert (web.phase, web.world.kernel.kills, web.proc.reads) == (RUNNING, [], 0)


def test_with_nothing_left_the_start_comes_at_once(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.end()
    assert (web.phase, web.runs) == (RUNNING, [b"./run"] * 2)


@pytest.mark.parametrize(("limit", "seconds"), [("", 10.0), ("2500", 2.5)])
def test_they_are_killed_when_their_time_is_over(
    make: Make, limit: str, seconds: float, capfd: pytest.CaptureFixture[str]
) -> None:
    web = make(kill_mode="mixed", **({"timeout_kill": limit} if limit else {}))
    web.proc.add(800, name=b"web")
    web.end()
    web.world.run(seconds - 0.1)
    assert (web.phase, web.world.kernel.sent(800)) == (FINISHING, [SIGTERM, SIGCONT])
    web.world.run(0.2)
    assert (web.phase, web.world.kernel.sent(800)) == (RUNNING, [SIGTERM, SIGCONT, SIGKILL])
    text = f"killed process sleep (pid 800) that web left: it did not end within {seconds} seconds"
    assert text in capfd.readouterr().err
    assert web.world.context.strays_killed == 1


def test_a_limit_of_nothing_waits_for_ever_and_wakes_nobody(make: Make) -> None:
    web = make(kill_mode="mixed", timeout_kill="0")
    web.proc.add(800, name=b"web")
    web.end()
    web.world.kernel.waits.clear()
    web.world.run(1e6)
    assert (web.phase, web.world.kernel.waits) == (FINISHING, [])
    web.die(800)
    assert web.phase == RUNNING


def test_what_they_start_meanwhile_is_asked_too_and_killed(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.proc.add(800, name=b"web")
    web.end()
    web.proc.add(801, name=b"web")
    web.die(800)
    assert (web.phase, web.world.kernel.sent(801)) == (FINISHING, [SIGTERM, SIGCONT])
    web.world.kernel.obeys = ()
    web.world.run(10)
    assert (web.phase, web.world.kernel.sent(801)) == (RUNNING, [SIGTERM, SIGCONT, SIGKILL])


def test_one_below_a_stranger_is_looked_for_each_second(make: Make) -> None:
    """A stranger would reap it, and nobody would tell us."""
    web = make(kill_mode="mixed")
    web.proc.add(700)
    web.proc.add(800, parent=700, name=b"web")
    web.end()
    assert web.phase == FINISHING
    web.world.kernel.living.discard(800)
    web.world.run(PAUSE - 0.1)
    assert web.phase == FINISHING
    web.world.run(0.2)
    assert (web.phase, web.world.kernel.sent(700)) == (RUNNING, [])


def test_what_even_kill_does_not_end_is_left_to_the_kernel(
    make: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    web = make(kill_mode="mixed")
    web.proc.add(800, name=b"web")
    web.end()
    with monkeypatch.context() as patch:
        patch.setattr(web.world.kernel, "kill", lambda pid, number: None)
        web.world.run(10 + LAST_MOMENT - 0.1)
        assert web.phase == FINISHING
        web.world.run(0.2)
    assert web.phase == RUNNING
    assert "unable to kill what web left: pid 800" in capfd.readouterr().err


def test_one_that_forks_and_ends_again_and_again_does_not_keep_the_loop(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.proc.add(800, name=b"web")
    web.end()
    for pid in range(800, 800 + SOON):
        web.proc.add(pid + 1, name=b"web")
        web.die(pid)
    before = web.proc.reads
    web.world.run(0.005)
    assert web.proc.reads == before
    web.world.run(0.01)
    assert web.proc.reads == before + 1
    web.die(800 + SOON)
    web.world.run(0.02)
    assert web.phase == RUNNING


def test_descendants_are_listed_before_a_signal_that_ends_it(make: Make) -> None:
    """They may have a session of their own and no environment: after the end nothing would tell whose they are."""
    web = make(kill_mode="mixed")
    web.proc.add(800, parent=web.supervisor.pid)
    web.world.run(10)
    web.supervisor.command(b"hc")
    web.supervisor.command(b"ttd")
    web.end(-SIGTERM)
    assert (web.phase, web.world.kernel.sent(800)) == (FINISHING, [SIGTERM, SIGCONT])
    web.die(800)
    assert web.phase == IDLE


def test_those_of_another_run_are_forgotten(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.proc.add(800, parent=web.supervisor.pid)
    web.supervisor.command(b"t")
    web.end(-SIGTERM)
    web.die(800)
    web.proc.add(800)
    web.end()
    assert web.phase == RUNNING


def test_finish_comes_after_the_leftovers_and_what_it_leaves_is_killed(make: Make) -> None:
    web = make(kill_mode="mixed", finish="")
    web.proc.add(800, name=b"web")
    web.end()
    assert b"./finish" not in web.runs
    web.die(800)
    assert web.runs[-1] == b"./finish"
    web.proc.add(900, name=b"web", session=900)
    web.die(web.finish)
    assert web.world.kernel.sent(900) == [SIGKILL]
    assert web.runs == [b"./run", b"./finish", b"./run"]


def test_a_name_that_everybody_inherits_tells_nothing(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.world.spawner.environment[b"SERVICE_NAME"] = b"web"
    web.proc.add(800, name=b"web")
    web.end()
    assert (web.phase, web.world.kernel.sent(800)) == (RUNNING, [])


def test_one_that_leads_no_group_gets_the_signal_alone(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has taken the place of the process that does (MAINPID)."""
    web = make(kill_mode="group")
    web.proc.add(800, parent=web.supervisor.pid)
    web.supervisor.handle(Replaced(800))
    sent: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        sent.append((pid, number))
        if pid < 0:
            raise ProcessLookupError

    with monkeypatch.context() as patch:
        patch.setattr(web.world.kernel, "kill", kill)
        web.supervisor.command(b"t")
    assert sent == [(-800, SIGTERM), (800, SIGTERM)]


def test_the_former_process_is_no_leftover(make: Make) -> None:
    """Another one has taken its place (MAINPID)."""
    web = make(kill_mode="group")
    former = web.supervisor.pid
    web.proc.add(800, parent=former, group=former)
    web.supervisor.handle(Replaced(800))
    web.proc.add(former)
    web.end()
    assert (web.phase, web.world.kernel.sent(former)) == (RUNNING, [])


def test_finish_gets_the_group_of_the_former_process(make: Make) -> None:
    web = make(finish="")
    former = web.supervisor.pid
    web.world.kernel.living.add(800)
    web.supervisor.handle(Replaced(800))
    web.end(0)
    assert web.world.spawner.starts[-1].argv == [b"./finish", b"0", b"0", b"web", b"%d" % former]


def test_at_the_end_of_everything_leftovers_get_what_is_left(make: Make) -> None:
    web = make(kill_mode="mixed", finish="")
    web.world.context.end_by = web.world.kernel.now + 13
    web.proc.add(800, name=b"web")
    web.supervisor.command(b"dx")
    web.end(-SIGTERM)
    web.world.run(3.1)
    assert web.world.kernel.sent(800) == [SIGTERM, SIGCONT, SIGKILL]
    assert web.left


def test_trouble_with_it_does_not_keep_the_service(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    web = make(kill_mode="mixed")

    def fail(owned: object) -> set[int]:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(leftovers, "adopted", fail)
        web.end()
    assert web.phase == RUNNING


def test_all_that_end_in_one_turn_share_one_look(make: Make, world: World, proc: FakeProc) -> None:
    services = [make(f"s{number}", kill_mode="mixed").supervisor for number in range(20)]
    for number, service in enumerate(services):
        proc.add(700 + number, name=service.name)
    world.run(10)
    for service in services:
        world.kernel.die(service.pid, 0)
    world.run()
    assert proc.reads == 1
    assert all(world.kernel.sent(700 + number) == [SIGTERM, SIGCONT] for number in range(20))
    for number in range(20):
        world.kernel.die(700 + number)
    world.run()
    assert proc.reads <= 2
    assert all(service.pid for service in services)


def test_one_that_is_being_executed_is_looked_at_again(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.proc.add(800, name=b"web")
    web.proc.executing.add(800)
    web.end()
    assert (web.phase, web.world.kernel.sent(800)) == (FINISHING, [])
    web.proc.executing.clear()
    web.world.run(census.BREATH * 2)
    assert web.world.kernel.sent(800) == [SIGTERM, SIGCONT]


def test_one_that_has_no_environment_is_remembered(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.proc.add(700)
    web.proc.executing.add(700)
    web.end()
    assert web.phase == FINISHING
    web.world.run(census.BREATH * (census.TRIES + 1))
    assert (web.phase, len(web.proc.looks)) == (RUNNING, census.TRIES + 1)
    web.end()
    assert (web.phase, len(web.proc.looks)) == (RUNNING, census.TRIES + 1)


def test_those_of_other_users_are_read_by_a_child_and_remembered(make: Make) -> None:
    """A container's root may not read the environment of another user's process."""
    web = make(kill_mode="mixed")
    web.proc.foreign |= {700, 800}
    web.proc.add(700, name=b"other")
    web.proc.add(800, name=b"web")
    web.end()
    assert (web.phase, web.proc.asked, web.world.kernel.kills) == (FINISHING, [[700, 800]], [])
    web.die(web.proc.readers[0])
    assert (web.world.kernel.sent(700), web.world.kernel.sent(800)) == ([], [SIGTERM, SIGCONT])
    web.die(800)
    assert (web.phase, len(web.proc.asked)) == (RUNNING, 1)


def test_who_asks_meanwhile_gets_a_later_look(make: Make) -> None:
    first, second = make("first", kill_mode="mixed"), make("second", kill_mode="mixed")
    first.proc.foreign.add(700)
    first.proc.add(700, name=b"other")
    first.end()
    first.proc.add(800, name=b"second")
    second.end()
    assert second.phase == FINISHING
    first.die(first.proc.readers[0])
    assert first.world.kernel.sent(800) == [SIGTERM, SIGCONT]
    assert first.phase == RUNNING


def test_a_child_that_hangs_is_killed_and_one_that_cannot_be_forked_is_done_without(make: Make) -> None:
    web = make(kill_mode="mixed")
    web.proc.foreign.add(700)
    web.proc.add(700)
    web.end()
    web.world.run(census.LONGEST + 0.1)
    assert web.world.kernel.sent(web.proc.readers[0]) == [SIGKILL]
    assert web.phase == RUNNING
    web.proc.foreign.add(701)
    web.proc.add(701)
    web.proc.errors.append(OSError(EAGAIN, ""))
    web.end()
    assert web.phase == RUNNING
    web.end()
    assert web.proc.asked == [[700], [701]], "it is asked about the next time"


@pytest.mark.parametrize("error", [PermissionError, FileNotFoundError])
def test_one_that_is_gone_is_passed_over(proc: FakeProc, error: type[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(pid: int) -> tuple[int, int]:
        raise FileNotFoundError

    def refuse(pid: int) -> bytes:
        raise error

    proc.add(20)
    monkeypatch.setattr(census, "owner", fail)
    monkeypatch.setattr(census, "read_environment", refuse)
    look = Census(())
    assert (look.names, look.unread, look.unsure) == ({}, {}, set())


# --- what /proc says


@pytest.mark.parametrize("has_children_files", [True, False])
def test_descendants_are_all_below_a_process(
    has_children_files: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not has_children_files:
        monkeypatch.setattr(processes, "OWN_CHILDREN", b"/proc/self/nothing")
    script = "sleep 60 & sh -c 'sleep 60 & echo; wait' & wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as shell:
        try:
            assert shell.stdout
            shell.stdout.readline()
            found = until(lambda: len(below := processes.descendants(shell.pid)) == 3 and below, "three of them")
            assert all(processes.read_processes()[pid].began == began > 0 for pid, began in found.items())
            assert not processes.read_processes()[shell.pid].is_dead
        finally:
            os.killpg(shell.pid, SIGKILL)


def test_the_dead_have_no_descendants(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes.descendants(1 << 30) == {}

    def fail() -> None:
        raise FileNotFoundError

    monkeypatch.setattr(processes, "OWN_CHILDREN", b"/proc/self/nothing")
    monkeypatch.setattr(processes, "read_processes", fail)
    assert processes.descendants(os.getpid()) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_a_child_reads_the_environments_of_other_users() -> None:
    with subprocess.Popen(["sleep", "60"], user=65534, group=65534, env={"NAME": "web"}) as sleep:
        try:
            until(lambda: processes.variable(sleep.pid, b"NAME"), "the program to be executed")
            owners = {pid: impersonation.owner(pid) for pid in (sleep.pid, os.getpid())}
            assert owners[sleep.pid] == (65534, 65534)
            child, read_fd = impersonation.ask_as_owners(b"NAME", {**owners, 1 << 30: (65534, 65534)})
            assert os.waitpid(child, 0)[1] == 0
            assert impersonation.answers(read_fd) == {sleep.pid: b"web"}
        finally:
            sleep.kill()


def test_only_root_can_take_on_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_in()
    monkeypatch.setattr("posix.geteuid", lambda: 1000)
    with pytest.raises(PermissionError):
        impersonation.ask_as_owners(b"NAME", {1: (0, 0)})
    monkeypatch.setattr("posix.geteuid", lambda: 0)

    def fail(*arguments: object) -> int:
        raise OSError(EAGAIN, "")

    monkeypatch.setattr(impersonation, "fork", fail)
    with pytest.raises(OSError, match=r"^\[Errno"):
        impersonation.ask_as_owners(b"NAME", {1: (0, 0)})
    assert open_in() == before
    assert impersonation.answers(os.open("/", os.O_PATH)) == {}
