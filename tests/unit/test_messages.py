"""Every message that a page quotes is one that the code has."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

QUOTED = re.compile(r"(?:`|^    )((?:[a-z0-9]+: (?:warning|fatal|info): |unable to |killed )[^`\n]+)", re.MULTILINE)
VARIES = re.compile(
    r"%[-+.\d]*[a-z]|\{[^}]*\}|[A-Z][A-Z_]{1,}\b|\.\.\.|\b[NT@]\b|\d+(?:\.\d+)?|[:,;()] ?|[\w.-]*/[\w./-]*|\n"
)
"""What stands for something else, in the code or on a page, and where two parts of a message may meet."""

NAMES = re.compile(r"\b(?:web|redis|mule|slow|typo|run|nobody|root|log|process|getrlimit|setrlimit)\b")
"""Services and accounts of examples."""


def constants() -> set[str]:
    """Every text of the code, cut at what varies, and the reasons of errors."""
    found: set[str] = set()
    for path in (ROOT / "pyinit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes | str):
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                found.update(parts(text))
    return found


def parts(text: str) -> list[str]:
    return [" ".join(part.split()) for part in VARIES.split(NAMES.sub("NAME", text)) if part.strip(" '`.\\")]


KNOWN = constants()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_message_that_a_page_quotes_is_in_the_code(document: Path) -> None:
    for message in QUOTED.findall(document.read_text()):
        unknown = [part for part in parts(message) if not any(part in known for known in KNOWN)]
        assert not unknown, f"{message}: {unknown}"
