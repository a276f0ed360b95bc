"""The 18 bytes of supervise/status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.control import ALPHABET, DOWN, LETTERS, LETTERS_OF_PYINIT, UP, usage_of
from pyinit.formats.status import LENGTH, USUAL, pack, unpack


def test_byte_by_byte() -> None:
    content = pack(0x01020304, True, UP, 1_000_000_005)
    assert content == bytes.fromhex("400000000000000b 00000005 04030201 01") + b"u"


def test_the_usual_ending_is_of_a_run_that_is_wanted_up_and_not_paused() -> None:
    endings = {(paused, want): pack(7, paused, want, 0)[16:] for paused in (False, True) for want in (UP, DOWN, 0)}
    assert [how for how, ending in endings.items() if ending == USUAL] == [(False, UP)]


def test_a_service_that_is_down_is_never_paused() -> None:
    assert pack(0, True, DOWN, 0)[16:] == b"\0d"


def test_readers_ignore_what_follows() -> None:
    assert unpack(pack(7, False, UP, 0) + b"more")[0] == 7


@pytest.mark.parametrize("length", range(LENGTH))
def test_too_few_bytes_are_no_status(length: int) -> None:
    with pytest.raises(ValueError, match=r"^a status has at least 18 bytes$"):
        unpack(b"x" * length)


@given(st.integers(1, 2**32 - 1), st.booleans(), st.sampled_from([UP, DOWN, 0]), st.integers(0, 2**62))
def test_unpack_mirrors_pack(pid: int, paused: bool, want: int, since: int) -> None:
    assert unpack(pack(pid, paused, want, since)) == (pid, paused, want, since)


def test_the_help_line_of_svc() -> None:
    line = (
        b"svc options: u up, d down, o once, x exit, p pause, c continue, h hup, a alarm, i interrupt, t term, k kill"
    )
    assert usage_of(LETTERS) == line
    assert usage_of(LETTERS_OF_PYINIT) == line + b", q quit, 1 usr1, 2 usr2, w winch, l reload"
    assert len(ALPHABET) == 11
