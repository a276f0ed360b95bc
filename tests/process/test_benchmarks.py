"""The benchmarks run: every row is measured, output verified; how fast this machine is is nobody's business here."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import orphans, readme
from benchmarks.__main__ import NAMES, RESULTS
from benchmarks.rows import Row, markdown
from benchmarks.supervisors import Pyinit
from benchmarks.workshop import PEERS, Workshop

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("results")
    words = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=390)
    assert done.returncode == 0, done.stderr[-3000:]
    return output


def test_every_benchmark_measures_ours(results: Path) -> None:
    samples = json.loads((results / "samples.json").read_text())
    assert list(samples) == list(NAMES)
    for rows in samples.values():
        assert rows
        for row in rows:
            assert all(value >= 0 for value in row["samples"]["pyinit"])


def test_the_table_names_machine_and_peers(results: Path) -> None:
    text = (results / "results.md").read_text()
    assert "- processor: " in text
    assert "daemontools" in text
    assert "the interpreter's pages are" in text


def test_the_c_programs_are_measured_not_ours_of_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{ROOT / 'bin'}:/usr/bin:/bin")
    workshop = Workshop(quick=True)
    try:
        assert ("daemontools" in workshop.peers) == Path("/usr/bin/svscan").exists()
        found = [shutil.which(program) for peer in workshop.peers for program in PEERS[peer]]
        assert not [path for path in found if not path or Path(path).parent == ROOT / "bin"]
    finally:
        workshop.remove()


def test_all_that_ours_writes_is_on_the_file_system_that_the_services_are_on(tmp_path: Path) -> None:
    workshop = Workshop(quick=True)
    try:
        ours = Pyinit(workshop)
        ours.command(tmp_path, count=1, logged=True)
        written = [Path(ours.environment[name]) for name in ("PYINIT_LOG_DIR", "PYINIT_STATE")]
        assert {path.parent for path in written} == {tmp_path}
    finally:
        workshop.remove()


def test_a_storm_of_a_service_is_compared_with_tini_in_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    storms: list[int] = []

    def tick(*arguments: Any) -> Callable[[], int]:
        storms.append(arguments[-1])
        return lambda: next(clock)

    monkeypatch.setattr(orphans, "_bare", tick)
    monkeypatch.setattr(orphans, "_service", tick)
    workshop = Workshop(quick=False)
    try:
        workshop.peers = ["tini", "dumb-init", "catatonit", "daemontools", "s6"]
        (_, of_services) = orphans.measure(workshop)
    finally:
        workshop.remove()
    turns = len(orphans.BARE) + 3
    for ours, tini in zip(of_services.samples["pyinit"], of_services.samples["tini"], strict=True):
        assert ours // turns == tini // turns
    most = max(storms)
    assert sorted(storms) == [1, *[most] * (turns - 1)], "as many a round, but for svscan's"


def test_the_readme_shows_the_results() -> None:
    kept = json.loads((RESULTS / "samples.json").read_text())
    assert list(kept) == list(NAMES)
    measured = {row["work"] for rows in kept.values() for row in rows}
    assert {work for works in readme.SHOWN.values() for work in works} <= measured
    assert readme.BEGIN + readme.table(kept) + readme.END in (ROOT / "README.md").read_text()


def test_ratios_are_paired() -> None:
    row = Row("work", "ms", {"pyinit": [1, 4], "tini": [2, 2]}, "tini", bound=1.3)
    assert row.ratios() == [0.5, 2.0]
    assert row.is_met()
    assert "1.25 (0.50 to 2.00) | at most 1.3 of tini | yes" in markdown([row])


def test_a_slow_row_is_shown_as_such() -> None:
    row = Row("work", "per s", {"pyinit": [1.0], "tini": [2.0]}, "tini", bound=1, more_is_better=True)
    assert not row.is_met()
    assert "**no**" in markdown([row])
