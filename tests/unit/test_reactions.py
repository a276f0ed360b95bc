"""The table of signals, and the map that overrides it."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.init import reactions as signals
from pyinit.init.reactions import (
    CATCHABLE,
    DELIVER,
    FORWARD,
    IGNORE,
    OURS,
    RESCAN,
    ROTATE,
    STOP,
    STOPPING,
    SUSPEND,
    Reaction,
    parse_map,
    reactions,
)
from pyinit.system.signals import number_of

ALL = CATCHABLE - OURS


def test_every_signal_that_can_be_caught_is_in_the_table() -> None:
    assert frozenset(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP} == CATCHABLE
    assert frozenset({1, 15, 34, 64}) <= CATCHABLE
    for has_command in (False, True):
        for has_services in (False, True):
            assert set(reactions({}, has_command, has_services)) == ALL


@pytest.mark.parametrize("number", sorted(ALL))
def test_what_each_does(number: int) -> None:
    own = Reaction(FORWARD, number)
    assert reactions({}, True, False)[number] == own, "a command alone gets everything, as under tini"
    usual = Reaction(STOP) if number in STOPPING else Reaction(RESCAN) if number == signal.SIGHUP else None
    assert reactions({}, False, True)[number] == (usual or Reaction(IGNORE))
    assert reactions({}, False, False)[number] == (usual or Reaction(IGNORE))
    assert reactions({}, True, True)[number] == (usual or own)


def test_what_stops() -> None:
    names = ("TERM", "INT", "QUIT", "PWR", "RTMIN+3")
    assert {number_of(name.encode()) for name in names} == STOPPING


def test_io_is_the_commands_where_no_directory_is_watched() -> None:
    assert reactions({}, True, False, OURS - {signal.SIGIO})[signal.SIGIO] == Reaction(FORWARD, signal.SIGIO)
    assert signal.SIGIO not in reactions({}, True, False)


def test_a_map_with_every_action() -> None:
    text = b"TERM=stop, HUP=rescan\tUSR1=rotate\nWINCH=ignore USR2=forward,USR1=forward:HUP CONT=nginx:HUP TSTP=suspend"
    assert parse_map(text) == {
        signal.SIGTERM: Reaction(STOP),
        signal.SIGHUP: Reaction(RESCAN),
        signal.SIGUSR1: Reaction(FORWARD, signal.SIGHUP),
        signal.SIGWINCH: Reaction(IGNORE),
        signal.SIGUSR2: Reaction(FORWARD, signal.SIGUSR2),
        signal.SIGCONT: Reaction(DELIVER, signal.SIGHUP, b"nginx"),
        signal.SIGTSTP: Reaction(SUSPEND, signal.SIGTSTP),
    }
    assert parse_map(b"USR1=rotate")[signal.SIGUSR1] == Reaction(ROTATE)
    assert parse_map(b"") == parse_map(b" ,\n") == {}


@pytest.mark.parametrize(
    "text",
    [
        *(b"TERM", b"TERM=", b"=stop", b"TERM=explode", b"FOO=stop", b"TERM=forward:FOO", b"TERM=nginx:FOO"),
        *(b"KILL=stop", b"STOP=ignore", b"CHLD=ignore", b"IO=stop", b"SEGV=ignore", b"32=stop"),
    ],
)
def test_a_bad_map(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_map(text)


@given(st.dictionaries(st.sampled_from(sorted(ALL)), st.sampled_from([b"stop", b"ignore", b"web:1", b"forward:2"])))
def test_what_is_mapped_is_overridden_and_nothing_else(wanted: dict[int, bytes]) -> None:
    overrides = parse_map(b" ".join(b"%d=%b" % pair for pair in wanted.items()))
    for has_services in (False, True):
        table, usual = reactions(overrides, True, has_services), reactions({}, True, has_services)
        assert {number: table[number] for number in overrides} == overrides
        assert all(table[number] == usual[number] for number in ALL - set(overrides))


def test_reactions_compare_by_what_they_do() -> None:
    assert Reaction(STOP) != Reaction(IGNORE)
    assert Reaction(FORWARD, 1) != Reaction(FORWARD, 2)
    assert Reaction(DELIVER, 1, b"a") != Reaction(DELIVER, 1, b"b")
    assert Reaction(STOP) != signals.STOP
