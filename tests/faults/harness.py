"""System calls of PID 1 and of the collector fail, one a run, and what follows is told.

    python -m faults.harness [PHASE ...]     of these phases, of all four without any

It writes docs/faults.md; the rows of other phases stay. `make faults` runs it; `test_faults.py` runs a sample.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from faults.bench import HARMLESS, PHASES, UNMEASURED, UNREACHED, is_in_order, run, trace
from faults.calls import Fault, faults
from machine import ROOT

PAGE = ROOT / "docs/faults.md"
AT_ONCE = 2
"""Runs at the same time: most of their time is waiting."""

AGAIN = 2
"""A run with consequences is run again so often, alone: what a busy machine did is no finding."""

LONGEST = 140
"""Characters of a row's last column."""

HEADING = "| call | about | error | what happens |\n| --- | --- | --- | --- |\n"


def measure(fault: Fault) -> str:
    """One run among others."""
    found = run(fault)
    print(fault.phase, fault.call, fault.about, fault.when, found, flush=True)
    return found


def confirmed(fault: Fault, found: str) -> str:
    """What is believed: a consequence that shows again, alone."""
    for _ in range(AGAIN):
        if is_in_order(found):
            break
        found = measure(fault)
    return found


def section(phase: str) -> str:
    """The measured part of the page about one phase."""
    cases = list(faults(phase, *trace(phase)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(zip(cases, pool.map(measure, cases), strict=True))
    if phase == "interpreter":
        heard = sorted({row(fault, found) for fault, found in rows if found not in (HARMLESS, UNREACHED)})
        return f"{len(rows)} runs. Those in which something is said or ended:\n\n{HEADING}" + "".join(heard)
    made = {(fault.call, fault.about) for fault, found in rows if found != UNREACHED}
    rows = [row for row in rows if row[1] != UNREACHED or (row[0].call, row[0].about) not in made]
    rows = [(fault, confirmed(fault, found)) for fault, found in rows]
    bad = [found for _, found in rows if not is_in_order(found)]
    unmeasured = [found for found in bad if found.startswith(UNMEASURED)]
    text = f"{len(rows)} runs, {len(bad) - len(unmeasured)} with consequences, {len(unmeasured)} not measured.\n\n"
    return text + HEADING + "".join(sorted({row(fault, found) for fault, found in rows}))


def row(fault: Fault, found: str) -> str:
    """One line of the table."""
    text = found if found == HARMLESS else " ".join(found.split())[:LONGEST].replace("|", r"\|")
    return f"| `{fault.call}` | {fault.about} | {fault.error} | {text} |\n"


def main(phases: list[str]) -> None:
    """Measure the phases and write the page."""
    head, *old = (PAGE if PAGE.exists() else ROOT / "tests/faults/page.md").read_text().split("\n## ")
    head = (ROOT / "tests/faults/page.md").read_text()
    parts = {part.partition("\n")[0].lower(): part.partition("\n")[2].strip() + "\n" for part in old}
    for phase in phases or list(PHASES):
        parts[phase] = section(phase)
        sections = [f"\n## {name.capitalize()}\n\n{parts[name]}" for name in PHASES if name in parts]
        PAGE.write_text(head + "".join(sections))


if __name__ == "__main__":
    main(sys.argv[1:])
