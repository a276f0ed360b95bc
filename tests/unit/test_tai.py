import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit import tai

TIMES = st.integers(-(2**62) * 10**9, 2**62 * 10**9)


def test_a_known_label() -> None:
    assert tai.label(935467445_787492500) == b"@4000000037c219bf2ef02e94"
    assert tai.parse(b"@4000000037c219bf2ef02e94") == 935467445_787492500


def test_the_epoch() -> None:
    assert tai.label(0) == b"@400000000000000a00000000"


def test_before_the_epoch_nanoseconds_still_count_upwards() -> None:
    assert tai.label(-1) == b"@40000000000000093b9ac9ff"


@given(TIMES)
def test_pack_and_unpack_mirror_each_other(unix_ns: int) -> None:
    assert tai.unpack(tai.pack(unix_ns)) == unix_ns
    assert tai.parse(tai.label(unix_ns)) == unix_ns


@given(TIMES, TIMES)
def test_labels_sort_as_times_do(one: int, other: int) -> None:
    assert (tai.label(one) < tai.label(other)) == (one < other)


@pytest.mark.parametrize("packed", [b"", b"\x40" * 11, b"\x40" * 13])
def test_a_wrong_length_is_an_error(packed: bytes) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        tai.unpack(packed)


@pytest.mark.parametrize(
    "text", [b"", b"@", b"@4000000037c219bf2ef02e9", b"4000000037c219bf2ef02e94a", b"@" + b"g" * 24]
)
def test_other_texts_are_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # two messages: ours and that of fromhex
        tai.parse(text)
