"""What a datagram of sd_notify says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.notice import LONGEST_STATUS, read_notice, socket_address, socket_name


def said(datagram: bytes) -> set[str]:
    """The fields that are not as in an empty one."""
    notice, empty = read_notice(datagram), read_notice(b"")
    return {field for field in notice.__slots__ if getattr(notice, field) != getattr(empty, field)}


@pytest.mark.parametrize(
    ("datagram", "fields"),
    [
        (b"", set()),
        (b"READY=1", {"is_ready"}),
        (b"READY=1\n", {"is_ready"}),
        (b"READY=0", set()),
        (b"READY", set()),
        (b"ready=1", set()),
        (b" READY=1", set()),
        (b"STOPPING=1", {"is_stopping"}),
        (b"RELOADING=1\nMONOTONIC_USEC=5", {"is_reloading"}),
        (b"WATCHDOG=1", {"is_alive"}),
        (b"WATCHDOG=trigger", {"is_sick"}),
        (b"STATUS=", {"status"}),
        (b"MAINPID=12", {"main_pid"}),
        (b"EXTEND_TIMEOUT_USEC=1500000", {"extension"}),
        (b"BARRIER=1", set()),
        (b"ERRNO=2\nBUSERROR=x\nFDSTORE=1\n=\n==", set()),
        (b"STATUS=half way\nREADY=1\nMAINPID=1", {"status", "is_ready", "main_pid"}),
    ],
)
def test_what_a_datagram_says(datagram: bytes, fields: set[str]) -> None:
    assert said(datagram) == fields


@pytest.mark.parametrize("value", [b"-1", b"1.5", b"", b"1" * 19, b" 1", b"x", "\u0661".encode()])
def test_a_number_that_is_none_is_ignored(value: bytes) -> None:
    assert said(b"MAINPID=%b\nEXTEND_TIMEOUT_USEC=%b" % (value, value)) == set()


def test_values() -> None:
    notice = read_notice(b"STATUS=a=b\nMAINPID=17\nEXTEND_TIMEOUT_USEC=1500000\nSTATUS=c=d")
    assert (notice.status, notice.main_pid, notice.extension) == (b"c=d", 17, 1.5)
    assert read_notice(b"STATUS=" + b"x" * 1000).status == b"x" * LONGEST_STATUS


@given(st.binary(max_size=300))
def test_anything_may_come(datagram: bytes) -> None:
    notice = read_notice(datagram)
    assert notice.main_pid >= 0
    assert notice.extension >= 0


@pytest.mark.parametrize(("value", "address"), [(b"@x", b"\0x"), (b"/run/x", b"/run/x")])
def test_names_of_sockets(value: bytes, address: bytes) -> None:
    assert socket_address(value) == address
    assert socket_name(address) == value
