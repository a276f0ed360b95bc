"""The flows of ARCHITECTURE.md name functions that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
SECTION = PAGE.partition("## Five flows\n")[2].partition("\n## ")[0]
FLOWS = re.split(r"^\*\*", SECTION, flags=re.MULTILINE)[1:]

NOT_OURS = {"sigtimedwait", "svc", "ALPHABET"}
"""A kernel call, a program, a table: words in backticks that are no function or class of the package."""


def defined() -> dict[str, list[str]]:
    """Every function, class and method of the package by its name, with the files that define it."""
    found: dict[str, list[str]] = {}
    for path in (ROOT / "pyinit").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.setdefault(node.name, []).append(path.name)
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef):
                        found.setdefault(f"{node.name}.{method.name}", []).append(path.name)
    return found


DEFINED = defined()


def test_there_are_five_flows_of_numbered_steps() -> None:
    assert len(FLOWS) == 5
    for flow in FLOWS:
        steps = [int(number) for number in re.findall(r"^(\d)\. ", flow, re.MULTILINE)]
        assert steps == list(range(1, len(steps) + 1))
        assert len(steps) >= 4


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.partition(".")[0])
def test_each_name_in_a_flow_is_one_thing_of_the_package(flow: str) -> None:
    names = re.findall(r"`([A-Za-z_]+(?:\.[A-Za-z_]+)?)`", flow)
    ours = [name for name in names if ("." in name or not name.islower() or "_" in name) and name not in NOT_OURS]
    assert len(set(ours)) >= 3
    assert {name: DEFINED.get(name, []) for name in ours if len(DEFINED.get(name, [])) != 1} == {}
