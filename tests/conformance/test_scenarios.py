"""Every scenario on our commands and on mixes of both, held against what Debian's C programs do in the same run."""

import os

import pytest
from conformance.scenario import STREAMS, Outcome, Scenario, all_scenarios

CASES = [
    pytest.param(scenario, how, id=f"{scenario.name}-{how}")
    for scenario in all_scenarios()
    for how in (("ours", "mixed", "crossed") if scenario.can_be_mixed() else ("ours",))
]

BROKEN = (b"not found", b"Syntax error", b"never:")
"""What only a scenario that is itself wrong makes the shell say."""


def told(scenario: Scenario, outcome: Outcome, expected: Outcome) -> str:
    rows = (f"{name}: {outcome.masked[name]!r}\n   C: {expected.masked[name]!r}" for name in STREAMS)
    return "\n".join([scenario.name, scenario.text, *rows])


@pytest.mark.parametrize(("scenario", "how"), CASES)
def test_as_the_c_programs_do(scenario: Scenario, how: str, outcomes) -> None:
    if scenario.needs_root and os.geteuid() != 0:
        pytest.fail("this scenario changes users or mounts: run the suite as root (in a container, for example)")
    expected = outcomes(scenario, "debian")
    outcome = outcomes(scenario, how)
    report = told(scenario, outcome, expected)
    assert expected.exit is not None, f"took too long with the C programs\n{report}"
    assert not any(sign in expected.stderr for sign in BROKEN), f"the scenario is broken\n{report}"
    assert outcome.exit is not None, f"took too long\n{report}"
    for stream in STREAMS:
        same = outcome.masked[stream] == expected.masked[stream]
        if stream in scenario.differs:
            assert not same, f"{stream} is said to differ ({scenario.why}), but does not\n{report}"
        else:
            assert same, f"{stream} differs\n{report}"
