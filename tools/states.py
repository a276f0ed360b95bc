"""Draws the life of a service from the table that decides it: prints the drawn part of docs/states.md.

The diagram is Mermaid's stateDiagram-v2. Events that lead from a phase to the same next phase share an arrow.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pyinit.services.life import events
from pyinit.services.life.moment import IDLE
from pyinit.services.life.state import TABLE

WORDS = {
    events.Opened: "opened",
    events.Refused: "refused",
    events.Commanded: "commanded",
    events.Allowed: "allowed",
    events.Due: "due",
    events.Started: "started",
    events.NotStarted: "not started",
    events.Ready: "ready",
    events.Replaced: "replaced",
    events.Extended: "extended",
    events.Said: "said",
    events.Checked: "checked",
    events.Waited: "waited",
    events.Exited: "exited",
    events.Finished: "finished",
}


def diagram() -> str:
    """The state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {IDLE.decode()}"]
    for phase, row in TABLE.items():
        arrows: dict[bytes, list[str]] = {}
        for event, following in row.items():
            for to in following:
                arrows.setdefault(to, []).append(WORDS[event])
        for to, words in arrows.items():
            if to != phase:
                lines.append(f"    {phase.decode()} --> {to.decode()}: {', '.join(words)}")
    return "\n".join([*lines, "```"])


def table() -> str:
    """The table, a row a phase. A dash: the event means nothing there."""
    lines = [
        "| phase | " + " | ".join(WORDS.values()) + " |",
        "| --- |" + " --- |" * len(WORDS),
    ]
    for phase, row in TABLE.items():
        cells = [", ".join(to.decode() for to in row.get(event, ())) or "-" for event in WORDS]
        lines.append(f"| {phase.decode()} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page_part() -> str:
    """What docs/states.md has between its markers."""
    return f"{diagram()}\n\n{table()}"


if __name__ == "__main__":
    print(page_part())
