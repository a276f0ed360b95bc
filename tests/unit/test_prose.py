"""The lint of prose: what it counts, and that it fails."""

from pathlib import Path

import prose
import pytest

ROOT = Path(__file__).resolve().parents[2]

LONG = " ".join(["word"] * (prose.MOST + 1)) + "."
SHORT = " ".join(["word"] * prose.MOST) + "."


def found(tmp_path: Path, name: str, source: str) -> list[int]:
    path = tmp_path / name
    path.write_text(source)
    return [line for line, _ in prose.long_sentences(path)]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (f'"""{SHORT}\n\n{SHORT} {SHORT}\n"""\n', []),
        (f'"""{LONG}"""\n', [1]),
        (f'"""Head.\n\nShort. {LONG}\n"""\n', [3]),
        (f'def f():\n    """Head.\n\n    One.\n    {LONG}\n    """\n', [5]),
        (f'x = 1\n"""{LONG}"""\n', [2]),
        (f"x = 1  # {LONG}\n", [1]),
        (f"# One\n# {LONG[:40]}\n# {LONG[40:]}\n", [1]),
        (f"# {SHORT[:-1]}\n\n# {SHORT}\n", []),
        (f'x = """not prose: {LONG}"""\n', []),
        (f'"""Head.\n\nCode:\n\n    {LONG}\n"""\n', []),
        (f'"""Head.\n\nname  {LONG}\n"""\n', []),
        (f'"""Head.\n\n- {SHORT[:-1]}\n- {SHORT}\n"""\n', []),
        (f'"""See `{LONG}` and {SHORT[15:]}"""\n', []),
    ],
)
def test_sentences_of_python(tmp_path: Path, source: str, lines: list[int]) -> None:
    assert found(tmp_path, "a.py", source) == lines


def test_comments_of_shell(tmp_path: Path) -> None:
    source = f"#!/bin/sh\n# {SHORT}\n# {LONG}\necho '{LONG}' # {LONG}\n"
    assert found(tmp_path, "script", source) == [3]
    assert found(tmp_path, "data", source.replace("#!/bin/sh", "")) == []


def test_a_long_sentence_is_a_complaint_unless_its_file_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    path = tmp_path / "long.py"
    path.write_text(f'"""{LONG}"""\n')
    assert list(prose.complaints([path])) == [f"long.py:1: {prose.MOST + 1} words: {LONG}"]


def test_pages_are_prose_but_for_code_tables_and_headings(tmp_path: Path) -> None:
    page = f"# {LONG}\n\n| {LONG} |\n\n```\n{LONG}\n```\n\n{SHORT} [{SHORT[:-1]}](x).\n\n{LONG}\n"
    assert found(tmp_path, "a.md", page) == [11]
