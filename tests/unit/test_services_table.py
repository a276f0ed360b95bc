"""The file `services`: what is in it, byte by byte; and when PID 1 replaces it, on a fake kernel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel import World, make_service

from pyinit.formats import services
from pyinit.formats.services import COLUMNS, KEYS, ServiceRow, TableHeader, unpack
from pyinit.services.pair import LoggingPolicy
from pyinit.services.scanner import Scanner
from pyinit.services.table import PAUSE, SOON, ServicesTable
from pyinit.system import files, mounts
from pyinit.system.memory import OutOfMemory

NAMES = st.binary(max_size=12)
TIMES = st.none() | st.integers(0, 1 << 62)
COUNTS = st.integers(0, 1 << 40)
VALUES = {
    services.WORD: NAMES,
    services.NAMES: st.lists(NAMES.filter(bool), max_size=3).map(tuple),
    services.TIME: TIMES,
    services.NUMBER: COUNTS,
    services.SECONDS: st.integers(0, 10**9).map(lambda number: number / 1000),
    services.FLAG: st.booleans(),
}


def values(row: ServiceRow | TableHeader) -> dict[str, object]:
    return {field: getattr(row, field) for field in row.__slots__}


def pack(header: TableHeader, *rows: ServiceRow) -> bytes:
    return services.pack_header(header) + b"".join(map(services.pack_row, rows))


@given(st.fixed_dictionaries({column: VALUES[kind] for column, kind in COLUMNS.items()}))
def test_a_row_comes_back_as_it_was(said: dict[str, object]) -> None:
    row = ServiceRow()
    for column, value in said.items():
        setattr(row, column, value)
    line = services.pack_row(row)
    assert line.count(b" ") == len(COLUMNS) - 1
    assert line.count(b"\n") == 1
    assert [values(found) for found in unpack(pack(TableHeader(), row))[1]] == [said]


def test_a_header_comes_back_as_it_was() -> None:
    header = TableHeader(b"1.2", 5_000_000_007, 8.5)
    header.ready_seconds = 0.125
    header.orphans_reaped, header.strays_killed, header.oom_kills = 3, 2, 1
    first = services.pack_header(header)
    assert first.startswith(
        b"schema=1 version=1.2 state=starting since=5.000000007 ready_seconds=0.125 orphans_reaped=3 "
    )
    assert values(unpack(first)[0]) == values(header)
    assert list(KEYS) == list(TableHeader.__slots__)


def test_odd_names_are_one_field() -> None:
    line = services.pack_row(ServiceRow(b"a b,c\xff\\"))
    assert line.endswith(b" a\\x20b\\x2cc\\xff\\\\\n")
    assert services.pack_row(ServiceRow(b"-")).endswith(b" \\x2d\n")


def test_columns_and_keys_that_are_new_are_left_out() -> None:
    content = pack(TableHeader(), ServiceRow(b"web"))
    content = content.replace(b"stop_timeout=", b"mood=good stop_timeout=").replace(b",name\n", b",colour,name\n")
    header, rows = unpack(content.replace(b" web\n", b" red web\n"))
    assert header.stop_timeout == 0
    assert [(row.name, row.state) for row in rows] == [(b"web", b"down")]


@pytest.mark.parametrize("content", [b"", b"lines_in name\n", b"schema=2 columns=name\n", b"schema=1 columns=name,x\n"])
def test_anything_else_is_no_table(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a table of services$"):
        unpack(content)


def test_a_malformed_line_is_passed_over() -> None:
    content = pack(TableHeader(), ServiceRow(b"web"), ServiceRow(b"db")).replace(b" web", b"")
    assert [row.name for row in unpack(content)[1]] == [b"db"]


def test_the_page_names_each_column_and_key_in_order() -> None:
    page = Path("docs/formats.md").read_text().partition("## Table of services")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert listed == [*KEYS, "columns", *COLUMNS]


def test_the_pages_awk_prints_the_services_that_are_down(tmp_path: Path) -> None:
    page = Path("docs/formats.md").read_text()
    (script,) = re.findall(r"^    (awk .*)/run/pyinit/services$", page, re.MULTILINE)
    failed = ServiceRow(b"a b", b"failed")
    content = pack(TableHeader(), ServiceRow(b"web", b"up"), failed, ServiceRow(b"db", b"backoff"))
    (tmp_path / "services").write_bytes(content)
    done = subprocess.run(["sh", "-c", f"{script}{tmp_path}/services"], capture_output=True, check=True)
    assert done.stdout == b"failed a\\x20b\nbackoff db\n"


class Container:
    """Services under a scanner, and the table that others read."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.world = World(top / "runtime")
        (top / "service").mkdir()
        self.scanner = Scanner(self.world.context, LoggingPolicy.of_daemontools(), bytes(top / "service"))
        self.path = top / "runtime/services"
        self.writes: list[float] = []

    def add(self, name: str, **content: str) -> None:
        make_service(self.top / "service", name, **content)

    def open(self) -> "Container":
        self.scanner.open()
        self.table = ServicesTable(self.world.context, self.scanner, 8.0, self.world.kernel.now)
        self.world.run()
        return self

    def pid(self, name: bytes) -> int:
        return next(pair.service.pid for pair in self.scanner.pairs.values() if pair.name == name and pair.service)

    def die(self, name: bytes, outcome: int, seconds: float = 0.0) -> None:
        self.world.kernel.die(self.pid(name), outcome)
        self.world.run(seconds)

    def command(self, name: str, letters: bytes) -> None:
        control_fd = os.open(self.top / "service" / name / "supervise/control", os.O_WRONLY | os.O_NONBLOCK)
        os.write(control_fd, letters)
        os.close(control_fd)

    @property
    def header(self) -> TableHeader:
        return unpack(self.path.read_bytes())[0]

    @property
    def rows(self) -> dict[bytes, ServiceRow]:
        return {row.name: row for row in unpack(self.path.read_bytes())[1]}


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    monkeypatch.setattr(mounts, "tells_changes", lambda fd: True)
    container = Container(tmp_path)
    replace = files.replace

    def noted(path: bytes, content: bytes) -> None:
        container.writes.append(container.world.kernel.now)
        replace(path, content)

    monkeypatch.setattr(files, "replace", noted)
    yield container
    container.world.kernel.obeys = (SIGTERM,)
    container.scanner.stop(container.world.kernel.now + 8, 0.0)
    container.world.run(10)


def test_every_service_has_a_line(container: Container) -> None:
    container.add("web")
    container.add("db", down="", type="oneshot\n", needs="web\n", critical="", backoff="1 30 5\n")
    rows = container.open().rows
    web = rows[b"web"]
    assert (web.type, web.state, web.want, web.normally, web.pid) == (b"longrun", b"up", b"up", b"up", 100)
    assert (web.ready, web.ready_since, web.since, web.starts, web.steady) == (True, web.since, 1000 * 10**9, 1, 2.0)
    assert (web.code, web.exited, web.health, web.readiness, web.critical) == (None, None, b"", False, False)
    db = rows[b"db"]
    assert (db.type, db.state, db.want, db.normally, db.pid) == (b"oneshot", b"down", b"down", b"down", 0)
    assert (db.needs, db.critical, db.steady, db.ready) == ((b"web",), True, 5.0, False)
    assert (container.path.stat().st_mode & 0o777, container.header.stop_timeout) == (0o644, 8.0)


def test_a_plain_restart_reaches_the_table(container: Container) -> None:
    container.add("web")
    container.open()
    container.world.run(5)
    container.die(b"web", 3)
    web = container.rows[b"web"]
    assert (web.state, web.pid, web.starts, web.restarts, web.code) == (b"up", 101, 2, 1, 3)
    assert web.restarted == web.since == web.exited == int(container.world.kernel.now * 1e9)
    assert (web.failures, web.successes, web.signals) == (1, 0, 0)


def test_the_next_start_and_ends_by_cause(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    container.add("web")
    container.open()
    for outcome in (0, 3, -15):
        container.world.run(2)
        container.die(b"web", outcome)
    memory = OutOfMemory()
    monkeypatch.setattr(OutOfMemory, "has_struck", lambda self: True)
    monkeypatch.setattr("pyinit.system.memory._kills", lambda: 7)
    container.world.context.memory = memory
    container.die(b"web", -SIGKILL, 0.02)
    web = container.rows[b"web"]
    assert (web.successes, web.failures, web.signals, web.ooms) == (1, 1, 1, 1)
    assert (web.state, web.signal, web.code, web.oom, web.starts) == (b"backoff", 9, None, True, 4)
    assert web.next == int(1007 * 1e9)
    assert container.header.oom_kills == 7


def test_a_crash_loop_is_written_in_proportion_and_quiet_wakes_nobody(container: Container) -> None:
    container.add("web")
    container.open()
    container.world.run(100)
    container.writes.clear()
    waits = len(container.world.kernel.waits)
    container.world.run(1000)
    assert container.writes == []
    assert len(container.world.kernel.waits) == waits, "no deadline while nothing changes"


def test_a_burst_is_one_write_in_20_ms_and_others_one_a_second(container: Container) -> None:
    container.add("web")
    container.open()
    container.world.run(10)
    container.writes.clear()
    begun = container.world.kernel.now
    for _ in range(5):  # pauses: nobody waits for these
        container.command("web", b"p")
        container.world.run(0.001)
        container.command("web", b"c")
        container.world.run(0.001)
    container.world.run(5)
    assert container.writes == [begun, begun + PAUSE], "the first at once, and all that follows a second later"
    container.writes.clear()
    begun = container.world.kernel.now
    container.command("web", b"p")
    container.world.run(0.001)
    container.command("web", b"c")
    container.world.run(0.001)
    container.die(b"web", 1)
    container.world.run(5)
    assert container.writes == pytest.approx([begun, begun + SOON])


def test_a_full_disk_is_tried_again(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    container.add("web")
    container.open()
    container.world.run(5)
    replace = files.replace

    def full(path: bytes, content: bytes) -> None:
        raise OSError(ENOSPC, "")

    monkeypatch.setattr(files, "replace", full)
    container.die(b"web", 1)
    assert container.rows[b"web"].starts == 1
    monkeypatch.setattr(files, "replace", replace)
    container.world.run(PAUSE)
    assert container.rows[b"web"].starts == 2


def test_services_come_and_go(container: Container) -> None:
    container.add("web")
    container.open()
    container.add("db")
    container.world.kernel.change_directory()
    container.world.run(1)
    assert set(container.rows) == {b"web", b"db"}
    container.command("db", b"d")
    container.world.run()
    container.world.kernel.die(container.pid(b"db"), -SIGTERM)
    container.world.run(1)
    assert (container.rows[b"db"].state, container.rows[b"db"].want) == (b"down", b"down")
    shutil.rmtree(container.top / "service/db")
    container.world.kernel.change_directory()
    container.world.run(10)
    assert set(container.rows) == {b"web"}


def test_a_directory_that_cannot_be_taken_up_has_failed(container: Container) -> None:
    container.add("web")
    container.add("odd", supervise="")
    rows = container.open().rows
    assert (rows[b"odd"].state, rows[b"odd"].want, rows[b"odd"].text) == (b"failed", b"up", b"cannot be supervised")
    (container.top / "service/odd/supervise").unlink()
    container.world.kernel.change_directory()
    container.world.run(10)
    assert (container.rows[b"odd"].state, container.rows[b"odd"].text) == (b"up", b"")


def test_bad_content_is_told(container: Container) -> None:
    container.add("web", type="daemon\n")
    web = container.open().rows[b"web"]
    assert (web.state, web.text[:6]) == (b"failed", b"type: ")


def test_process_1_tells_its_own_state(container: Container) -> None:
    container.open()
    assert (container.header.state, container.header.ready_seconds) == (b"starting", None)
    container.table.tell(b"ready", 0.5)
    container.world.run(1)
    assert (container.header.state, container.header.ready_seconds) == (b"ready", 0.5)
    container.table.tell(b"stopping")
    container.world.run(1)
    assert (container.header.state, container.header.ready_seconds) == (b"stopping", 0.5)


def test_readiness_of_its_own_has_its_time(container: Container) -> None:
    container.add("web", ready="after 2\n")
    container.open()
    assert (container.rows[b"web"].state, container.rows[b"web"].ready_since) == (b"starting", None)
    container.world.run(5)
    web = container.rows[b"web"]
    assert (web.state, web.readiness) == (b"up", True)
    assert web.ready_since is not None
    assert web.since is not None
    assert web.ready_since - web.since == pytest.approx(2e9, abs=1e6)
