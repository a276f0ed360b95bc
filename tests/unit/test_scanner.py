"""The set of services, kept in step with a directory, on a fake kernel. The directory is real, its changes are sent."""

import os
import shutil
from collections.abc import Callable, Iterator
from errno import EMFILE
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGTERM

import pytest
from descriptors import open_in
from kernel import World, make_service

from pyinit.services.life.policy import Policy
from pyinit.services.pair import DESCRIPTORS_EACH, LoggingPolicy, Pair
from pyinit.services.scanner import RESCAN, SETTLE, Scanner
from pyinit.system import mounts


class Scanned:
    """A scanner, the directory that it follows, and the world that both are in."""

    def __init__(self, top: Path, world: World) -> None:
        self.world = world
        self.top = top / "service"
        self.top.mkdir(exist_ok=True)
        self.scanner = Scanner(world.context, LoggingPolicy.of_daemontools(), bytes(self.top))

    def open(self) -> "Scanned":
        self.scanner.open()
        return self

    def change(self, seconds: float = 1.0) -> None:
        """The kernel tells of a change; the scan follows."""
        self.world.kernel.change_directory()
        self.world.run(seconds)

    @property
    def names(self) -> list[str]:
        """The services that are known."""
        return sorted(pair.name.decode() for pair in self.scanner.pairs.values())

    @property
    def up(self) -> list[str]:
        """The services that run."""
        return sorted(pair.name.decode() for pair in self.scanner.pairs.values() if pair.service and pair.service.pid)

    def pair(self, name: str = "web") -> Pair:
        return next(pair for pair in self.scanner.pairs.values() if pair.name == name.encode())

    def pid(self, name: str = "web") -> int:
        service = self.pair(name).service
        assert service
        return service.pid

    def close(self) -> None:
        self.scanner.stop(0.0, 0.0)
        self.world.kernel.obeys = (SIGTERM,)
        for pid in list(self.world.kernel.living):
            self.world.kernel.die(pid, 0)
            self.world.run()


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the file system tells of changes: a list that a test may change."""
    answer = [True]
    monkeypatch.setattr(mounts, "tells_changes", lambda fd: answer[0])
    return answer


@pytest.fixture(params=[False, True], ids=["classical", "pyinit"])
def scanned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scanned]:
    scanned = Scanned(tmp_path, World(tmp_path / "runtime" if request.param else None))
    yield scanned
    scanned.close()


def test_every_directory_in_it_is_a_service(scanned: Scanned, tmp_path: Path) -> None:
    make_service(scanned.top, "web")
    make_service(scanned.top, ".hidden")
    make_service(tmp_path, "elsewhere")
    (scanned.top / "linked").symlink_to(tmp_path / "elsewhere")
    (scanned.top / "file").write_text("")
    scanned.open()
    assert scanned.names == scanned.up == ["linked", "web"]


def test_it_allows_itself_descriptors_for_all_of_them(scanned: Scanned) -> None:
    for number in range(10):
        make_service(scanned.top, f"s{number}")
    scanned.open()
    assert scanned.world.spawner.allowed == [10 * DESCRIPTORS_EACH]


def test_nothing_is_scanned_while_nothing_changes(scanned: Scanned) -> None:
    make_service(scanned.top, "web")
    scanned.open()
    scanned.world.run(3600)
    assert scanned.world.kernel.waits == []


def test_a_new_directory_is_taken_up_soon_after_it_came(scanned: Scanned) -> None:
    scanned.open()
    make_service(scanned.top, "web")
    scanned.change(SETTLE / 2)
    assert scanned.names == []
    scanned.world.run(SETTLE)
    assert scanned.up == ["web"]


def test_a_burst_of_changes_is_one_scan(scanned: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned.open()
    scans: list[float] = []
    scan = scanned.scanner._scan_names

    def note(said: dict[bytes, bytes]) -> bool:
        scans.append(scanned.world.kernel.now)
        return scan(said)

    monkeypatch.setattr(scanned.scanner, "_scan_names", note)
    for _ in range(5):
        scanned.change(SETTLE / 10)
    scanned.world.run(10)
    assert len(scans) == 1


@pytest.mark.parametrize("tells", [True, False])
def test_where_no_event_tells_it_looks_every_five_seconds(scanned: Scanned, told: list[bool], tells: bool) -> None:
    told[0] = tells
    scanned.open()
    scanned.world.run(3.2 * RESCAN)
    assert scanned.world.kernel.waits == ([] if tells else [RESCAN] * 3)


def test_a_service_keeps_running_under_another_name(scanned: Scanned) -> None:
    make_service(scanned.top, "web")
    scanned.open()
    pid = scanned.pid()
    (scanned.top / "web").rename(scanned.top / "www")
    scanned.change()
    assert list(scanned.world.kernel.living) == [pid]
    assert len(scanned.scanner.pairs) == 1


def test_two_names_of_one_directory_are_one_service(scanned: Scanned) -> None:
    make_service(scanned.top, "web")
    (scanned.top / "again").symlink_to("web")
    scanned.open()
    assert len(scanned.world.spawner.starts) == 1


def test_a_supervisor_that_left_is_taken_up_at_the_next_look(scanned: Scanned) -> None:
    """The phase `left` is over; five seconds later another one begins."""
    make_service(scanned.top, "web")
    scanned.open()
    scanned.world.run(5)
    first = scanned.pid()
    service = scanned.pair().service
    assert service
    service.command(b"x")
    scanned.world.kernel.die(first, 0)
    scanned.world.run(RESCAN - 1)
    assert scanned.up == []
    scanned.world.run(1.1)
    assert scanned.up == ["web"]


def test_a_service_that_was_removed_is_left_alone_while_it_runs(scanned: Scanned, tmp_path: Path) -> None:
    make_service(scanned.top, "web")
    scanned.open()
    (scanned.top / "web").rename(tmp_path / "gone")
    scanned.change()
    assert scanned.up == ["web"]
    service = scanned.pair().service
    assert service
    service.command(b"dx")
    scanned.world.kernel.die(service.pid, 0)
    scanned.world.run(1)
    assert scanned.names == []


def test_a_directory_that_was_deleted_retires_its_service(scanned: Scanned) -> None:
    make_service(scanned.top, "web", down="")
    before = open_in()
    scanned.open()
    shutil.rmtree(scanned.top / "web")
    scanned.change()
    scanned.world.run(1)
    assert scanned.names == []
    assert open_in() == before + 2, "the directory and its watch"


def test_a_logger_of_a_removed_service_reads_to_the_end(tmp_path: Path) -> None:
    scanned = Scanned(tmp_path, World())
    make_service(scanned.top, "web", log__run="")
    scanned.open()
    service, log = scanned.pair().service, scanned.pair().log
    assert service
    assert log
    (scanned.top / "web").rename(tmp_path / "gone")
    scanned.change()
    service.command(b"dx")
    log.command(b"x")
    scanned.world.kernel.die(service.pid, 0)
    scanned.world.run(1)
    assert scanned.names == ["web"], "the logger still runs"
    scanned.world.kernel.die(log.pid, 0)
    scanned.world.run(1)
    assert scanned.names == []
    assert list(scanned.scanner.everything()) == []
    scanned.close()


def test_a_directory_that_cannot_be_taken_up_is_tried_again_and_told_once(
    scanned: Scanned, capfd: pytest.CaptureFixture[str]
) -> None:
    """The C programs tell it at each scan."""
    web = make_service(scanned.top, "web")
    (web / "supervise").mkdir()
    (web / "supervise/lock").mkdir()
    make_service(scanned.top, "other")
    scanned.open()
    assert scanned.up == ["other"]
    scanned.world.run(2.5 * RESCAN)
    said = "supervise: fatal: unable to acquire web/supervise/lock: is a directory"
    assert capfd.readouterr().err.splitlines() == [said] * (3 if scanned.world.context.is_classical else 1)
    (web / "supervise/lock").rmdir()
    scanned.world.run(RESCAN)
    assert scanned.up == ["other", "web"]


def test_a_name_that_leads_nowhere_is_said(scanned: Scanned, capfd: pytest.CaptureFixture[str]) -> None:
    (scanned.top / "web").symlink_to("nowhere")
    scanned.open()
    assert capfd.readouterr().err == "svscan: warning: unable to stat web: file does not exist\n"


def test_without_descriptors_for_a_pipe_the_service_waits(
    scanned: Scanned, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    make_service(scanned.top, "web", log__run="")

    def refuse() -> None:
        raise OSError(EMFILE, "")

    monkeypatch.setattr("pyinit.services.pair.make_pipe", refuse)
    scanned.open()
    pipe, *room = capfd.readouterr().err.splitlines()
    assert pipe == "svscan: warning: unable to create pipe for web: process cannot open more files"
    fits = [] if scanned.world.context.is_classical else ["svscan: warning: 0 of 1 services fit"]
    assert [line.partition(":")[0] + ":" + line.partition(":")[2].partition(": the limit")[0] for line in room] == fits
    assert scanned.scanner.untaken == {b"web"}
    monkeypatch.undo()
    monkeypatch.setattr(mounts, "tells_changes", lambda fd: True)
    scanned.world.run(1.1 * RESCAN)
    assert scanned.up == ["web"]


def test_an_error_of_ours_at_one_service_does_not_keep_the_others_from_starting(
    scanned: Scanned, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    make_service(scanned.top, "bad")
    make_service(scanned.top, "good")
    start = Pair.start

    def fail(pair: Pair, parent_fd: int, name: bytes, expect: Callable[[bytes, Policy], int] | None = None) -> None:
        if name == b"bad":
            raise RuntimeError("broken")
        start(pair, parent_fd, name, expect)

    monkeypatch.setattr(Pair, "start", fail)
    scanned.open()
    assert scanned.up == ["good"]
    assert "test: warning: bad: internal error: RuntimeError: broken" in capfd.readouterr().err
    monkeypatch.undo()


def test_another_directory_at_the_path_is_followed(scanned: Scanned, tmp_path: Path, told: list[bool]) -> None:
    told[0] = False
    make_service(scanned.top, "web")
    scanned.open()
    before = open_in()
    scanned.top.rename(tmp_path / "old")
    scanned.top.mkdir()
    make_service(scanned.top, "new")
    scanned.world.run(1.1 * RESCAN)
    assert scanned.up == ["new", "web"], "one that is no longer listed goes on"
    assert open_in() == before + 5, "those of the new service"


def test_a_path_where_nothing_is_any_more_forgets_nothing(
    scanned: Scanned, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_service(scanned.top, "web")
    scanned.open()
    scanned.top.rename(tmp_path / "old")
    scanned.scanner.scan()
    assert scanned.up == ["web"]
    assert capfd.readouterr().err == "svscan: warning: unable to read directory: file does not exist\n"


def test_a_directory_that_cannot_be_opened_is_an_error_of_the_caller(tmp_path: Path) -> None:
    scanner = Scanner(World().context, LoggingPolicy.of_daemontools(), bytes(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        scanner.open()


def test_a_stop_asks_everybody_and_takes_up_nothing_more(scanned: Scanned) -> None:
    make_service(scanned.top, "web")
    make_service(scanned.top, "idle", down="")
    scanned.open()
    pid = scanned.pid()
    scanned.scanner.stop(0.0, 0.0)
    assert scanned.world.kernel.kills == [(pid, SIGTERM), (pid, SIGCONT)]
    make_service(scanned.top, "late")
    scanned.change(10)
    scanned.scanner.scan()
    assert scanned.up == ["web"]
    scanned.world.kernel.die(pid, 0)
    scanned.world.run(10)
    assert scanned.up == []


def test_a_signal_goes_to_the_service_of_that_name(scanned: Scanned) -> None:
    make_service(scanned.top, "web")
    make_service(scanned.top, "idle", down="")
    scanned.open()
    for name in b"web", b"idle", b"nobody":
        scanned.scanner.signal(name, SIGHUP)
    assert scanned.world.kernel.kills == [(scanned.pid(), SIGHUP)]


def test_subscribers_hear_of_each_change_of_a_pair(scanned: Scanned) -> None:
    make_service(scanned.top, "web")
    scanned.open()
    heard: list[Pair] = []
    scanned.scanner.subscribe(heard.append)
    service = scanned.pair().service
    assert service
    service.command(b"d")
    assert heard == [scanned.pair()]
    scanned.world.kernel.die(service.pid, 0)
    scanned.world.run()
    assert heard == [scanned.pair()] * 2


def test_subscribers_hear_of_a_service_that_a_later_scan_takes_up(scanned: Scanned) -> None:
    """The first scan refuses it: readiness waits for it, and would wait for ever."""
    make_service(scanned.top, "web")
    blocker = scanned.top / "web/supervise"
    blocker.write_text("a file, where a directory should be")
    scanned.open()
    heard: list[str] = []
    scanned.scanner.subscribe(lambda pair: heard.append(pair.name.decode()))
    blocker.unlink()
    scanned.change(RESCAN + 1)
    assert scanned.up == ["web"]
    assert "web" in heard


def test_many_that_die_at_once_are_all_restarted(scanned: Scanned) -> None:
    for number in range(200):
        make_service(scanned.top, f"s{number}")
    scanned.open()
    scanned.world.run(5)
    first = list(scanned.world.kernel.living)
    for pid in first:
        scanned.world.kernel.die(pid, -9)
    scanned.world.run()
    assert len(scanned.up) == 200
    assert not scanned.world.kernel.living & set(first)


def test_a_name_in_any_bytes_is_a_service(scanned: Scanned) -> None:
    os.mkdir(bytes(scanned.top) + b"/\xff")
    scanned.open()
    assert [pair.name for pair in scanned.scanner.pairs.values()] == [b"\xff"]
