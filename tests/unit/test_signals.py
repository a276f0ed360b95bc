"""Signals by name and number."""

import signal

import pytest

from pyinit.system.signals import number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"TERM", 15),
        (b"SIGTERM", 15),
        (b"sigterm", 15),
        (b"term", 15),
        (b"15", 15),
        (b"64", 64),
        (b"RTMIN", signal.SIGRTMIN),
        (b"RTMIN+3", signal.SIGRTMIN + 3),
        (b"SIGRTMIN+3", signal.SIGRTMIN + 3),
        (b"RTMAX", signal.SIGRTMAX),
        (b"RTMAX-1", signal.SIGRTMAX - 1),
        (b"POLL", signal.SIGIO),
        (b"IOT", signal.SIGABRT),
    ],
)
def test_names_of_signals(text: bytes, number: int) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0",
        b"65",
        b"-1",
        b"TERM+1",
        b"RTMIN-1",
        b"RTMAX+1",
        b"RTMIN+",
        b"RTMIN+99",
        b"NONE",
        b"\xff",
        b"_",
        b"9" * 5000,
    ],
)
def test_what_is_no_signal(text: bytes) -> None:
    with pytest.raises(ValueError, match="is not a signal"):
        number_of(text)
