"""docs/reference: a page for each file of a service directory, held against what reads the files."""

import os
import re
import tempfile
from pathlib import Path

import pytest

from pyinit.services.definition.definition import PROGRAM, SETTINGS, Definition
from pyinit.services.definition.reading import read_definition
from pyinit.services.definition.words import duration
from pyinit.services.life import health, policy, readiness

REFERENCE = Path(__file__).parents[2] / "docs/reference"
INDEX = (REFERENCE / "README.md").read_text()
PAGES = {
    page.stem: page.read_text()
    for page in REFERENCE.glob("*.md")
    if page.stem not in ("README", "doctor", "services-toml")
}

SCRIPT = "#!/bin/sh\n"
BESIDE = {"timer": {"type": "oneshot\n"}, "ready": {"check": SCRIPT}, "health": {"check": SCRIPT}}
"""Files that have to be there, too, for an example of a page."""


def row(name: str, page: str) -> str:
    found = re.search(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)
    assert found, name
    return found[1]


def sections(page: str) -> dict[str, str]:
    _, *rest = page.split("\n## ")
    return {heading: text for heading, _, text in (part.partition("\n") for part in rest)}


def examples(name: str) -> list[str]:
    blocks: list[str] = re.findall(
        r"^```(?:sh)?\n(.*?)```$", sections(PAGES[name])["Examples"], re.MULTILINE | re.DOTALL
    )
    return blocks


def mistakes(name: str) -> list[tuple[str, str]]:
    table = sections(PAGES[name]).get("Bad content", "")
    rows: list[tuple[str, str]] = re.findall(r"^\| `(.*)` \| `(.*)` \|$", table, re.MULTILINE)
    return rows


def define(name: str, content: str) -> Definition:
    with tempfile.TemporaryDirectory() as top:
        for file, text in {**BESIDE.get(name, {}), name: content}.items():
            path = Path(top, file)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
        directory_fd = os.open(top, os.O_PATH)
        definition = read_definition(directory_fd)
        os.close(directory_fd)
    return definition


def test_each_file_has_a_page_and_each_page_a_file() -> None:
    assert sorted(PAGES) == sorted(SETTINGS)


def test_the_index_is_the_table_of_the_files() -> None:
    rows = re.findall(r"^\| \[`(\S+)`\]\((\S+)\.md\) \| (.*) \| (.*) \|$", INDEX, re.MULTILINE)
    assert rows == [(name, name, row("format", PAGES[name]), row("absent", PAGES[name])) for name in SETTINGS], (
        "in the order in which they are read"
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_a_page_has_its_parts(name: str) -> None:
    page = PAGES[name]
    assert re.match(rf"# {name}\n\n[A-Z][^\n]*\.\n\n\| \| \|\n", page)
    assert row("known from", page)
    expected = ["Meaning", "Examples", *(["Bad content"] if SETTINGS[name] != PROGRAM else []), "See also"]
    assert list(sections(page)) == expected
    assert all(text.strip() for text in sections(page).values())


@pytest.mark.parametrize(("name", "content"), [(name, content) for name in SETTINGS for content in examples(name)])
def test_the_examples_are_good(name: str, content: str) -> None:
    definition = define(name, content)
    assert (definition.refusal, definition.troubles) == (None, ())


@pytest.mark.parametrize(
    ("name", "content", "reason"), [(name, *mistake) for name in SETTINGS for mistake in mistakes(name)]
)
def test_the_mistakes_have_their_reasons(name: str, content: str, reason: str) -> None:
    assert define(name, content).refusal == (name.encode(), reason.encode())


def test_each_page_shows_an_example_and_most_show_mistakes() -> None:
    assert all(examples(name) for name in SETTINGS)
    assert all(len(mistakes(name)) >= 1 for name, kind in SETTINGS.items() if kind != PROGRAM)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("type", (b"longrun", b"oneshot")),
        ("restart", (policy.ALWAYS, policy.ON_FAILURE, policy.NEVER)),
        ("kill-mode", (policy.PROCESS, policy.MIXED, policy.GROUP)),
        ("ready", (readiness.UP, readiness.FD, readiness.NOTIFY, readiness.LOG, readiness.AFTER, *readiness.POLLED)),
        ("health", (health.CHECK, health.PORT, health.UNIX, health.HTTP, health.WATCHDOG)),
        ("health", (health.RESTART, health.FAIL, health.IGNORE)),
    ],
)
def test_a_page_names_all_words(name: str, words: tuple[bytes, ...]) -> None:
    said = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"`([^`]+)`", row("format", PAGES[name])))))
    assert {word.decode() for word in words} <= said
    meant = sections(PAGES[name])["Meaning"]
    assert name == "type" or all(f"`{word.decode()}" in meant for word in words)


def test_what_is_absent_is_as_the_pages_say() -> None:
    plain = policy.AS_DAEMONTOOLS
    for name, seconds in (("timeout-up", plain.timeout_up), ("timeout-finish", plain.timeout_finish)):
        assert duration(row("absent", PAGES[name]).encode(), 0.001) == seconds
    assert f"{policy.PATIENCE:.0f} s after" in row("absent", PAGES["timeout-kill"])
    assert row("absent", PAGES["restart"]).startswith(f"`{plain.restart.decode()}`")
    assert row("absent", PAGES["kill-mode"]) == f"`{plain.kill_mode.decode()}`"
    asked = health.Health(health.CHECK)
    meaning = " ".join(sections(PAGES["health"])["Meaning"].split())
    assert meaning.count(f"{asked.every:.0f} s if absent") == 2, "every and timeout"
    assert f"`failures` in a row, {asked.failures} if absent" in meaning
