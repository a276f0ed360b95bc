"""docs/states.md is drawn from the table that decides."""

import re
from pathlib import Path

from states import page_part

from pyinit.services.life import state

PAGE = (Path(__file__).resolve().parents[2] / "docs/states.md").read_text()


def test_the_page_shows_the_table() -> None:
    shown = re.search(r"<!-- begin: tools/states.py -->\n(.*?)\n<!-- end -->", PAGE, re.DOTALL)
    assert shown
    assert shown[1] == page_part(), "run tools/states.py and put its output into docs/states.md"


def test_the_page_explains_each_phase() -> None:
    explained = re.findall(r"^\| (\w+) \| [a-z`]", PAGE.partition("## The phases")[2], re.MULTILINE)
    assert [phase.encode() for phase in explained if phase != "phase"] == list(state.TABLE)


def test_the_page_explains_each_event() -> None:
    events = {name.lower() for events in state.TABLE.values() for name in (event.__name__ for event in events)}
    told = set(re.findall(r"\*\*([a-z ]+)\*\*", PAGE.partition("## The events")[2]))
    assert {word.replace(" ", "") for word in told} == events
