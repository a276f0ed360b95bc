import errno
import os
import sys

import pytest

from pyinit import report


class Left(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was written to standard error, a write each; leaving raises Left with the exit code."""
    written: list[bytes] = []

    def leave(code: int) -> None:
        raise Left(code)

    monkeypatch.setattr(report, "write", written.append)
    monkeypatch.setattr("posix._exit", leave)
    return written


def test_a_line_leaves_in_one_write(said: list[bytes]) -> None:
    report.say(b"prog", b"unable to open x", OSError(errno.ENOENT, "ignored"))
    assert said == [b"prog: unable to open x: file does not exist\n"]


def test_a_name_neither_ends_the_line_nor_moves_the_cursor(said: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "keeps_bytes", False)
    report.say(b"prog", b"unable to open \xff\n\r\t\x1b[2J\x7f", errno.ENOENT)
    assert said == [rb"prog: unable to open \xff\n\r\t\x1b[2J\x7f: file does not exist" + b"\n"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"web", b"web"),
        (b"a b\\", b"a b\\"),
        ("ü€".encode(), "ü€".encode()),
        ("\x9b31m".encode(), rb"\x9b31m"),
        ("\u202etxt".encode(), rb"\x202etxt"),
        (b"\x9b", rb"\x9b"),
        (b"n\xe4\xff", b"n\xe4\xff"),
    ],
)
def test_a_name_as_people_see_it(name: bytes, shown: bytes) -> None:
    assert report.shown(name) == shown


def test_an_error_of_our_own_says_its_text() -> None:
    assert report.reason(OSError(None, "not a regular file")) == b"not a regular file"


def test_warn_goes_on(said: list[bytes]) -> None:
    report.warn(b"prog", b"trouble", errno.EAGAIN)
    assert said == [b"prog: warning: trouble: temporary failure\n"]


def test_die_leaves_with_111(said: list[bytes]) -> None:
    with pytest.raises(Left) as left:
        report.die(b"prog", b"trouble")
    assert (said, left.value.args) == ([b"prog: fatal: trouble\n"], (111,))


def test_usage_leaves_with_100_or_as_told(said: list[bytes]) -> None:
    for arguments, code in (((), 100), ((111,), 111)):
        with pytest.raises(Left) as left:
            report.usage(b"prog", b"dir child", *arguments)
        assert left.value.args == (code,)
    assert said == [b"prog: usage: prog dir child\n"] * 2


@pytest.mark.parametrize(
    ("number", "phrase"),
    [
        (0, b"no error"),
        (errno.EPERM, b"permission denied"),
        (errno.EACCES, b"access denied"),
        (errno.ENXIO, b"device not configured"),
        (errno.EWOULDBLOCK, b"temporary failure"),
        (errno.EOVERFLOW, b"unknown error"),
        (99999, b"unknown error"),
    ],
)
def test_reasons_are_djbs(number: int, phrase: bytes) -> None:
    assert report.reason(number) == phrase
    assert number == 0 or report.reason(OSError(number, "of the C library")) == phrase


def test_standard_error_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, message: bytes) -> int:
        raise OSError(errno.EBADF, "")

    monkeypatch.setattr("posix.write", fail)
    report.write_stderr(b"unheard")


def test_a_reason_is_given_also_when_nothing_more_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyinit.errors", None)
    assert report.reason(OSError(errno.EMFILE, "")) == os.strerror(errno.EMFILE).encode()
