"""One stream through one script: against a model that goes line by line, however the stream is cut into reads."""

import errno
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pyinit.formats.counters import Counters
from pyinit.logs.multilog.lines import label_for
from pyinit.logs.multilog.multilog import CannotOpenLog, Multilog, Trouble
from pyinit.logs.multilog.pattern import matches
from pyinit.logs.multilog.script import parse_script

NOW = 1_700_000_000_123_456_789
LABEL = label_for(NOW)


class Outputs:
    """What came out of a stream, by where it went."""

    def __init__(self) -> None:
        self.stdout: list[bytes] = []
        self.stderr: list[bytes] = []
        self.troubles: list[Trouble] = []
        self.files: dict[str, bytes] = {}

    def all(self) -> dict[str, bytes]:
        return {"stdout": b"".join(self.stdout), "stderr": b"".join(self.stderr), **self.files}


def make(script: Sequence[bytes], start: Callable[[int, bytes], int] | None = None) -> tuple[Multilog, Outputs]:
    outputs = Outputs()
    sinks = outputs.stdout.append, outputs.stderr.append, outputs.troubles.append
    return Multilog(parse_script(script), time.time_ns, *sinks, start), outputs


def passed(script: Sequence[bytes], blocks: Sequence[bytes]) -> dict[str, bytes]:
    """Everything that comes out, in a directory of its own."""
    home = os.open(".", os.O_RDONLY)
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            log, outputs = make(script)
            log.open()
            for block in blocks:
                log.feed(block, NOW)
                assert not log.is_pending
            log.finish()
            log.close()
            assert not outputs.troubles
            for path in Path(name).rglob("*"):
                if path.name == "current" or (path.parent == Path(name) and path.is_file()):
                    outputs.files[str(path.relative_to(name))] = path.read_bytes()
        finally:
            os.fchdir(home)
            os.close(home)
    return outputs.all()


def modelled(script: Sequence[bytes], stream: bytes) -> dict[str, bytes]:
    """The contract, line by line."""
    out: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    for argument in script:
        if argument[:1] == b"=":
            out[os.fsdecode(argument[1:])] = b""
        elif argument[:1] == b".":
            out[os.fsdecode(argument[2:]) + "/current"] = b""
    lines = stream.split(b"\n")
    if not lines[-1]:
        del lines[-1]
    for text in lines:
        line = LABEL + text if script[:1] == [b"t"] else text
        is_selected, prefix = True, b""
        for argument in script:
            kind, rest = argument[:1], argument[1:]
            if kind == b"p":
                prefix = rest
            elif kind in b"+-" and is_selected == (kind == b"-") and matches(rest, line[:1000]):
                is_selected = not is_selected
            elif is_selected and kind == b"e":
                out["stderr"] += line[:200] + (b"...\n" if len(line) > 200 else b"\n")
            elif is_selected and kind == b"1":
                head = len(line) - len(text)
                out["stdout"] += line[:head] + prefix + text + b"\n"
            elif is_selected and kind == b"=":
                out[os.fsdecode(rest)] = line[:1000].ljust(1001, b"\n")
            elif is_selected and kind == b".":
                out[os.fsdecode(argument[2:]) + "/current"] += line + b"\n"
    return out


actions = st.sampled_from(
    [b"e", b"1", b"pweb: ", b"p", b"=s", b"s16777215", b"-*", b"+*", b"-*a*", b"+*b*", b"-a", b"+* status*", b"-", b"x"]
)
scripts = st.tuples(st.booleans(), st.lists(actions, max_size=6), st.booleans(), st.lists(actions, max_size=3)).map(
    lambda parts: (
        ([b"t"] if parts[0] else [b""])
        + [b"s16777215"]
        + ([b"./main"] if parts[2] else [])
        + parts[1]
        + ([b"./some"] if parts[2] else [])
        + parts[3]
    )
)
runs = st.tuples(
    st.sampled_from([b"\n", b"a\n", b"b\n", b"a", b" status: b\n", b"\0\xff", b"x"]),
    st.sampled_from([1, 1, 1, 2, 5, 170, 199, 200, 973, 974, 975, 999, 1000, 2500]),
)
streams = st.lists(runs, max_size=8).map(lambda found: b"".join(text * count for text, count in found))


@settings(deadline=None, max_examples=150)
@given(scripts, streams, st.lists(st.integers(1, 1500), max_size=12))
@example([b"t", b"e", b"e"], b"a\nb\n", [1])
@example([b"t", b"1", b"-*b*", b"e"], b"a\nb", [3])
@example([b"", b"-*", b"+*b*", b"=s", b"1", b"./some"], b"x" * 999 + b"\n" + b"x" * 1000 + b"b\nb\n", [999, 1, 1000])
def test_the_output_is_the_models_however_the_stream_is_cut(
    script: list[bytes], stream: bytes, cuts: list[int]
) -> None:
    assume(script.count(b"1") < 2 or max(map(len, stream.split(b"\n"))) < 1000 - len(LABEL))
    blocks, rest = [], stream
    for cut in cuts:
        blocks.append(rest[:cut])
        rest = rest[cut:]
    assert passed(script, [block for block in [*blocks, rest] if block]) == modelled(script, stream)


def test_a_stream_byte_by_byte() -> None:
    stream = b"one\n\n" + b"x" * 1500 + b"\nstatus: two\nlast"
    script = [b"t", b"./main", b"1", b"-*", b"+* status: *", b"=s", b"e"]
    assert passed(script, [stream[index : index + 1] for index in range(len(stream))]) == modelled(script, stream)


def test_a_million_empty_lines() -> None:
    assert passed([b"t", b"s40000000", b"./main"], [b"\n" * 250_000] * 4)["main/current"] == (LABEL + b"\n") * 1_000_000


def test_it_says_whether_the_stream_is_inside_a_line() -> None:
    log, _ = make([])
    seen = []
    for block in (b"a", b"b\n", b"x" * 2000, b"y", b"\n"):
        log.feed(block, NOW)
        seen.append(log.is_inside)
    assert seen == [True, False, True, True, False]


def test_a_held_line_goes_to_the_file_after_the_rotation(tmp_path: Path) -> None:
    log, _ = make([os.fsencode(tmp_path / "d")])
    log.open()
    log.feed(b"one\nhal", NOW)
    log.rotate()
    log.feed(b"f\n" + b"x" * 1200, NOW)
    log.rotate()
    log.feed(b"y\n", NOW)
    log.finish()
    log.close()
    old = sorted((tmp_path / "d").glob("@*"))
    assert [file.read_bytes() for file in old] == [b"one\n", b"half\n" + b"x" * 1200]
    assert (tmp_path / "d/current").read_bytes() == b"y\n"


def test_trouble_in_one_directory_keeps_none_of_the_others_waiting(tmp_path: Path) -> None:
    bad, good = tmp_path / "bad", tmp_path / "good"
    started: list[int] = []

    def start(descriptor: int, processor: bytes) -> int:
        started.append(77)
        return 77

    log, outputs = make([b"s4096", b"!command", os.fsencode(bad), os.fsencode(good)], start)
    log.open()
    log.feed(b"x\n" * 1200, NOW)
    assert log.is_pending
    assert log.processors == [77, 77]
    assert not log.has_trouble
    log.reaped(77, 1)
    assert log.processors == [77]
    assert log.has_trouble
    assert [trouble.message for trouble in outputs.troubles] == [b"processor failed in %b, pausing" % os.fsencode(bad)]
    log.retry()
    assert started == [77] * 3
    log.close()
    assert not log.is_pending


def test_everything_is_opened_in_order_and_what_fails_is_said(tmp_path: Path) -> None:
    log, _ = make([b"e", os.fsencode(tmp_path / "no/d"), b"=" + os.fsencode(tmp_path / "no/s")])
    with pytest.raises(CannotOpenLog) as caught:
        log.open()
    assert caught.value.message == b"unable to create " + os.fsencode(tmp_path / "no/s")
    assert caught.value.error.errno == errno.ENOENT
    log.close()


LONG = b"a" + b"x" * 3000 + b"\n"


@pytest.mark.parametrize("block", [b"a\nb\na\na\nb\n", b"a\n", LONG, b"b\n" + LONG + b"b" + LONG])
@pytest.mark.parametrize("size", [100_000, 1000, 1])
def test_lines_are_counted_as_written_and_deselected(tmp_path: Path, block: bytes, size: int) -> None:
    every, some, none = (os.fsencode(tmp_path / name) for name in ("every", "some", "none"))
    log, _ = make([b"t", every, b"e", b"1", b"-* a*", some, b"=" + os.fsencode(tmp_path / "s"), b"-*", none])
    log.open()
    counts = log.counters = Counters()
    for start in range(0, len(block), size):
        log.feed(block[start : start + size], NOW)
    log.close()
    kept = b"".join(line for line in block.splitlines(keepends=True) if line[:1] != b"a")
    assert counts.held_lines == 2 * block.count(b"\n") + kept.count(b"\n")
    assert counts.held_bytes == 2 * len(block) + len(kept)
    assert counts.held_deselected == 4 * block.count(b"\n") - counts.held_lines


def test_a_status_file_keeps_its_tail_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyinit.logs.multilog import sinks

    path = tmp_path / "s"
    path.write_bytes(b"Q" * 3000)
    log, outputs = make([b"=" + os.fsencode(path)])
    log.open()
    room = [0, 500]

    class Full:
        def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
            if not room[0]:
                raise OSError(errno.ENOSPC, "")
            written = os.pwrite(descriptor, data[: room[0]], offset)
            room[0] -= written
            return written

    monkeypatch.setattr(sinks, "posix", Full())
    log.feed(b"one\ntwo\n", NOW)
    assert log.has_trouble
    assert [trouble.message for trouble in outputs.troubles] == [b"unable to write %b, pausing" % os.fsencode(path)]
    room[0] = 10**6
    log.retry()
    assert not log.is_pending
    assert path.read_bytes() == b"two" + b"\n" * 998 + b"Q" * 1999
    monkeypatch.undo()
    log.close()


def test_a_status_file_that_cannot_be_moved_in(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log, outputs = make([b"=" + os.fsencode(path)])
    log.open()
    log.feed(b"one\n", NOW)
    assert [t.message for t in outputs.troubles] == [b"unable to move to beginning of %b, pausing" % os.fsencode(path)]
    log.close()
    os.close(reader)
