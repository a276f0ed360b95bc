"""A service directory -> its Definition: from one listing, and whatever is wrong with a file is a trouble of it."""

import os
import posix
import tempfile
from collections.abc import Callable, Iterator
from errno import EIO, EMFILE, ENOMEM
from pathlib import Path

import pytest
from descriptors import open_in
from kernel import make_service

from pyinit.services.definition.definition import LONGEST, PLAIN, Definition
from pyinit.services.definition.reading import (
    read_as_supervise,
    read_definition,
    read_log_as_svscan,
)
from pyinit.services.life.policy import AS_DAEMONTOOLS

NOBODY = 65534
NOWHERE = b"a link that leads nowhere"


def read(directory: Path, reader: Callable[[int], Definition] = read_definition) -> Definition:
    directory_fd = os.open(directory, os.O_PATH)
    before = open_in()
    try:
        return reader(directory_fd)
    finally:
        assert open_in() == before, "every descriptor is closed again"
        os.close(directory_fd)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A directory in which this process has no more rights than anybody."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o777)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        yield top
        if user == 0:
            os.seteuid(0)


def test_a_directory_with_nothing_but_a_run_is_the_one_plain_definition(tmp_path: Path) -> None:
    assert read(make_service(tmp_path, "web", finish_="", notes="")) is PLAIN
    assert (PLAIN.policy, PLAIN.refusal) == (AS_DAEMONTOOLS, None)
    assert (PLAIN.is_down, PLAIN.has_env, PLAIN.has_secrets, PLAIN.log, PLAIN.troubles) == (
        False,
        False,
        False,
        None,
        (),
    )


def test_each_file_that_is_there_says_something(tmp_path: Path) -> None:
    definition = read(make_service(tmp_path, "web", down="", env__A="1", secrets="A", log__script="t ./main\n"))
    assert (definition.is_down, definition.has_env, definition.has_secrets) == (True, True, True)
    assert definition.log
    assert definition.log.script == b"t ./main"
    assert definition.troubles == ()


def test_a_directory_is_listed_once_and_nothing_that_is_missing_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = make_service(tmp_path, "web")
    asked: list[str] = []

    def note(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object, **named: object) -> object:
            asked.append(name)
            return call(*arguments, **named)

        return noted

    for name in ("listdir", "stat", "access", "open"):
        monkeypatch.setattr(posix, name, note(name, getattr(posix, name)))
    directory_fd = os.open(directory, os.O_PATH)
    read_definition(directory_fd)
    os.close(directory_fd)
    assert asked == ["open", "listdir"]


def test_a_down_that_leads_nowhere_is_none(tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web")
    (directory / "down").symlink_to("nowhere")
    assert not read(directory).is_down


def test_a_down_that_cannot_be_asked_about_counts_as_there(tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web")
    (directory / "down").symlink_to("down")
    definition = read(directory)
    assert (definition.is_down, definition.troubles) == (True, ((b"down", b"symbolic link loop"),))


@pytest.mark.parametrize("script", ["t ./main\nmore\n", "  t ./main \t\n", "t ./main"])
def test_settings_of_a_log_are_first_lines(tmp_path: Path, script: str) -> None:
    log = read(make_service(tmp_path, "web", log__script=script, log__user="mail\n", log__fold="")).log
    assert log
    assert (log.script, log.user, log.is_multiline, log.brings_logger) == (b"t ./main", b"mail", True, False)


def test_an_empty_log_says_nothing(tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web")
    (directory / "log").mkdir()
    log = read(directory).log
    assert log
    assert (log.script, log.user, log.is_multiline, log.brings_logger) == (b"", b"", False, False)


def test_a_log_with_a_run_is_a_logger_whatever_else_it_has(tmp_path: Path) -> None:
    log = read(make_service(tmp_path, "web", log__run="", log__script="t ./main")).log
    assert log
    assert (log.brings_logger, log.script) == (True, b"")


def test_a_run_that_leads_nowhere_is_no_logger(tmp_path: Path) -> None:
    directory = make_service(tmp_path, "web", log__script="t ./main")
    (directory / "log/run").symlink_to("nowhere")
    log = read(directory).log
    assert log
    assert (log.brings_logger, log.script) == (False, b"t ./main")


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_long(path: Path) -> None:
    path.write_bytes(b"x" * (LONGEST + 1))


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_fifo, b"not a regular file"),
        (make_directory, b"not a regular file"),
        (make_device, b"not a regular file"),
        (make_long, b"longer than %d bytes" % LONGEST),
        (make_loop, b"symbolic link loop"),
    ],
)
@pytest.mark.parametrize("name", ["script", "user"])
def test_a_bad_settings_file_is_a_trouble_and_the_rest_counts(
    tmp_path: Path, name: str, make: Callable[[Path], None], reason: bytes
) -> None:
    other = {"script": "user", "user": "script"}[name]
    directory = make_service(tmp_path, "web", **{f"log__{other}": "good"})
    make(directory / "log" / name)
    definition = read(directory)
    assert definition.log
    assert getattr(definition.log, name) == b""
    assert getattr(definition.log, other) == b"good"
    assert definition.troubles == ((b"log/" + name.encode(), reason),)


def test_a_settings_file_may_be_as_long_as_is_allowed(tmp_path: Path) -> None:
    log = read(make_service(tmp_path, "web", log__script="x" * LONGEST)).log
    assert log
    assert len(log.script) == LONGEST


def test_a_setting_of_a_log_may_be_a_link_inside_the_service_or_its_log(tmp_path: Path) -> None:
    web = make_service(tmp_path, "web", script="t ./main", log__user_="mail")
    (web / "log/script").symlink_to("../script")
    (web / "log/user").symlink_to("user_")
    (web / "log").rename(tmp_path / "elsewhere")
    (web / "log").symlink_to(tmp_path / "elsewhere")
    definition = read(web)
    assert definition.log
    assert (definition.log.user, definition.troubles) == (b"mail", ((b"log/script", NOWHERE),)), (
        "the log itself is a link"
    )
    (web / "log").unlink()
    (tmp_path / "elsewhere").rename(web / "log")
    definition = read(web)
    assert definition.log
    assert (definition.log.script, definition.log.user, definition.troubles) == (b"t ./main", b"mail", ())
    (web / "log/script").unlink()
    (web / "log/script").symlink_to("/etc/passwd")
    assert read(web).troubles == ((b"log/script", b"a link that leads outside the directory"),)


@pytest.mark.parametrize(
    ("make", "reason"),
    [(make_fifo, b"not a directory"), (make_long, b"not a directory"), (make_loop, b"symbolic link loop")],
)
def test_a_log_that_is_no_directory_is_a_trouble(tmp_path: Path, make: Callable[[Path], None], reason: bytes) -> None:
    directory = make_service(tmp_path, "web", down="")
    make(directory / "log")
    definition = read(directory)
    assert (definition.is_down, definition.log) == (True, None)
    assert definition.troubles == ((b"log", reason),)


def refuse_stat(monkeypatch: pytest.MonkeyPatch, refused: bytes, number: int) -> None:
    stat = posix.stat

    def refuse(name: bytes, *, dir_fd: int) -> os.stat_result:
        if name == refused:
            raise OSError(number, "")
        return stat(name, dir_fd=dir_fd)

    monkeypatch.setattr(posix, "stat", refuse)


def test_a_log_that_cannot_be_read_is_a_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make_service(tmp_path, "web", log__run="")
    refuse_stat(monkeypatch, b"run", EIO)
    definition = read(directory)
    assert (definition.log, definition.troubles) == (None, ((b"log", b"input/output error"),))


@pytest.mark.parametrize("name", [b"log", b"run"])
def test_for_want_of_memory_a_logger_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
) -> None:
    directory = make_service(tmp_path, "web", log__run="")
    refuse_stat(monkeypatch, name, ENOMEM)
    with pytest.raises(OSError, match="Errno 12"):
        read(directory)


def test_a_directory_that_may_be_searched_but_not_read_is_asked_for_what_is_known(as_nobody: Path) -> None:
    directory = make_service(as_nobody, "web", down="", log__script="t ./main", secrets="A")
    (directory / "log").chmod(0o111)
    directory.chmod(0o111)
    definition = read(directory)
    directory.chmod(0o755)
    (directory / "log").chmod(0o755)
    assert (definition.is_down, definition.has_secrets, definition.has_env) == (True, True, False)
    assert definition.log
    assert definition.log.script == b"t ./main"
    assert definition.troubles == ()


def test_a_settings_file_of_somebody_else_is_a_trouble(as_nobody: Path) -> None:
    directory = make_service(as_nobody, "web", log__script="t ./main")
    (directory / "log/script").chmod(0)
    assert read(directory).troubles == ((b"log/script", b"access denied"),)


def test_a_log_that_may_not_be_searched_is_a_trouble(as_nobody: Path) -> None:
    directory = make_service(as_nobody, "web", log__script="t ./main")
    (directory / "log").chmod(0o600)
    definition = read(directory)
    (directory / "log").chmod(0o755)
    assert (definition.log, definition.troubles) == (None, ((b"log", b"access denied"),))


def test_without_descriptors_it_is_an_error_and_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> int:
        raise OSError(EMFILE, "")

    directory_fd = os.open(make_service(tmp_path, "web"), os.O_PATH)
    monkeypatch.setattr(posix, "open", refuse)
    with pytest.raises(OSError, match="Errno 24"):
        read_definition(directory_fd)
    monkeypatch.undo()
    os.close(directory_fd)


def test_the_c_programs_know_a_down_and_a_log_of_any_type(tmp_path: Path) -> None:
    web = make_service(tmp_path, "web", env__A="1", log="a file")
    (web / "down").mkdir()
    definition = read(web, read_as_supervise)
    assert (definition.is_down, definition.has_env, definition.log) == (True, False, None)
    assert read(make_service(tmp_path, "plain"), read_as_supervise) is PLAIN

    parent_fd = os.open(tmp_path, os.O_PATH)
    log = read_log_as_svscan(b"web", parent_fd)
    assert log
    assert log.brings_logger
    assert read_log_as_svscan(b"plain", parent_fd) is None
    os.close(parent_fd)
