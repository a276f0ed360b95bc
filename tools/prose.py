#!/usr/bin/env python3
"""Holds the sentences of docstrings, comments and pages to 25 words.

    prose.py [FILE ...]     of these files; of every file of the project without any

A sentence that is too long is printed with its file and line, and the exit code is 1. Tables, code, indented blocks and
URLs are not prose; `code in backticks` counts as one word.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("pyinit", "tests", "benchmarks/*.py", "tools", "images", "docs", ":(glob)*.md")
MOST = 25

Block = tuple[int, str]
"""The line at which a text begins, and the text."""

END = re.compile(r"""(?<!e\.g)(?<!i\.e)[.!?]["')\]*]*(?=\s+\S)""")
DIRECTIVE = re.compile(r"!|\s*(noqa|type:|ruff:|pragma:|fmt:|mypy:|shellcheck)|[\s#=*-]*$|: ")
ITEM = re.compile(r"\s*([-*]|\d+\.) ")
TABLE = re.compile(r"\S.*\S {2,}\S|^\s*\|.*\||^[-=+ ]+$")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text, each with the number of lines before it. Tables and indented blocks are left out."""
    for line, paragraph in _paragraphs(text):
        start = 0
        for stop in [*(found.end() for found in END.finditer(paragraph)), len(paragraph)]:
            sentence = paragraph[start:stop]
            begins = start + len(sentence) - len(sentence.lstrip())
            if sentence.strip():
                yield line + paragraph.count("\n", 0, begins), " ".join(sentence.split())
            start = stop


def _paragraphs(text: str) -> Iterator[Block]:
    """What is read as a whole: a paragraph or an item of a list, with the number of lines before it."""
    lines: list[str] = []
    start = 0
    for number, line in enumerate([*text.split("\n"), ""]):
        is_item = ITEM.match(line)
        is_over = not line.strip() or TABLE.search(line) or (line.startswith("    ") and not is_item)
        if lines and (is_over or is_item):
            yield start, "\n".join(lines)
            lines = []
        if not is_over:
            start = start if lines else number
            lines.append(line)


def words(sentence: str) -> int:
    """How many words a sentence has: a piece of code or an address is one."""
    sentence = re.sub(r"`+[^`]+`+", "code", sentence)
    return sum(any(map(str.isalnum, word)) for word in sentence.split())


def of_python(source: str) -> Iterator[Block]:
    """The docstrings and comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            first, *rest = node.value.value.expandtabs().split("\n")
            margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
            yield node.lineno, "\n".join([first.strip(), *(line[margin:] for line in rest)])
    comments = [
        (token.start[0], token.string[1:], not token.line[: token.start[1]].strip())
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield from _joined(comments)


def of_shell(source: str) -> Iterator[Block]:
    """The comments of a shell script, a Dockerfile or a Makefile that have a line of their own."""
    lines = enumerate(source.split("\n"), 1)
    yield from _joined([(number, line.strip()[1:], True) for number, line in lines if line.lstrip().startswith("#")])


def of_markdown(source: str) -> Iterator[Block]:
    """A page without its fenced code, headings, tables and comments. A link is its text."""
    lines, is_fenced = [], False
    for line in source.split("\n"):
        is_fence = line.lstrip().startswith("```")
        is_fenced ^= is_fence
        is_prose = not (is_fence or is_fenced or line.startswith(("#", "|", "<!--")))
        lines.append(re.sub(r"\]\([^)]*\)", "]", line) if is_prose else "")
    yield 1, "\n".join(lines)


def _joined(comments: list[tuple[int, str, bool]]) -> Iterator[Block]:
    """Comments on lines of their own that follow each other are one text."""
    lines: list[str] = []
    start = last = 0
    for number, text, is_alone in comments:
        if DIRECTIVE.match(text):
            continue
        if lines and not (is_alone and number == last + 1):
            yield start, "\n".join(lines)
            lines = []
        start = start if lines else number
        lines.append(text.removeprefix(" "))
        last = number if is_alone else -1
    if lines:
        yield start, "\n".join(lines)


def long_sentences(path: Path) -> list[tuple[int, str]]:
    """The sentences of a program that have more than MOST words, each with its line. Another file has none."""
    try:
        source = path.read_text()
    except UnicodeDecodeError:
        return []
    begins = source.partition("\n")[0]
    if path.suffix == ".py" or (begins.startswith("#!") and "python" in begins):
        blocks = of_python(source)
    elif path.suffix == ".sh" or path.name in ("Dockerfile", "Makefile") or re.match(r"#!.*sh\b", begins):
        blocks = of_shell(source)
    elif path.suffix == ".md":
        blocks = of_markdown(source)
    else:
        return []
    found = [(start + line, sentence) for start, text in blocks for line, sentence in sentences(text)]
    return sorted((line, sentence) for line, sentence in found if words(sentence) > MOST)


def project() -> list[Path]:
    """The files of the project that have prose, tracked or new."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOMS, "Makefile", "Dockerfile"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [path for path in map(ROOT.joinpath, sorted(names)) if path.is_file() and not path.is_symlink()]


def complaints(paths: list[Path]) -> Iterator[str]:
    """One line for each long sentence of the files."""
    for path in paths:
        for line, sentence in long_sentences(path):
            yield f"{path.relative_to(ROOT)}:{line}: {words(sentence)} words: {sentence}"


def main() -> int:
    """Print the complaints; 1 if there are any."""
    named = [Path(name).resolve() for name in sys.argv[1:]]
    found = list(complaints(named or project()))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
