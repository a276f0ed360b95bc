"""tai64nlocal and tai64n: the same output however the input is cut, and the C program's own for the same lines."""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence

import pytest
from daemontools import require_c_programs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyinit.logs.labels import LONGEST_LABEL, Localizer, Stamper
from pyinit.logs.multilog.lines import label_for

LABEL = b"@4000000037c219bf2ef02e94"
SHOWN = b"1999-08-24 04:04:05.787492500"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def localized(blocks: Sequence[bytes]) -> bytes:
    localizer = Localizer()
    return b"".join(localizer.convert(block) for block in blocks if block)


def cut(text: bytes, cuts: Sequence[int]) -> list[bytes]:
    blocks = []
    for length in cuts:
        blocks.append(text[:length])
        text = text[length:]
    return [*blocks, text]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (LABEL + b" hello\n", SHOWN + b" hello\n"),
        (LABEL + b"\n", SHOWN + b"\n"),
        (LABEL, b""),
        (LABEL + b" partial", SHOWN + b" partial"),
        (b" " + LABEL + b"\n", b" " + LABEL + b"\n"),
        (LABEL * 2 + b"\n", SHOWN + LABEL + b"\n"),
        (LABEL + b"ABC\n", SHOWN + b"ABC\n"),
        (b"@0" + LABEL[1:] + b" x\n", SHOWN + b" x\n"),
        (b"@4000000000000009ffffffff x\n", b"1969-12-31 23:59:59.4294967295 x\n"),
        (b"@4000003afff4418a00000000 x\n", b"10000-01-01 00:00:00.000000000 x\n"),
        (b"@abc\n", b"@abc\n"),
        (LABEL.upper() + b" x\n", LABEL.upper() + b" x\n"),
        (b"@\n", b"@\n"),
        (b"@", b""),
        (b"\n", b"\n"),
        (b"@ffffffffffffffffffffffff x\n", b"@ffffffffffffffffffffffff x\n"),
    ],
)
def test_lines(line: bytes, shown: bytes) -> None:
    assert localized([line]) == shown
    assert localized([line[index : index + 1] for index in range(len(line))]) == shown
    if line.endswith(b"\n"):
        assert localized([line * 3]) == shown * 3


seconds = st.one_of(
    st.integers(0, 2**33), st.integers(-(2**36), 2**36), st.sampled_from([0, -1, 1, 2**31, 951_782_400, 1_456_704_000])
)
stamps = st.builds(lambda s, ns: b"@%016x%08x" % (2**62 + 10 + s, ns), seconds, st.integers(0, 2**32 - 1))
lines = st.lists(
    st.tuples(
        st.one_of(stamps, st.just(LABEL), stamps.map(lambda stamp: b"@0000" + stamp[1:])),
        st.sampled_from([b" x", b"", b"xyz", b"@", b"F", b" @4000"]),
    ).map(b"".join)
    | st.sampled_from([b"", b"plain", b" @40", b"\0"])
).map(lambda found: b"".join(line + b"\n" for line in found))


@given(lines, st.sampled_from([b"", LABEL, LABEL + b" x", b"@4", b"text"]), st.lists(st.integers(0, 60), max_size=12))
@example(LABEL + b" a\n" + LABEL + b" b\n", b"", [26, 3])
def test_the_output_does_not_depend_on_the_reads(text: bytes, last: bytes, cuts: list[int]) -> None:
    assert localized(cut(text + last, cuts)) == localized([text + last])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(lines, min_size=4, max_size=8).map(b"".join), st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])
)
def test_the_c_program_says_the_same(text: bytes, zone: str) -> None:
    require_c_programs()
    os.environ["TZ"] = zone
    time.tzset()
    environment = {"TZ": zone}
    done = subprocess.run(["/usr/bin/tai64nlocal"], input=text, env=environment, stdout=subprocess.PIPE, check=True)
    assert localized([text]) == done.stdout


def test_digits_without_end_are_not_kept() -> None:
    digits = b"@" + b"0" * (4 * LONGEST_LABEL)
    assert localized(cut(digits, [1000] * 200)) == digits
    assert localized([digits]) == digits


def test_tai64n_stamps_lines_when_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10))
    monkeypatch.setattr("pyinit.logs.labels.time_ns", lambda: next(clock))
    stamper = Stamper()
    blocks = [b"one\ntw", b"o", b"\n", b"three\n", b"\n\nx"]
    labels = [label_for(number) for number in range(5)]
    assert [stamper.convert(block) for block in blocks] == [
        labels[0] + b"one\n" + labels[0] + b"tw",
        b"o",
        b"\n",
        labels[3] + b"three\n",
        labels[4] + b"\n" + labels[4] + b"\n" + labels[4] + b"x",
    ]


@given(lines, st.lists(st.integers(0, 60), max_size=12))
def test_tai64n_adds_labels_and_nothing_else(text: bytes, cuts: list[int]) -> None:
    stamper = Stamper()
    stamped = b"".join(stamper.convert(block) for block in cut(text, cuts) if block)
    assert re.sub(rb"(?m)^@[0-9a-f]{24} ", b"", stamped) == text
    assert len(stamped) == len(text) + 26 * text.count(b"\n")
