"""Every scenario on our commands and on mixes of both, held against what Debian's C programs do in the same run."""

import os
from collections.abc import Callable

import pytest
from conformance.scenario import STREAMS, Outcome, Scenario, all_scenarios

CASES = [
    pytest.param(scenario, how, id=f"{scenario.name}-{how}")
    for scenario in all_scenarios()
    for how in (("ours", "mixed", "crossed") if scenario.can_be_mixed() else ("ours",))
]

Outcomes = Callable[[Scenario, str], Outcome]

BROKEN = (b"not found", b"Syntax error", b"never:")
"""What only a scenario that is itself wrong makes the shell say."""


def clipped(value: object) -> str:
    text = repr(value)
    return text if len(text) < 3000 else f"{text[:1500]} ... {text[-1500:]}"


def problem(scenario: Scenario, outcome: Outcome, expected: Outcome) -> str | None:
    """What is wrong with an outcome, if anything is."""
    if expected.exit is None:
        return "the C programs take too long"
    if any(sign in expected.stderr for sign in BROKEN):
        return "the scenario is broken"
    if outcome.exit is None:
        return "ours takes too long"
    for stream in STREAMS:
        same = outcome.masked[stream] == expected.masked[stream]
        if same == (stream in scenario.differs):
            return f"{stream} differs" if not same else f"{stream} does not differ, though {scenario.why}"
    return None


@pytest.mark.parametrize(("scenario", "how"), CASES)
def test_as_the_c_programs_do(scenario: Scenario, how: str, outcomes: Outcomes) -> None:
    if scenario.needs_root and os.geteuid() != 0:
        pytest.fail("this scenario changes users or mounts: run the suite as root (in a container, for example)")
    expected = outcomes(scenario, "debian")
    outcome = outcomes(scenario, how)
    if what := problem(scenario, outcome, expected):
        rows = [f"{name}: {clipped(outcome.masked[name])}\n   C: {clipped(expected.masked[name])}" for name in STREAMS]
        pytest.fail("\n".join([f"{scenario.name}: {what}", scenario.text, *rows]), pytrace=False)
