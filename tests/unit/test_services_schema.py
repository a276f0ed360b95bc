"""docs/services.schema.json and the page of services.toml, held against what reads the file."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pyinit.convert import keys
from pyinit.convert.source import Source, described
from pyinit.convert.tables import files_of
from pyinit.services.definition.definition import SETTINGS

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "services.schema.json").read_text())
PARTS = SCHEMA["definitions"]
PAGE = (DOCS / "reference/services-toml.md").read_text()
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WRONG = tuple(f"has to be {what}" for what in ("a ", "the ", "true"))
TRIED: list[object] = [True, False, 0, 5, -1, 1.5, "x", "5", "", [], ["x"], [1], [["x"]], {}, {"x": 1}]


def is_valid(document: object) -> bool:
    return bool(jsonschema.Draft7Validator(SCHEMA).is_valid(document))


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_keys_are_those_of_the_parser() -> None:
    assert set(PARTS["service"]["properties"]) == keys.KEYS
    assert set(PARTS["log"]["properties"]) == keys.LOG_KEYS
    assert set(PARTS["log"]["else"]["propertyNames"]["enum"]) == set(keys.LOG_FILES)
    assert set(PARTS["limits"]["properties"]) == set(keys.LIMIT_LETTERS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_key_is_described_as_its_page_begins(name: str) -> None:
    page = (DOCS / f"reference/{name}.md").read_text()
    assert PARTS["service"]["properties"][name]["description"] == " ".join(page.split("\n\n")[1].split())


@pytest.mark.parametrize("key", sorted(keys.KEYS))
def test_a_type_is_right_to_both_or_wrong_to_both(key: str) -> None:
    """What the schema refuses the parser does too; what the schema takes has no wrong type for the parser."""
    for value in TRIED:
        table = {"run": "x", "type": "oneshot", "check": "x", key: value}
        mistakes = [str(mistake) for mistake in files_of("web", table)[1]]
        if is_valid({"web": table}):
            assert not [reason for reason in mistakes if reason.startswith(WRONG)], value
        else:
            assert mistakes, value


@pytest.mark.parametrize("part", ["run", "script", "user", "fold", "env", "limits", "umask", "dir", "down", "secrets"])
def test_the_table_log_likewise(part: str) -> None:
    for has_run in (False, True):
        for value in TRIED:
            log = {**({"run": "y"} if has_run else {}), part: value}
            mistakes = files_of("web", {"run": "x", "log": log})[1]
            if not is_valid({"web": {"run": "x", "log": log}}):
                assert mistakes, (log, value)
            else:
                assert not [str(mistake) for mistake in mistakes if str(mistake).startswith(WRONG)], (log, value)


@pytest.mark.parametrize("name", ["", ".x", "a/b", "web"])
def test_names_of_services(name: str) -> None:
    assert is_valid({name: {"run": "x"}}) == (not files_of(name, {"run": "x"})[1])


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_page_are_good(text: str) -> None:
    jsonschema.validate(tomllib.loads(text), SCHEMA)
    assert [str(mistake) for _, mistake in Source(text).mistakes] == []


def test_the_page_shows_the_files_of_its_first_example() -> None:
    rows = re.findall(
        r"^\| `([\w/-]+)` \| (.*) \|$", PAGE.partition("becomes these files")[2].partition("## ")[0], re.M
    )
    shown = {
        name: "\n".join(re.findall(r"`([^`]+)`", text)) + ("" if text == "nothing" else "\n") for name, text in rows
    }
    contents = Source(EXAMPLES[0]).services[b"web"].contents
    assert shown == {name.decode(): content.decode() for name, content in contents.items()}


def test_the_mistakes_that_the_page_shows() -> None:
    shown = re.findall(r"^    (services.toml:\d+: .*)$", PAGE, re.MULTILINE)
    text = (
        "[web]\nrun = 'x'\nneed = []\n\n\n\n[php]\nrun = 'x'\nready = 'prot 80'\n\n\n"
        "[app]\nrun = 'x'\nlimits = { nofiles = 1 }\n"
    )
    found = [described(b"services.toml", line, mistake).decode() for line, mistake in Source(text).mistakes]
    assert found == shown


def test_the_page_names_every_key_in_its_table() -> None:
    table = PAGE.partition("\n## Keys")[2].partition("\n\n`softlimit`")[0]
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`([\w-]+)`", row)
    }
    assert named == keys.KEYS
