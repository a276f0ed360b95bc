"""The exit code of a container, over everything that can have happened."""

import pytest

from pyinit.init.exit import exit_code


def test_without_a_command_it_is_0() -> None:
    assert exit_code(None) == 0
    assert exit_code(None, frozenset({0, 143})) == 0


def test_lost_lines_are_told_where_no_command_has_a_code() -> None:
    assert exit_code(None, has_lost=True) == 112
    assert exit_code(0, has_lost=True) == 0
    assert exit_code(7, has_lost=True) == 7


@pytest.mark.parametrize("outcome", [*range(256), *range(-64, 0)])
def test_over_the_whole_table(outcome: int) -> None:
    code = outcome if outcome >= 0 else 128 + -outcome
    assert exit_code(outcome) == code
    assert exit_code(outcome, frozenset({code})) == 0
    assert exit_code(outcome, frozenset(range(256)) - {code}) == code
