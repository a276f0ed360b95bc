"""How a command finds the services that it is asked about."""

import os
from pathlib import Path

import pytest

from pyinit.view import names
from pyinit.view.running import Running


def test_who_runs_here_is_asked_once_for_a_thousand_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "service"
    for number in range(3):
        (top / f"s{number}").mkdir(parents=True)
    asked = []

    def running(environment: object) -> Running:
        asked.append(environment)
        return Running(bytes(tmp_path / "run"), os.getpid(), bytes(top))

    monkeypatch.setattr(names, "running", running)
    monkeypatch.setattr(names, "_here", [])
    monkeypatch.delitem(os.environb, b"PYINIT_SERVICE_DIR", raising=False)
    assert [names.find(b"s%d" % number) for number in range(3)] == [bytes(top / f"s{number}") for number in range(3)]
    assert len(asked) == 1
