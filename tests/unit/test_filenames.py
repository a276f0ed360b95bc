"""Names in a service directory that mean nothing: whose they are, or what was meant."""

from pathlib import Path

import pytest

from pyinit.services.definition.definition import SETTINGS
from pyinit.services.definition.filenames import FOREIGN, names_in, of_log_names, of_names


def lines(*names: str) -> list[str]:
    return [finding.line(b"").decode() for finding in of_names([name.encode() for name in names])]


def log_lines(*names: str) -> list[str]:
    return [finding.line(b"").decode() for finding in of_log_names([name.encode() for name in names])]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Run", "run"),
        ("run.sh", "run"),
        ("RUN.py", "run"),
        ("notifcation-fd", "notification-fd"),
        ("notification_fd", "notification-fd"),
        ("need", "needs"),
        ("secret", "secrets"),
        ("Env", "env"),
        ("finish.sh", "finish"),
        ("max-restart", "max-restarts"),
        ("kill_mode.txt", "kill-mode"),
    ],
)
def test_a_slip_is_found(name: str, meant: str) -> None:
    assert lines(name) == [f"hint: {name}: means nothing here: is {meant} meant? [misspelt-file]"]
    assert lines(name, meant) == [], "the other is there, so this is something else"


@pytest.mark.parametrize(
    "name", ["run", "log", "down", "supervise", "run.new", ".run", "README", "Dockerfile", "root", "main", *SETTINGS]
)
def test_names_that_are_no_slips(name: str) -> None:
    assert lines(name) == []


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_others_are_hints(name: bytes) -> None:
    assert lines(name.decode()) == [
        f"hint: {name.decode()}: a file of {FOREIGN[name].decode()}, which means nothing here [foreign-file]"
    ]


def test_names_in_log() -> None:
    assert log_lines("Run", "users", "main") == [
        "hint: log/Run: means nothing here: is run meant? [misspelt-file]",
        "hint: log/users: means nothing here: is user meant? [misspelt-file]",
    ]
    assert log_lines("config") == [
        "hint: log/config: a file of svlogd (runit), which means nothing here [foreign-file]"
    ]
    assert log_lines("run", "script", "supervise") == [
        "hint: log/script: not read, as there is a log/run [unread-file]",
    ]
    assert log_lines("script", "user", "fold") == []


def test_a_directory_that_cannot_be_listed_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert names_in(bytes(tmp_path), -1) == [b"a"]
    assert names_in(bytes(tmp_path / "a"), -1) == []
