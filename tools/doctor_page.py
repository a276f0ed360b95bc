"""The explanations of `pyinit doctor` as Markdown: prints the drawn part of docs/reference/doctor.md."""

import sys
from pathlib import Path
from textwrap import fill

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pyinit.services.definition.findings import EXPLANATIONS, HINTS, explanation

WIDTH = 120


def section(heading: str, codes: list[bytes]) -> str:
    """A heading, and a heading and a paragraph for each code."""
    parts = [f"## {heading}"]
    for code in codes:
        parts += [f"### {code.decode()}", fill(explanation(code), WIDTH, break_long_words=False)]
    return "\n\n".join(parts)


def page_part() -> str:
    """What docs/reference/doctor.md has between its markers."""
    errors = sorted(EXPLANATIONS.keys() - HINTS)
    return f"{section('Errors', errors)}\n\n{section('Hints', sorted(HINTS))}"


if __name__ == "__main__":
    print(page_part())
