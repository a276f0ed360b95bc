"""convert/positions: the line of each key, over written examples and over texts that Hypothesis writes."""

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from pyinit.convert.positions import line_numbers, line_of


def test_tables_dotted_and_quoted_keys_and_inline_tables() -> None:
    text = '''# a comment with [brackets] = and "quotes"
[web]
run = """
a = 1
[db]
\\""" quoted""""
env.TZ = "UTC"  # "no string"
env."A B".'c=d' = 1
limits = { nofile = 1, "n]}" = '}', sub = { x = [1, { y = 2 }] } }
needs = [
  "a", # ]
  'b]',
]
\'mode\' = \'\'\'
'x' = 1''\'\'\'
umask = 0x10
"the end".at = 1979-05-27 07:32:00

[ web . log ]
script = "t"
[["a.b"]]
c = 1
'''
    tomllib.loads(text)
    assert line_numbers(text) == {
        ("web",): 2,
        ("web", "run"): 3,
        ("web", "env"): 7,
        ("web", "env", "TZ"): 7,
        ("web", "env", "A B"): 8,
        ("web", "env", "A B", "c=d"): 8,
        ("web", "limits"): 9,
        ("web", "limits", "nofile"): 9,
        ("web", "limits", "n]}"): 9,
        ("web", "limits", "sub"): 9,
        ("web", "limits", "sub", "x"): 9,
        ("web", "needs"): 10,
        ("web", "mode"): 14,
        ("web", "umask"): 16,
        ("web", "the end"): 17,
        ("web", "the end", "at"): 17,
        ("web", "log"): 19,
        ("web", "log", "script"): 20,
        ("a.b",): 21,
        ("a.b", "c"): 22,
    }


@pytest.mark.parametrize("text", ["", "\n", "# only", "a=1", "a = {}", "a = []", "a = ''", '[a]\nb = """"""'])
def test_short_ones(text: str) -> None:
    assert set(line_numbers(text)) == set(paths(tomllib.loads(text), ()))


def test_the_nearest_table_with_a_line() -> None:
    lines = {("web",): 4, ("web", "env"): 6}
    assert line_of(("web", "env", "TZ"), lines) == 6
    assert line_of(("web", "run"), lines) == 4
    assert line_of(("db",), lines) == 1


def paths(value: object, here: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Every key of a document, but for those in arrays."""
    found = {here} if here else set()
    if isinstance(value, dict):
        for name, inner in value.items():
            found |= paths(inner, (*here, name))
    return found


NAME = some.text(some.sampled_from("ab c=.#[]\"'\\{}é\n"), min_size=1, max_size=5)
BARE = some.text(some.sampled_from("abcXYZ-_019"), min_size=1, max_size=4)
TEXT = some.text(some.sampled_from("ab\"'\\=[]{}#,.\n x"), max_size=10)

Keys = list[tuple[tuple[str, ...], int]]
"""Paths of keys, each with the offset in the text at which it begins."""


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def long(text: str) -> str:
    """As a string of many lines; up to two quotes at its end stay as they are."""
    body = text.replace("\\", "\\\\").replace('"""', '""\\"')
    return f'"""\n{body}"""'


@some.composite
def key(draw: some.DrawFn) -> tuple[str, str]:
    """A name, and a way to write it."""
    if draw(some.booleans()):
        name = draw(BARE)
        return name, name
    name = draw(NAME)
    if not {"'", "\n"} & set(name) and draw(some.booleans()):
        return name, f"'{name}'"
    return name, quoted(name)


@some.composite
def value(draw: some.DrawFn, depth: int = 2) -> tuple[str, Keys]:
    """A value as TOML, and the keys in it that have a path."""
    kind = draw(some.sampled_from(["short", "long", "literal", "long literal", "number", "array", "table"]))
    text = draw(TEXT)
    if kind == "table" and depth:
        return draw(inline_table(depth - 1))
    if kind == "array" and depth:
        inner = draw(some.lists(value(depth - 1), max_size=2))
        return "[\n" + "".join(f"  {text}, # ]\n" for text, _ in inner) + "]", []
    written = {
        "short": quoted(text),
        "long": long(text),
        "literal": "'" + text.replace("'", "").replace("\n", "") + "'",
        "long literal": "'''" + text.replace("'", "") + draw(some.sampled_from(["", "'", "''"])) + "'''",
    }
    return written.get(kind, "17"), []


@some.composite
def inline_table(draw: some.DrawFn, depth: int) -> tuple[str, Keys]:
    text = "{ "
    found: Keys = []
    pairs = draw(some.lists(some.tuples(key(), value(depth)), max_size=2, unique_by=lambda pair: pair[0][0]))
    for (name, written), (content, inner) in pairs:
        text += ", " if found else ""
        found.append(((name,), len(text)))
        text += f"{written} = "
        found += [((name, *path), offset + len(text)) for path, offset in inner]
        text += content
    return text + " }", found


@some.composite
def document(draw: some.DrawFn) -> tuple[str, Keys]:
    """A text, and its keys."""
    text = ""
    found: Keys = []
    tables = draw(some.lists(some.lists(key(), min_size=1, max_size=2), max_size=3, unique_by=lambda keys: keys[0][0]))
    for keys in tables:
        text += draw(some.sampled_from(["", "\n", "# [x] = 'y\n"]))
        path = tuple(name for name, _ in keys)
        found += [(path[: length + 1], len(text)) for length in range(len(path))]
        dot = draw(some.sampled_from([".", " . "]))
        text += "[ " + dot.join(written for _, written in keys) + " ]  # [x]\n"
        pairs = draw(some.lists(some.tuples(key(), value()), max_size=3, unique_by=lambda pair: pair[0][0]))
        for (name, written), (content, inner) in pairs:
            found.append(((*path, name), len(text)))
            text += f"{written}\t= "
            found += [((*path, name, *rest), offset + len(text)) for rest, offset in inner]
            text += content + draw(some.sampled_from(["\n", " # = ['\n"]))
    return text, found


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(document())
def test_every_key_has_the_line_it_was_written_on(written: tuple[str, Keys]) -> None:
    text, keys = written
    found = line_numbers(text)
    assert set(found) == paths(tomllib.loads(text), ())
    assert found == {path: text.count("\n", 0, offset) + 1 for path, offset in keys}
