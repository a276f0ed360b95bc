"""The benchmarks run: every row is measured, its output verified. No test looks at how fast this machine is."""

import itertools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as program
from benchmarks import orphans, readme
from benchmarks.__main__ import NAMES, RESULTS
from benchmarks.bounds import BARE, BOUNDS, Bound
from benchmarks.machine import Machine
from benchmarks.rows import Row, interleave, markdown, verdicts
from benchmarks.supervisors import Pyinit, supervisors
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
            assert not row["bound"] or row["bound"] in BOUNDS


def test_the_table_names_machine_and_peers(results: Path) -> None:
    text = (results / "results.md").read_text()
    assert "- processor: " in text
    assert "daemontools" in text
    assert "the interpreter's pages are all pyinit's" in text
    assert " bounds met, " in text


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
    ours, tini = of_services.samples["pyinit"], of_services.samples["tini"]
    for (mine, other), (later, _) in itertools.pairwise(zip(ours, tini, strict=True)):
        assert max(mine, other) < later, "tini's storm of a round comes before our next"
    turns = len(orphans.BARE) + 3
    most = max(storms)
    assert sorted(storms) == [1, *[most] * (turns - 1)], "as many a round, but for svscan's"


def test_the_readme_shows_the_results() -> None:
    kept = json.loads((RESULTS / "samples.json").read_text())
    assert list(kept) == [name for name in NAMES if name in kept]
    assert readme.BEGIN + readme.table(kept) + readme.END in (ROOT / "README.md").read_text()


def test_ratios_are_paired() -> None:
    row = Row("work", "ms", {"pyinit": [1, 4], "tini": [2, 2]}, "signal")
    assert row.ratios("tini") == [0.5, 2.0]
    assert row.is_met() is False
    assert "1.25 of tini (0.50 to 2.00) | at most 1.2 of tini | **no** | 1.25 of tini |" in markdown([row])


def test_more_can_be_better() -> None:
    row = Row("work", "per s", {"pyinit": [1.0], "tini": [2.0]}, "orphan storm", more_is_better=True)
    assert row.is_met() is False
    assert "- **missed** by 50%: work: 0.50, at least 1 of tini" in verdicts([row])


def test_a_limit_without_a_reference_is_about_ours_alone() -> None:
    row = Row("work", "MB", {"pyinit": [8.4], "tini": [1.0]}, "memory of 1")
    assert row.is_met()
    assert "- met: work: 8.40, at most 10.5 MB (20% to spare)" in verdicts([row])


def test_no_wake_ups_is_met_by_none_alone() -> None:
    assert BOUNDS["wake-ups"].is_met(0)
    assert not BOUNDS["wake-ups"].is_met(0.1)
    assert Bound(2.0).excess(3.0) == 0.5


def test_a_bound_that_nothing_tells_is_not_met() -> None:
    row = Row("work", "ms", {"pyinit": [1.0]}, "signal")
    assert row.is_met() is None
    assert verdicts([row]).startswith("0 bounds met, 0 missed, 1 not measured.")


def test_the_best_peer_does_the_work() -> None:
    row = Row("work", "ms", {"pyinit": [3.0], BARE: [1.0], "s6": [6.0], "runit": [9.0]}, "first service")
    assert row.best_peer() == "s6"
    assert markdown([row]).splitlines()[-2].endswith("| 0.50 of s6 |")
    assert Row("work", "ms", {"pyinit": [3.0], BARE: [1.0]}).best_peer() == ""


def test_a_slow_contestant_takes_part_in_the_first_rounds() -> None:
    turns: list[str] = []

    def contestant(name: str) -> Callable[[], int]:
        def run() -> int:
            turns.append(name)
            return len(turns)

        return run

    found = interleave({name: contestant(name) for name in "abc"}, 3, at_most={"c": 1})
    assert turns == ["a", "b", *"abc", *"ba", *"ab"]
    assert [len(samples) for samples in found.values()] == [3, 3, 1]


def test_every_service_directory_looks_old_when_process_1_starts() -> None:
    workshop = Workshop(quick=True)
    try:
        for each in supervisors(workshop):
            machine = Machine(each, 1, logged=False)
            age = time.time() - (machine.top / "service").stat().st_mtime
            with machine:
                machine.wait_up()
            assert age > 5, each.name
    finally:
        workshop.remove()


def test_a_selection_keeps_the_other_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(workshop: Workshop, name: str, text: str) -> list[Row]:
        works = [work for work in ("one, p50", "one, p99") if text in work]
        return [Row(work, "ms", {"pyinit": [float(next(clock))]}) for work in works]

    clock = itertools.count(1)
    monkeypatch.setattr(program, "measure", measure)
    for words in (["up", "latency"], ["latency/p99"]):
        assert program.main(["--quick", "--output", str(tmp_path), *words]) == 0
    kept = json.loads((tmp_path / "samples.json").read_text())
    assert {name: [row["samples"]["pyinit"] for row in rows] for name, rows in kept.items()} == {
        "up": [[1.0], [2.0]],
        "latency": [[3.0], [5.0]],
    }
