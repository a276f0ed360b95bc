"""The service state machine: by table, and by Hypothesis over all histories."""

from _signal import SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.control import ALPHABET, DOWN, NEITHER, UP
from pyinit.services.life import state

BOOT = 1_000_000_000


def machine(want: int = UP) -> state.State:
    return state.State(want, BOOT)


def told(actions: list) -> list:
    """Actions as words, to compare."""
    words = []
    for action in actions:
        match action:
            case state.Signal(number):
                words.append(number)
            case state.Wait(until):
                words.append(("wait", until))
            case _:
                words.append(type(action).__name__.lower())
    return words


def at(seconds: float) -> state.Now:
    return state.Now(seconds, BOOT + int(seconds * 1e9))


def run(*history: tuple[float, object], want: int = UP) -> tuple[state.State, list]:
    """Feed (time, event or letters) pairs; the last state and the last step's actions."""
    now, actions = machine(want), []
    for seconds, event in history:
        events = [state.Commanded(letter) for letter in event] if isinstance(event, bytes) else [event]
        actions = []
        for each in events:
            now, more = state.step(now, each, at(seconds))
            actions += more
    return now, told(actions)


UP_AND_RUNNING = ((0.0, state.Opened()), (0.0, state.Started(42)))


def test_a_service_wanted_up_starts_when_its_directory_is_opened():
    assert run((0.0, state.Opened()))[1] == ["start"]


def test_a_service_with_a_down_file_waits_to_be_told():
    assert run((0.0, state.Opened()), want=DOWN)[1] == ["announce"]
    assert run((0.0, state.Opened()), (0.0, b"u"), want=DOWN)[1] == ["start"]


def test_started_is_announced_with_pid_and_time():
    now, actions = run((0.0, state.Opened()), (0.5, state.Started(42)))
    assert actions == ["announce"]
    assert (now.pid, now.since, now.paused) == (42, BOOT + 500_000_000, False)


@pytest.mark.parametrize(
    ("letter", "actions"),
    [
        (b"u", ["announce"]),
        (b"d", [SIGTERM, SIGCONT, "announce"]),
        (b"o", ["announce"]),
        (b"x", ["announce"]),
        (b"p", ["announce", SIGSTOP]),
        (b"c", ["announce", SIGCONT]),
        (b"h", [SIGHUP]),
        (b"a", [SIGALRM]),
        (b"i", [SIGINT]),
        (b"t", [SIGTERM]),
        (b"k", [SIGKILL]),
        (b"?", []),
        (b"\xff", []),
    ],
)
def test_what_each_letter_does_to_a_running_service(letter, actions):
    assert run(*UP_AND_RUNNING, (5.0, letter))[1] == actions


@pytest.mark.parametrize("letter", [bytes([letter]) for letter in ALPHABET])
def test_no_letter_signals_a_service_that_is_down(letter):
    _, actions = run((0.0, state.Opened()), (5.0, letter), want=DOWN)
    assert not [action for action in actions if isinstance(action, int)]


def test_one_that_ran_for_a_second_is_restarted_at_once():
    assert run(*UP_AND_RUNNING, (1.0, state.Died()))[1] == ["start"]


def test_one_that_died_at_once_waits_out_the_second():
    history = (*UP_AND_RUNNING, (0.1, state.Died()))
    assert run(*history)[1] == ["announce", ("wait", 1.0)]
    assert run(*history, (1.0, state.Waited()))[1] == ["start"]


def test_commands_are_obeyed_while_a_start_is_waited_for():
    history = (*UP_AND_RUNNING, (0.1, state.Died()))
    assert run(*history, (0.2, b"d"))[1] == ["announce"]
    assert run(*history, (0.2, b"d"), (0.3, b"u"))[1] == ["announce", ("wait", 1.0)]
    assert run(*history, (0.2, b"dx"))[1] == ["announce", "announce", "leave"]


def test_up_does_not_shorten_the_wait():
    assert run(*UP_AND_RUNNING, (0.1, state.Died()), (0.2, b"u"))[1] == ["announce", ("wait", 1.0)]


def test_a_failed_start_is_tried_again_in_a_second_while_wanted_up():
    assert run((0.0, state.Opened()), (0.0, state.NotStarted()))[1] == ["announce", ("wait", 1.0)]
    assert run((0.0, state.Opened()), (0.0, b"o"), (0.0, state.NotStarted()), want=DOWN)[1] == ["announce"]


def test_once_means_no_restart():
    assert run((0.0, state.Opened()), (0.0, b"o"), (0.0, state.Started(9)), (5.0, state.Died()), want=DOWN)[1] == [
        "announce"
    ]
    assert run(*UP_AND_RUNNING, (1.0, b"o"), (5.0, state.Died()))[1] == ["announce"]


def test_exit_beats_wanted_up_and_keeps_its_letter():
    now, actions = run(*UP_AND_RUNNING, (2.0, b"x"), (3.0, state.Died()))
    assert actions == ["announce", "leave"]
    assert (now.want, now.pid, now.gone) == (UP, 0, True)


def test_exit_of_a_service_that_is_down_leaves_at_once():
    assert run((0.0, state.Opened()), (0.0, b"x"), want=DOWN)[1] == ["announce", "leave"]


def test_exit_cannot_be_taken_back():
    assert run(*UP_AND_RUNNING, (2.0, b"xu"), (3.0, state.Died()))[1] == ["announce", "leave"]


def test_once_then_exit_runs_it_once():
    history = ((0.0, state.Opened()), (0.0, b"o"), (0.0, state.Started(9)), (0.0, b"x"))
    assert run(*history, (0.1, state.Died()), want=DOWN)[1] == ["announce", "leave"]


def test_one_that_just_died_runs_once_more_before_exit():
    history = (*UP_AND_RUNNING, (0.1, state.Died()), (0.2, b"x"))
    assert run(*history)[1] == ["announce", ("wait", 1.0)]
    assert run(*history, (1.0, state.Waited()), (1.0, state.Started(43)), (1.1, state.Died()))[1] == [
        "announce",
        "leave",
    ]


def test_a_start_ends_the_pause():
    assert run((0.0, state.Opened()), (0.0, b"p"), (0.0, b"u"), (0.0, state.Started(9)), want=DOWN)[0].paused is False


EVENTS = st.one_of(
    st.sampled_from([bytes([letter]) for letter in ALPHABET]),
    st.binary(min_size=1, max_size=1),
    st.just("die"),
    st.just("wake"),
)


@given(
    want=st.sampled_from([UP, DOWN]),
    history=st.lists(st.tuples(st.floats(0, 3), EVENTS, st.booleans()), max_size=60),
)
def test_over_all_histories(want, history):
    """Starts only when down and never twice within a second; signals only when up; leaves once, and then is silent.

    Nothing that is owed is forgotten: while a start is owed and nobody runs, a Wait is outstanding.
    """
    now, clock = machine(want), 0.0
    tries: list[float] = []
    left = 0
    waiting: float | None = None

    def feed(event, may_start):
        nonlocal now, left, waiting
        before = now
        was_pid = now.pid
        now, actions = state.step(now, event, at(clock))
        waiting = None
        assert [type(action) for action in actions].count(state.Start) <= 1
        for action in actions:
            match action:
                case state.Start():
                    assert action is actions[-1]
                    assert now.pid == 0
                    assert not tries or clock >= tries[-1] + state.PAUSE
                    tries.append(clock)
                case state.Signal():
                    assert was_pid != 0
                case state.Wait(until):
                    assert until > clock
                    assert until == tries[-1] + state.PAUSE
                    waiting = until
                case state.Leave():
                    assert now.pid == 0
                    left += 1
        assert not (before.gone and actions)
        if actions and isinstance(actions[-1], state.Start):
            feed(state.Started(len(tries) + 100) if may_start else state.NotStarted(), may_start)

    feed(state.Opened(), True)
    for pause, event, may_start in history:
        clock += pause
        if event == "die":
            if now.pid:
                feed(state.Died(), may_start)
        elif event == "wake":
            if waiting is not None:
                clock = max(clock, waiting)
                feed(state.Waited(), may_start)
        else:
            feed(state.Commanded(event[0]), may_start)
        assert left <= 1
        assert (left == 1) == now.gone
        assert not now.owed or waiting is not None
        assert now.want in (UP, DOWN, NEITHER)
        if now.want == UP and now.pid == 0 and not now.quitting:
            assert now.owed
