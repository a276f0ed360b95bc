"""What a benchmark gives: rows of paired samples, and the tables made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from benchmarks.bounds import BARE, BOUNDS, Bound

T = TypeVar("T")

OURS = "pyinit"
CAT = "cat"
PIP = "by pip"
YARDSTICKS = (BARE, CAT, PIP)
"""Contestants that do not do the work of ours. None of them is the best peer."""


@dataclass
class Row:
    """One measured quantity. The n-th samples of all contestants were taken in the same round.

    `bound` is a key of the table of bounds. `reference` names the other side of the ratio where there is no bound.
    `note` says what the numbers do not tell.
    """

    work: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    bound: str = ""
    reference: str = ""
    more_is_better: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.asked:
            self.reference = self.asked.of

    @property
    def asked(self) -> Bound | None:
        """The bound itself."""
        return BOUNDS.get(self.bound)

    def median(self, name: str) -> float:
        """The median of one contestant's samples."""
        return median(self.samples[name])

    def ratios(self, name: str) -> list[float]:
        """Ours to another's, round by round; empty where either was not measured."""
        pairs = zip(self.samples.get(OURS, ()), self.samples.get(name, ()), strict=False)
        return [ours / theirs for ours, theirs in pairs if theirs]

    def best_peer(self) -> str:
        """The peer with the best median; empty without any."""
        peers = [name for name in self.samples if name != OURS and name not in YARDSTICKS]
        if not peers:
            return ""
        return (max if self.more_is_better else min)(peers, key=self.median)

    def found(self) -> float | None:
        """What the bound is about: our median ratio, or our median. None where that was not measured."""
        if self.asked and not self.asked.of:
            return self.median(OURS) if OURS in self.samples else None
        ratios = self.ratios(self.reference)
        return median(ratios) if ratios else None

    def is_met(self) -> bool | None:
        """Whether ours keeps within the bound. None where there is no bound, or nothing to tell it by."""
        found = self.found()
        return None if self.asked is None or found is None else self.asked.is_met(found)


def interleave(
    contestants: Mapping[str, Callable[[], T]],
    rounds: int,
    warm_up: bool = True,
    at_most: Mapping[str, int] | None = None,
) -> dict[str, list[T]]:
    """Call each contestant once a round: A B C, then C B A, and so on, after a round that does not count.

    What comes and goes on the machine meanwhile so meets all of them alike. `at_most` names slow contestants, which
    take part in the first rounds only, and never warm up.
    """
    few = at_most or {}
    found: dict[str, list[T]] = {name: [] for name in contestants}
    for name, run in contestants.items():
        if warm_up and name not in few:
            run()
    for turn in range(rounds):
        for name in list(contestants)[:: -1 if turn % 2 else 1]:
            if turn < few.get(name, rounds):
                found[name].append(contestants[name]())
    return found


def column(samples: Mapping[str, Sequence[Mapping[str, float]]], quantity: str) -> dict[str, list[float]]:
    """One quantity of runs that measured several, without the contestants that do not have it."""
    return {
        name: [run[quantity] for run in runs]
        for name, runs in samples.items()
        if runs and all(quantity in run for run in runs)
    }


def figure(value: float) -> str:
    """Three significant digits, in full."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 0.1:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def others(row: Row) -> str:
    """The medians of all contestants but ours."""
    return ", ".join(f"{name} {figure(row.median(name))}" for name in row.samples if name != OURS)


def best(row: Row) -> str:
    """Our median ratio to the best peer, which is named."""
    name = row.best_peer()
    ratios = row.ratios(name)
    return f"{figure(median(ratios))} of {name}" if ratios else ""


def markdown(rows: Sequence[Row]) -> str:
    """The table: medians, the ratio that the bound names with its least and greatest, and the one to the best peer."""
    lines = [
        "| work | pyinit | others | ratio: median (min to max) | bound | met | to the best peer |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ours = figure(row.median(OURS)) if OURS in row.samples else "not measured"
        ratios = row.ratios(row.reference)
        ratio = ""
        if ratios:
            span = f"{figure(min(ratios))} to {figure(max(ratios))}"
            ratio = f"{figure(median(ratios))} of {row.reference} ({span})"
        bound = row.asked.text(row.unit) if row.asked else ""
        met = {True: "yes", False: "**no**", None: ""}[row.is_met()]
        lines.append(f"| {row.work}, {row.unit} | {ours} | {others(row)} | {ratio} | {bound} | {met} | {best(row)} |")
    notes = [f"- {row.work}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes]) + "\n"


def verdicts(rows: Sequence[Row]) -> str:
    """Which bounds are met, which are missed and by how much, and which were not measured: a list in Markdown."""
    met, missed, untold = [], [], []
    for row in rows:
        found = row.found()
        if row.asked is None:
            continue
        if found is None:
            untold.append(f"- not measured: {row.work} ({row.asked.text(row.unit)})")
            continue
        excess = row.asked.excess(found)
        line = f"{row.work}: {figure(found)}, {row.asked.text(row.unit)}"
        if row.asked.is_met(found):
            met.append(f"- met: {line} ({abs(excess):.0%} to spare)")
        else:
            missed.append(f"- **missed** by {excess:.0%}: {line}")
    head = f"{len(met)} bounds met, {len(missed)} missed, {len(untold)} not measured."
    return "\n".join([head, "", *missed, *untold, *met]) + "\n"
