"""A program that is run for its answer: in time, with little output, and nothing left behind."""

from time import monotonic

import pytest
from descriptors import open_in

from pyinit.system.brief import MOST, run_briefly


def shell(script: str, seconds: float = 5.0) -> tuple[int, bytes] | None:
    return run_briefly([b"/bin/sh"], script.encode(), seconds)


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> object:
    before = open_in()
    yield
    assert open_in() == before


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("echo a; echo b >&2; exit 3", (3, b"a\nb\n")),
        ("exit 0", (0, b"")),
        ("kill -TERM $$", (-15, b"")),
        ("env | grep -v PWD", (0, b"LC_ALL=C\n")),
    ],
)
def test_an_answer(script: str, answer: tuple[int, bytes]) -> None:
    found = shell(script)
    assert found
    assert (found[0], found[1].replace(b"_=/usr/bin/env\n", b"")) == answer


def test_one_that_does_not_end_is_killed() -> None:
    began = monotonic()
    assert shell("exec sleep 100", 0.1) is None
    assert monotonic() - began < 5


def test_one_that_says_too_much_is_killed() -> None:
    found = shell("exec yes")
    assert found
    assert len(found[1]) == MOST


def test_one_that_cannot_be_executed() -> None:
    with pytest.raises(FileNotFoundError):
        run_briefly([b"/no/such/program"], b"", 1.0)
