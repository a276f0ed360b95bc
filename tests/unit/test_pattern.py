"""djb's patterns against the algorithm as the contract gives it, and whole blocks against lines one by one."""

import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyinit.logs.multilog.lines import label_for
from pyinit.logs.multilog.pattern import Selection, advance, expression, matches, needle
from pyinit.logs.multilog.script import Rule

BYTES = b"ab* .\n\\[^-]\0\xff4@"


def reference(p: bytes, s: bytes) -> bool:
    """The contract's own, byte for byte."""
    i = j = 0
    while True:
        if i == len(p):
            return j == len(s)
        if p[i : i + 1] == b"*":
            i += 1
            if i == len(p):
                return True
            j = s.find(p[i : i + 1], j)
            if j < 0:
                return False
        else:
            if j == len(s) or s[j] != p[i]:
                return False
            i += 1
            j += 1


def texts(alphabet: bytes, most: int = 12) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(list(alphabet)), max_size=most).map(bytes)


patterns = st.one_of(texts(BYTES), texts(b"ab*"))
one_line = st.one_of(texts(BYTES.replace(b"\n", b"")), texts(b"ab*"))


@pytest.mark.parametrize(
    ("pattern", "line", "does"),
    [
        (b"a*c", b"aXYc", True),
        (b"a*c", b"acbc", False),
        (b"a*cbc", b"acbc", True),
        (b"**", b"a*b", True),
        (b"**", b"ab", False),
        (b"**a", b"*a", True),
        (b"", b"", True),
        (b"", b"a", False),
        (b"*", b"", True),
        (b"* status: *", b"@400000006b0154fb055f74ea status: local 0/10", True),
    ],
)
def test_what_daemontools_matches(pattern: bytes, line: bytes, does: bool) -> None:
    assert matches(pattern, line) is does
    assert reference(pattern, line) is does


@given(patterns, one_line)
def test_matching_is_the_reference_algorithm(pattern: bytes, line: bytes) -> None:
    assert matches(pattern, line) == reference(pattern, line)


@given(patterns, one_line)
def test_the_regular_expression_is_the_reference_algorithm(pattern: bytes, line: bytes) -> None:
    source = expression(pattern)
    if source is None:
        assert b"\n" in pattern
        assert not reference(pattern, line)
    else:
        compiled = re.compile(source, re.MULTILINE)
        assert bool(compiled.match(line)) == reference(pattern, line)
        assert bool(compiled.match(b"x\n" + line + b"\nx", 2)) == reference(pattern, line)
        assert bool(compiled.match(line + b"xx", 0, len(line))) == reference(pattern, line)


@given(patterns, one_line)
@example(b"* status: *", b"a status: ")
@example(b"", b"")
@example(b"**a", b"x*a")
def test_the_needle_is_in_every_line_that_matches(pattern: bytes, line: bytes) -> None:
    assert b" " not in needle(pattern)
    if reference(pattern, line):
        assert needle(pattern) in b"\n" + line


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        *((b"status: *", b"\nstatus:"), (b"* a: failure*", b"failure"), (b"a b*c", b"\na"), (b"*", b""), (b"", b"")),
        *((b"*  *", b""), (b"*a", b"a"), (b"a\\b", b"\na\\b")),
    ],
)
def test_the_needle_is_the_longest(pattern: bytes, found: bytes) -> None:
    assert needle(pattern) == found


runs_of_lines = st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 600, 2000]), st.integers(1, 20), st.booleans()))


@given(runs_of_lines, st.integers(0, 30), st.sampled_from([b"ab", b"a"]))
@example([(0, 1, True)], 0, b"ab")
@example([(0, 1, True), (0, 20, False)], 0, b"ab")
@example([(3, 1, True), (600, 8, False)], 0, b"ab")
@example([(3, 1, True), (600, 8, False), (3, 1, False)], 0, b"ab")
def test_the_last_line_that_begins_with_a_word(runs: list[tuple[int, int, bool]], first: int, word: bytes) -> None:
    """However long lines are, and whichever of them it is; others have it elsewhere, or cut off at their end."""
    lines = [(b"ab" if has else b"xab") + b"x" * length for length, count, has in runs for _ in range(count)]
    lines = [line if index % 3 != 1 else b"a" for index, line in enumerate(lines)]
    first = min(first, len(lines))
    starts = [sum(len(line) + 1 for line in lines[:index]) for index in range(len(lines) + 1)]
    expected = [line + b"\n" for line in lines[first:] if line.startswith(word)]
    text = b"".join(line + b"\n" for line in lines) + b"ab"
    if first < len(lines):
        selection = Selection([Rule(False, b"*"), Rule(True, word + b"*")])
        assert selection.last(text, starts[first], starts[-1], b"") == (expected[-1] if expected else b"")


@given(patterns, one_line, one_line)
def test_what_is_left_of_a_pattern_matches_what_is_left_of_the_line(
    pattern: bytes, first: bytes, second: bytes
) -> None:
    rest = advance(pattern, first)
    assert (rest is not None and reference(rest, second)) == reference(pattern, first + second)


rule_lists = st.lists(st.builds(Rule, st.booleans(), st.one_of(patterns, st.sampled_from([b"*", b"* a*", b"@4*"]))))
labels = st.one_of(st.just(b""), st.integers(0, 2**61).map(label_for))
long_lines = st.tuples(st.sampled_from([970, 973, 974, 975, 998, 999, 1000, 1001, 3000]), one_line).map(
    lambda parts: b"a" * (parts[0] - len(parts[1])) + parts[1] + b"b*a"
)
line_lists = st.lists(st.one_of(one_line, one_line, long_lines), min_size=1)


def selected(rules: list[Rule], line: bytes) -> bool:
    """The contract, rule by rule."""
    is_selected = True
    for rule in rules:
        if is_selected != rule.selects and reference(rule.pattern, line[:1000]):
            is_selected = rule.selects
    return is_selected


@given(rule_lists, line_lists, labels)
@example([Rule(False, b"*"), Rule(True, b"")], [b"", b""], b"")
@example([Rule(False, b"")], [b"", b"a", b""], b"")
@example([Rule(False, b"*"), Rule(True, b"aa*b")], [b"a" * 999 + b"b", b"a" * 1000 + b"b", b"aab"], b"")
@example([Rule(False, b"*"), Rule(True, b"* aa*b")], [b"a" * 973 + b"b", b"a" * 974 + b"b", b"aab"], label_for(0))
@example([Rule(False, b"*"), Rule(True, b"ab*")], [b"ab", b"a", b"aab", b"a"], b"")
@example([Rule(False, b"*"), Rule(True, b"ab*")], [b"aab", b"abb", b"aab", b"a"], b"")
@example([Rule(False, b"*"), Rule(True, b"ab*")], [b"ab" + b"x" * 2000, b"a"], b"")
@example([Rule(False, b"ab*")], [b"ab", b"a", b"abb", b"aab", b"a"], b"")
@example([Rule(False, b"*"), Rule(True, b"ab*b")], [b"ab", b"abb", b"ab", b"a"], b"")
@example([Rule(False, b"*"), Rule(True, b"*ab*")], [b"a", b"xab", b"a", b"aba", b"b a"], b"")
@example([Rule(False, b"*ab")], [b"a", b"xab", b"a", b"aba", b"b a"], b"")
def test_a_block_is_selected_as_its_lines_are(rules: list[Rule], lines: list[bytes], label: bytes) -> None:
    expected = [line + b"\n" for line in lines if selected(rules, label + line)]
    text = b"".join(line + b"\n" for line in lines)
    selection = Selection(rules)
    assert selection.lines(text, 0, len(text), label) == b"".join(expected)
    assert selection.last(text, 0, len(text), label) == (expected[-1] if expected else b"")
    for before in (b"\n", b"x\n", b"a\n" * 3000):
        stop = len(before + text)
        assert selection.lines(before + text, len(before), stop, label) == b"".join(expected)
        assert selection.last(before + text + b"b", len(before), stop, label) == (expected[-1] if expected else b"")
    for line in lines:
        assert selection.selects(line, label) == selected(rules, label + line)


@given(st.integers(0, 2**61), st.integers(0, 2**61), patterns)
def test_a_selection_follows_the_labels(first: int, second: int, pattern: bytes) -> None:
    selection = Selection([Rule(False, b"*"), Rule(True, pattern)])
    for label in (label_for(first), label_for(second)):
        lines = [b"", b"a", b"ab", b"* a"]
        expected = b"".join(line + b"\n" for line in lines if reference(pattern, label + line))
        assert selection.lines(b"\na\nab\n* a\n", 0, 10, label) == expected


def test_the_last_line_is_found_however_far_back_it_is() -> None:
    selection = Selection([Rule(False, b"*"), Rule(True, b"x*")])
    for count in (0, 1, 500, 5000, 50000):
        text = b"x%d\nx\n" % count + b"no\n" * count
        assert selection.last(text, 0, len(text), b"") == b"x\n"


@pytest.mark.parametrize("line", [b"no", b"a status: x", b"status: x"])
def test_a_status_is_found_without_regular_expressions(line: bytes) -> None:
    text = (b"no\n" * 9 + line + b"\n") * 5
    program = f"""
import sys
from pyinit.logs.multilog.pattern import Selection
from pyinit.logs.multilog.script import Rule
selection = Selection([Rule(False, b"*"), Rule(True, b"status: *")])
assert selection.last({text!r}, 0, {len(text)}, b"") == {line + bytes([10]) if line[:1] == b"s" else b""!r}
assert "re" not in sys.modules
"""
    subprocess.run([sys.executable, "-ISc", f"import sys; sys.path[:0] = {sys.path!r}" + program], check=True)
