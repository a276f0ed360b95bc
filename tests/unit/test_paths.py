"""Names on disk that several programs agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.paths import pack_lock, state_name, unpack_lock


def test_a_service_with_the_name_of_a_file_of_ours_keeps_its_state_under_another() -> None:
    assert state_name(b"web") == b"web"
    assert state_name(b"web/log") == b"web/log"
    assert state_name(b"ready") == b".ready"
    assert state_name(b"lock/log") == b".lock/log"


@given(st.integers(1, 2**22), st.binary(min_size=1).map(lambda name: b"/" + name))
def test_a_lock_file_says_what_it_was_made_of(pid: int, service_dir: bytes) -> None:
    assert unpack_lock(pack_lock(pid, service_dir)) == (pid, service_dir)


@pytest.mark.parametrize("content", [b"", b"12", b"x /service", b" /service", b"-1 /service"])
def test_anything_else_is_no_lock_file(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a lock file$"):
        unpack_lock(content)
