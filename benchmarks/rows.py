"""What a benchmark gives: rows of paired samples, and the table made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")

OURS = "pyinit"


@dataclass
class Row:
    """One measured quantity. The n-th samples of all contestants were taken in the same round.

    `reference`: whom ours is compared with. `bound`: what our median ratio to it, or with `limit` our own median, may
    be at most; at least, where `more_is_better`. `note`: what the numbers do not tell.
    """

    work: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    reference: str = ""
    bound: float | None = None
    limit: float | None = None
    more_is_better: bool = False
    note: str = ""

    def median(self, name: str) -> float:
        return median(self.samples[name])

    def ratios(self) -> list[float]:
        """Ours to the reference's, round by round; empty where either was not measured."""
        pairs = zip(self.samples.get(OURS, ()), self.samples.get(self.reference, ()), strict=False)
        return [ours / theirs for ours, theirs in pairs if theirs]

    def is_met(self) -> bool | None:
        """Whether ours is what is asked for; None where nothing is, or that can't be told."""
        ratios = self.ratios()
        if self.bound is not None:
            if not ratios:
                return None
            return median(ratios) >= self.bound if self.more_is_better else median(ratios) <= self.bound
        if self.limit is not None and OURS in self.samples:
            return self.median(OURS) <= self.limit
        return None

    def asked(self) -> str:
        if self.bound is not None:
            return f"{'at least' if self.more_is_better else 'at most'} {self.bound:g} of {self.reference}"
        return "" if self.limit is None else f"at most {self.limit:g} {self.unit}"


def interleave(contestants: Mapping[str, Callable[[], T]], rounds: int, warm_up: bool = True) -> dict[str, list[T]]:
    """Call each contestant once a round: A B C, then C B A, and so on, after a round that does not count.

    What comes and goes on the machine meanwhile so meets all of them alike.
    """
    found: dict[str, list[T]] = {name: [] for name in contestants}
    if warm_up:
        for run in contestants.values():
            run()
    for turn in range(rounds):
        for name in list(contestants)[:: -1 if turn % 2 else 1]:
            found[name].append(contestants[name]())
    return found


def column(samples: Mapping[str, Sequence[Mapping[str, float]]], quantity: str) -> dict[str, list[float]]:
    """Of runs that measured several quantities, one; without the contestants that do not have it."""
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
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def markdown(rows: Sequence[Row]) -> str:
    """The table: medians, and the paired ratio of ours to the reference with its least and greatest."""
    lines = [
        "| work | pyinit | others | pyinit / reference: median (min to max) | asked |  |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        others = ", ".join(f"{name} {figure(row.median(name))}" for name in row.samples if name != OURS)
        ours = figure(row.median(OURS)) if OURS in row.samples else "not measured"
        ratios = row.ratios()
        ratio = ""
        if ratios:
            ratio = f"{row.reference}: {figure(median(ratios))} ({figure(min(ratios))} to {figure(max(ratios))})"
        met = {True: "yes", False: "**no**", None: ""}[row.is_met()]
        lines.append(f"| {row.work}, {row.unit} | {ours} | {others} | {ratio} | {row.asked()} | {met} |")
    notes = [f"- {row.work}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes]) + "\n"
