"""Whether root is bound by modes: what the kernel says of a process, or cannot say."""

import os
from pathlib import Path

import pytest

from pyinit.system.capabilities import lacks_override


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        ("Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\n", False),
        ("CapPrm:\t000001ffffffffff\nCapEff:\t000001fffffffffd\nCapBnd:\t0\n", True),
        ("CapEff:\t0000000000000000\n", True),
        ("CapEff:", False),
        ("CapEff:\tnothing\n", False),
        ("", False),
    ],
)
def test_the_effective_set_counts(tmp_path: Path, content: str, lacks: bool) -> None:
    (tmp_path / "status").write_text(content)
    assert lacks_override(os.fsencode(tmp_path / "status")) is lacks


def test_without_proc_it_cannot_be_told(tmp_path: Path) -> None:
    assert lacks_override(os.fsencode(tmp_path / "missing")) is False
