"""What is written down twice says the same: make's lints and pre-commit's, and every action is pinned by its hash."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def recipes(makefile: str, *targets: str) -> list[str]:
    """The command lines of targets of a Makefile."""
    found = [re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE) for target in targets]
    return [line.strip() for match in found if match for line in match[1].splitlines()]


def unpinned(workflow: str) -> list[str]:
    """Actions that are not named by a whole hash with its version behind it: a tag can be moved to other code."""
    uses = re.findall(r"^[\s-]*uses: *(.*)$", workflow, re.MULTILINE)
    return [action for action in uses if not PINNED.fullmatch(action.strip())]


def test_pre_commit_runs_what_make_runs() -> None:
    make = recipes((ROOT / "Makefile").read_text(), "lint", "types")
    hooks = re.findall(r"^ *entry: (.*)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    assert [line.replace("$(bin)", ".venv/bin") for line in make] == hooks
    assert len(hooks) >= 4


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    assert unpinned(path.read_text()) == []
    assert "permissions:\n  contents: read\n" in path.read_text()


def test_a_tag_or_a_short_hash_is_no_pin() -> None:
    wrong = ["actions/checkout@v5", f"actions/checkout@{'a' * 40}", f"actions/checkout@{'a' * 39} # v5.0.0"]
    assert unpinned("".join(f"  - uses: {action}\n" for action in wrong)) == wrong
    assert unpinned(f"  - uses: actions/checkout@{'a' * 40} # v5.0.0\n") == []


def test_workflows_call_targets_of_make() -> None:
    targets = set(re.findall(r"^([a-z ]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {word for line in targets for word in line.split()}
    for path in WORKFLOWS:
        for called in re.findall(r"make ([a-z ]+?)(?: DEMO=\w+)?$", path.read_text(), re.MULTILINE):
            assert set(called.split()) <= known
