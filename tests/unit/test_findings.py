"""The table of what doctor may find: every code is used, explained, and on its page."""

import ast
import re
from pathlib import Path

import pytest
from doctor_page import page_part

from pyinit.services.definition.findings import EXPLANATIONS, HINTS, Finding, explanation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/doctor.md").read_text()
SOURCES = [path for path in (ROOT / "pyinit").rglob("*.py") if path.name != "findings.py"]


def test_the_page_shows_the_table() -> None:
    shown = re.search(r"<!-- begin: tools/doctor_page.py -->\n(.*?)\n<!-- end -->", PAGE, re.DOTALL)
    assert shown
    assert shown[1] == page_part(), "run tools/doctor_page.py and put its output into docs/reference/doctor.md"


def test_each_code_is_used_and_each_that_is_used_is_explained() -> None:
    text = "".join(path.read_text() for path in SOURCES)
    assert [code for code in EXPLANATIONS if f'b"{code.decode()}"' not in text] == []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding" and len(node.args) == 3:
                codes = [part.value for part in ast.walk(node.args[2]) if isinstance(part, ast.Constant)]
                unknown = [code for code in codes if isinstance(code, bytes) and code not in EXPLANATIONS]
                assert unknown == [], path


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_a_code_is_words_with_hyphens_and_its_explanation_a_paragraph(code: bytes) -> None:
    assert re.fullmatch(rb"[a-z]+(-[a-z]+)*", code)
    text = explanation(code)
    assert len(re.findall(r"[.]( |$)", text)) >= 3, "what it means, what happens, the repair"
    assert text.endswith(".")
    assert not re.search(r"\s\s", text)


def test_the_table_is_in_order_and_hints_are_in_it() -> None:
    assert list(EXPLANATIONS) == sorted(EXPLANATIONS)
    assert set(EXPLANATIONS) >= HINTS


@pytest.mark.parametrize(
    ("finding", "directory", "line"),
    [
        (Finding(b"run", b"empty", b"empty-program"), b"/s/web", b"/s/web/run: empty [empty-program]"),
        (Finding(b"run", b"exec it", b"no-exec"), b"/s/web", b"hint: /s/web/run: exec it [no-exec]"),
        (Finding(b"", b"gone", b"unusable-directory"), b"/s/web", b"/s/web: gone [unusable-directory]"),
        (Finding(b"/var/x", b"why", b"log-directory"), b"/s/web", b"/var/x: why [log-directory]"),
        (Finding(b"PYINIT_LOG", b"why", b"bad-value"), b"", b"PYINIT_LOG: why [bad-value]"),
    ],
)
def test_a_finding_is_a_line(finding: Finding, directory: bytes, line: bytes) -> None:
    assert finding.line(directory) == line


def test_what_nobody_knows_is_not_explained() -> None:
    assert explanation(b"no-such-code") == ""
