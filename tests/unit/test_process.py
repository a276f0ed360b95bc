import errno
import posix

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.system import process
from pyinit.system.environment import changed
from pyinit.system.process import candidates, execute


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        (b"prog", b"/a:/b", [b"/a/prog", b"/b/prog"]),
        (b"prog", None, [b"/bin/prog", b"/usr/bin/prog"]),
        (b"prog", b"", [b"./prog"]),
        (b"prog", b":/a:", [b"./prog", b"/a/prog", b"./prog"]),
        (b"./prog", b"/a", [b"./prog"]),
        (b"/", b"/a", [b"/"]),
        (b"", b"/a", [b"/a/"]),
    ],
)
def test_where_a_program_is_looked_for(name: bytes, path: bytes | None, expected: list[bytes]) -> None:
    assert candidates(name, path) == expected


@pytest.mark.parametrize(
    ("errors", "tried", "reported"),
    [
        ([], 0, errno.ENOENT),
        ([errno.ENOENT, errno.ENOENT], 2, errno.ENOENT),
        ([errno.EACCES, errno.ENOENT], 2, errno.EACCES),
        ([errno.EACCES, errno.EISDIR, errno.EPERM], 3, errno.EPERM),
        ([errno.ENOENT, errno.ENOTDIR, errno.ENOENT], 2, errno.ENOTDIR),
        ([errno.ENOEXEC, errno.ENOENT], 1, errno.ENOEXEC),
    ],
)
def test_which_error_ends_the_search(
    errors: list[int], tried: int, reported: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def execv(program: bytes, argv: list[bytes]) -> None:
        attempts.append(program)
        raise OSError(errors[len(attempts) - 1], "")

    monkeypatch.setattr(posix, "execv", execv)
    programs = [b"%d" % number for number in range(len(errors))]
    assert execute(programs, [b"prog"]).errno == reported
    assert attempts == programs[:tried]


@pytest.mark.parametrize(
    ("entries", "changes", "expected"),
    [
        ([b"A=1", b"B=2"], [b"C=3"], [b"A=1", b"B=2", b"C=3"]),
        ([b"A=1", b"B=2", b"C=3"], [b"A=new"], [b"C=3", b"B=2", b"A=new"]),
        ([b"A=1", b"B=2", b"C=3"], [b"A"], [b"C=3", b"B=2"]),
        ([b"A=1", b"A=2", b"A=3"], [b"A"], [b"A=3", b"A=2"]),
        ([b"A", b"AB=1", b"=A"], [b"A", b"A=1"], [b"A", b"AB=1", b"=A", b"A=1"]),
        ([b"P=1"], [b"P=Q=c"], [b"P=Q=c"]),
        ([], [b"A=1", b"A"], []),
        ([b"A=1"], [], [b"A=1"]),
    ],
)
def test_changes_to_an_environment(entries: list[bytes], changes: list[bytes], expected: list[bytes]) -> None:
    before = list(entries)
    assert changed(entries, changes) == expected
    assert entries == before


ENTRIES = st.lists(st.sampled_from([b"A=1", b"A=2", b"B=1", b"A", b"", b"=", b"AB="]))


@given(ENTRIES, st.sampled_from([b"A=9", b"A", b"B=", b"C=1", b"C"]))
def test_a_change_takes_one_entry_and_adds_what_it_sets(entries: list[bytes], change: bytes) -> None:
    name, is_set, _ = change.partition(b"=")
    expected = sorted(entries)
    matching = [entry for entry in entries if entry.startswith(name + b"=")]
    if matching:
        expected.remove(matching[0])
    assert sorted(changed(entries, [change])) == sorted(expected + [change] * bool(is_set))


@pytest.mark.parametrize("name", [b"plain", b"\xff\xfe", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", bytes(range(1, 256))])
def test_a_decoded_name_comes_back_as_it_was(name: bytes) -> None:
    assert process.encoded(process.decoded(name)) == name


def test_the_arguments_are_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the interpreter made of them."""
    monkeypatch.setattr("sys.argv", ["garbled", "garbled"])
    with open("/proc/self/cmdline", "rb") as cmdline:
        assert process.arguments() == cmdline.read().split(b"\0")[-3:-1]


def test_without_proc_the_arguments_come_from_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_proc(path: str) -> list[bytes]:
        raise OSError(errno.ENOENT, "")

    monkeypatch.setattr(process, "_read_strings", no_proc)
    monkeypatch.setattr("sys.argv", ["prog", "\udcff"])
    assert process.arguments() == [b"prog", b"\xff"]
