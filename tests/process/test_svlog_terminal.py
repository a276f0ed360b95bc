"""svlog on a terminal: colours, the pager, and a terminal that is as it was before, however svlog ends."""

import re
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT
from typing import Any

import pexpect
import pytest
from machine import BIN, environment
from waiting import until

from pyinit import tai

SVLOG = [sys.executable, "-IS", str(BIN / "svlog")]
ROWS = 24


class Screen:
    """svlog on a terminal of 80 columns and 24 rows."""

    def __init__(self, top: Path, arguments: tuple[str, ...], more: dict[str, str], prefix: tuple[str, ...]) -> None:
        given = {"TERM": "xterm", "PYINIT_LOG_DIR": str(top / "logs"), "PYINIT_STATE": str(top), **more}
        env = environment(**{"PYINIT_SERVICE_DIR": str(top / "service"), **given})
        for name in {"PAGER", "LESS", "NO_COLOR"} - {*more}:
            env.pop(name, None)
        self.pty = pexpect.spawn(
            prefix[0], [*prefix[1:], *SVLOG, *arguments], env=env, timeout=10, dimensions=(ROWS, 80), cwd=str(top)
        )
        self.settings = termios.tcgetattr(self.pty.child_fd)

    def rest(self) -> bytes:
        """What it prints until it ends."""
        self.pty.expect(pexpect.EOF)
        return self.before()

    def before(self) -> bytes:
        """What was printed before what was waited for."""
        text: Any = self.pty.before
        return bytes(text)

    def is_restored(self) -> bool:
        return bool(termios.tcgetattr(self.pty.child_fd) == self.settings)

    def is_changed(self) -> bool:
        return not self.is_restored()

    def code(self) -> int:
        """The exit code, or minus the signal that killed it."""
        self.pty.close()
        return -self.pty.signalstatus if self.pty.signalstatus else int(self.pty.exitstatus or 0)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    made: list[Screen] = []

    def make(*arguments: str, prefix: tuple[str, ...] = ("env",), **more: str) -> Screen:
        made.append(Screen(tmp_path, arguments, more, prefix))
        return made[-1]

    yield make
    for one in made:
        one.pty.close(force=True)


def put(top: Path, name: str, *messages: str, count: int = 1) -> None:
    directory = top / "logs" / name
    directory.mkdir(parents=True)
    lines = [tai.label(number * 10**9).decode() + f" {text}\n" for number in range(count) for text in messages]
    (directory / "current").write_text("".join(lines))


def test_each_service_has_a_colour(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "one", "a")
    put(tmp_path, "two", "b")
    shown = screen("--utc").rest()
    heads = re.findall(rb"\x1b\[(\d+)m(\w+):\x1b\[0m 1970-01-01 00:00:00.000000000Z (\w)\r\n", shown)
    assert [(name, message) for _, name, message in heads] == [(b"one", b"a"), (b"two", b"b")]
    assert heads[0][0] != heads[1][0]
    for more in {"NO_COLOR": "1"}, {"TERM": "dumb"}:
        assert b"\x1b" not in screen("--utc", **more).rest()
    assert b"\x1b" in screen("--utc", NO_COLOR="").rest()
    assert b"\x1b" not in screen("--utc", "one").rest()


def test_a_log_does_not_drive_the_terminal(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "web", "\x1b[2Jcleared\rforged \u009b1m ü\ttab")
    shown = screen("--utc", "web").rest()
    assert "Z \\x1b[2Jcleared\\rforged \\x9b1m ü".encode() in shown
    assert b"\x1b" not in shown


def test_long_output_goes_through_the_pager(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "web", "line", count=ROWS)
    pager = "{ echo paged; cat; }"
    assert b"paged" not in screen("-n", str(ROWS - 1), PAGER=pager).rest()
    shown = screen(PAGER=pager).rest()
    assert shown.startswith(b"paged\r\n")
    assert shown.count(b" line\r\n") == ROWS
    assert b"paged" not in screen(PAGER="").rest()
    assert b"paged" in screen("--json", PAGER=pager).rest()
    no_keyboard = ("sh", "-c", 'exec "$@" </dev/null', "sh")
    assert b"paged" not in screen(prefix=no_keyboard, PAGER=pager).rest()


def test_lines_that_are_wider_than_the_screen_count(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "web", "x" * 150, count=ROWS // 2)
    assert b"paged" in screen(PAGER="echo paged; cat").rest()
    assert b"paged" not in screen("-n", "5", PAGER="echo paged; cat").rest()


def test_following_is_not_paged(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "web", "line", count=100)
    following = screen("-f", "-n", "100", PAGER="echo paged; cat")
    until(lambda: following.pty.expect([b"00:01:39[^\r]*\r\n", pexpect.TIMEOUT], timeout=1) == 0)
    assert b"paged" not in following.before()
    following.pty.sendintr()
    following.rest()
    assert following.code() == -SIGINT
    assert b"paged" not in following.before()


def test_less_is_the_pager_and_leaves_the_terminal_as_it_was(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "one", "line", count=50_000)
    put(tmp_path, "two", "line")
    paged = screen()
    paged.pty.expect(rb"\x1b\[3\dmone")
    until(paged.is_changed, "less to take the terminal")
    paged.pty.sendintr()
    paged.pty.send("G")
    paged.pty.expect(r"13:53:19")
    paged.pty.send("q")
    paged.rest()
    assert paged.is_restored()
    assert paged.code() == 0


def test_a_pager_that_is_left_early(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "one", "line" * 20, count=50_000)
    paged = screen(PAGER="head -n 1; echo left")
    shown = paged.rest()
    assert shown.count(b"\r\n") == 2
    assert shown.endswith(b"left\r\n")
    assert paged.code() == 0


def test_a_pager_that_is_killed_leaves_a_usable_terminal(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "one", "line", count=5000)
    paged = screen(PAGER="stty -F /dev/tty raw -echo && touch raw; kill -9 $$")
    until((tmp_path / "raw").exists)
    assert paged.rest().endswith(b"\x1b[0m")
    assert paged.is_restored()
    assert paged.code() == 0


def test_an_interrupt_ends_a_colour(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    put(tmp_path, "one", "a")
    put(tmp_path, "two", "b")
    following = screen("-f")
    following.pty.expect("two")
    following.pty.sendintr()
    assert following.rest().endswith(b"\x1b[0m")
    assert following.is_restored()
    assert following.code() == -SIGINT


def test_an_interrupt_ends_a_long_print(tmp_path: Path, screen: Callable[..., Screen]) -> None:
    """Whose output nobody reads for the moment: it waits in a write."""
    put(tmp_path, "one", "a" * 1000, count=5000)
    put(tmp_path, "two", "b")
    printing = screen(PAGER="")
    printing.pty.expect("one")
    printing.pty.sendintr()
    assert printing.rest().endswith(b"\x1b[0m")
    assert printing.code() == -SIGINT
