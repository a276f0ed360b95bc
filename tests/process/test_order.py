"""Services that need, follow or go before others: on the real PID 1."""

import signal
from pathlib import Path

import pytest
from machine import Machine, command
from waiting import until

SAYS = 'echo "$SERVICE_NAME up" >>{out}; {wait}; echo "$SERVICE_NAME ready" >>{out}; echo >&3; {run}'
LIVES = "trap 'echo \"$SERVICE_NAME down\" >>{out}; exit 0' TERM; while :; do sleep 0.05 & wait $!; done"


class Story:
    """A machine whose services write down what becomes of them."""

    def __init__(self, machine: Machine, tmp_path: Path) -> None:
        self.machine = machine
        self.path = tmp_path / "story"

    def add(self, name: str, wait: str = "sleep 0.1", run: str = LIVES, **files: str) -> None:
        """A service that is ready some time after its start, and says so in descriptor 3."""
        script = SAYS.format(out=self.path, wait=wait, run=run.format(out=self.path))
        self.machine.add(name, script, **{"notification-fd": "3\n", **files})

    @property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def until(self, line: str) -> None:
        until(lambda: line in self.lines, lambda: f"{line!r} in {self.lines}; {self.machine.stderr()}")


@pytest.fixture
def story(machine: Machine, tmp_path: Path) -> Story:
    return Story(machine, tmp_path)


def test_services_start_and_stop_in_the_order_of_their_needs(story: Story) -> None:
    story.add("a-web", needs="php\n")
    story.add("php", needs="# a comment\nz-db\n")
    story.add("z-db")
    story.machine.boot()
    story.until("a-web ready")
    assert [line for line in story.lines if "down" not in line] == [
        *("z-db up", "z-db ready", "php up", "php ready", "a-web up", "a-web ready")
    ]
    assert story.machine.stop() == 0
    assert story.lines[6:] == ["a-web down", "php down", "z-db down"]


def test_before_slips_in_front_of_a_service_that_knows_nothing_of_it(story: Story) -> None:
    story.add("zz-migrate", run="exit 0", type="oneshot\n", before="app\n", wait="sleep 0.3")
    story.add("app", wait=":")
    story.machine.boot()
    story.until("app ready")
    assert story.lines == ["zz-migrate up", "zz-migrate ready", "app up", "app ready"]
    assert story.machine.svstat("zz-migrate").startswith("down ")


def test_a_crash_of_a_need_leaves_who_needs_it_alone_and_gates_its_next_start(story: Story) -> None:
    story.add("db", wait="sleep 0.5")
    story.add("web", wait=":", needs="db\n")
    story.machine.boot()
    story.until("web ready")
    web = story.machine.pid_of("web")
    story.machine.svc("k", "db")
    until(lambda: story.lines.count("db up") == 2, "db to start again")
    assert story.machine.pid_of("web") == web
    story.machine.svc("k", "web")
    until(lambda: story.lines.count("web ready") == 2, "web to start again")
    assert story.lines.index("db ready", story.lines.index("db ready") + 1) < len(story.lines) - 2


def test_a_need_that_fails_for_good_blocks_until_a_person_acts(story: Story, tmp_path: Path) -> None:
    story.add("db", wait=":", run=f"while [ ! -e {tmp_path}/broken ]; do sleep 0.02; done; exit 3", restart="never\n")
    story.add("web", wait=":", needs="db\n")
    story.machine.boot()
    story.until("web ready")
    (tmp_path / "broken").touch()
    story.until("web down")
    (tmp_path / "broken").unlink()
    story.machine.svc("u", "db")
    until(lambda: story.lines.count("web ready") == 2, "web to go on by itself")


def test_a_need_that_is_no_service_is_said_and_keeps_nobody_else(story: Story) -> None:
    story.add("web", needs="db\n")
    story.add("other")
    story.machine.boot()
    story.until("other ready")
    until(lambda: "pyinit: warning: web waits for db: no such service\n" in story.machine.stderr(), "the message")
    assert "web up" not in story.lines
    story.add("db")
    story.until("web ready")


def test_a_circle_is_told_as_a_ring_and_the_rest_boots(story: Story) -> None:
    story.add("a", needs="b\n")
    story.add("b", after="c\n")
    story.add("c", needs="a\n")
    story.add("behind", needs="a\n")
    story.add("other")
    story.machine.boot()
    story.until("other ready")
    until(lambda: "services wait for each other: a → b → c → a\n" in story.machine.stderr(), story.machine.stderr)
    assert story.lines == ["other up", "other ready"]
    (story.machine.services / "c/needs").unlink()
    story.machine.signal(signal.SIGHUP)
    story.until("behind ready")


def test_bad_content_is_refused_and_a_repair_is_enough(story: Story) -> None:
    story.add("web", ready="whenever\n", **{"notification-fd": ""})
    (story.machine.services / "web/notification-fd").unlink()
    story.add("other")
    story.machine.boot()
    story.until("other ready")
    until(lambda: "web/ready: " in story.machine.stderr(), "the message")
    assert story.lines == ["other up", "other ready"]
    (story.machine.services / "web/ready").write_text("fd 3\n")
    story.until("web ready")


def test_a_stop_gives_up_the_order_two_seconds_before_its_deadline(story: Story) -> None:
    story.machine.env["PYINIT_STOP_TIMEOUT"] = "3"
    story.add("db")
    story.add("web", run='trap "" TERM; while :; do sleep 0.05; done', needs="db\n")
    story.machine.boot()
    story.until("web ready")
    story.machine.stop()
    assert story.lines[-1] == "db down"
    assert "killed web" in story.machine.stderr()
    assert command("svstat", story.machine.services / "db").stdout.endswith(b"supervise not running\n")
