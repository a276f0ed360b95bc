"""What a service is: by table, and by Hypothesis over all histories."""

from collections.abc import Iterator
from signal import SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.control import ALPHABET, DOWN, NEITHER, UP
from pyinit.services.life.events import Commanded, Exited, NotStarted, Opened, Signal, Start, Started, Waited
from pyinit.services.life.moment import BACKOFF, IDLE, LEFT, PAUSE, RUNNING, STARTING, STOPPING, State
from pyinit.services.life.state import TABLE, WITH_PROCESS, step

if TYPE_CHECKING:
    from pyinit.services.life.events import Action, Event

BOOT = 1_000_000_000
PLAIN = {
    (IDLE, "Opened"): (IDLE, STARTING),
    (IDLE, "Commanded"): (IDLE, BACKOFF, STARTING, LEFT),
    (BACKOFF, "Commanded"): (BACKOFF, STARTING, IDLE, LEFT),
    (BACKOFF, "Waited"): (STARTING, BACKOFF),
    (STARTING, "Started"): (RUNNING,),
    (STARTING, "NotStarted"): (BACKOFF, IDLE, LEFT),
    (RUNNING, "Commanded"): (RUNNING, STOPPING),
    (RUNNING, "Waited"): (RUNNING,),
    (RUNNING, "Exited"): (IDLE, BACKOFF, STARTING, LEFT),
    (STOPPING, "Commanded"): (RUNNING, STOPPING),
    (STOPPING, "Waited"): (STOPPING,),
    (STOPPING, "Exited"): (IDLE, LEFT),
    (IDLE, "Waited"): (IDLE,),
    (LEFT, "Commanded"): (LEFT,),
    (LEFT, "Waited"): (LEFT,),
}
"""What can happen to a service whose directory says nothing of its own."""


class Life:
    """One service and the clock: what became of it so far."""

    def __init__(self, want: int = UP) -> None:
        self.state = State(want, BOOT)
        self.now = 0.0
        self.actions: list[Action] = []

    def at(self, seconds: float, *events: "Event | bytes") -> "Life":
        """Take events, or letters, at this moment; `actions` are those of all of them."""
        self.now = seconds
        self.actions = []
        for event in events:
            for each in [Commanded(letter) for letter in event] if isinstance(event, bytes) else [event]:
                self.state, actions = step(self.state, each, (seconds, BOOT + int(seconds * 1e9)))
                self.actions += actions
        return self

    @property
    def signals(self) -> list[int]:
        return [action.number for action in self.actions if isinstance(action, Signal)]

    @property
    def starts(self) -> int:
        return sum(isinstance(action, Start) for action in self.actions)

    @property
    def phase(self) -> bytes:
        return self.state.phase


def opened(want: int = UP) -> Life:
    return Life(want).at(0, Opened())


def running() -> Life:
    return opened().at(0, Started(42))


def test_a_service_that_is_wanted_up_starts_when_its_directory_is_taken_up() -> None:
    life = opened()
    assert (life.phase, life.starts) == (STARTING, 1)


def test_one_with_a_down_file_waits_to_be_told() -> None:
    life = opened(DOWN)
    assert (life.phase, life.starts) == (IDLE, 0)
    assert life.at(0, b"u").starts == 1


def test_a_start_is_known_by_its_pid_and_time() -> None:
    life = opened().at(0.5, Started(42))
    assert (life.phase, life.state.pid, life.state.since) == (RUNNING, 42, BOOT + 500_000_000)
    life.at(3, Exited(0))
    assert (life.state.pid, life.state.since) == (0, BOOT + 3_000_000_000)


def test_a_failed_start_does_not_change_since_when_it_is_down() -> None:
    life = opened().at(0.5, NotStarted())
    assert (life.phase, life.state.pid, life.state.since) == (BACKOFF, 0, BOOT)


@pytest.mark.parametrize(
    ("letter", "signals"),
    [
        (b"u", []),
        (b"d", [SIGTERM, SIGCONT]),
        (b"o", []),
        (b"x", []),
        (b"p", [SIGSTOP]),
        (b"c", [SIGCONT]),
        (b"h", [SIGHUP]),
        (b"a", [SIGALRM]),
        (b"i", [SIGINT]),
        (b"t", [SIGTERM]),
        (b"k", [SIGKILL]),
        (b"?", []),
        (b"\xff", []),
    ],
)
def test_each_letter_to_a_running_service(letter: bytes, signals: list[int]) -> None:
    life = running().at(5, letter)
    assert (life.signals, life.starts) == (signals, 0)
    assert life.phase == (STOPPING if letter == b"d" else RUNNING)


@pytest.mark.parametrize("letter", [bytes([letter]) for letter in ALPHABET])
def test_no_letter_signals_a_service_that_is_down(letter: bytes) -> None:
    life = opened(DOWN).at(5, letter)
    assert life.signals == []
    assert life.phase == {b"u": STARTING, b"o": STARTING, b"x": LEFT}.get(letter, IDLE)


def test_the_want_is_the_last_one_asked_for() -> None:
    life = running()
    for letter, want in ((b"o", NEITHER), (b"d", DOWN), (b"t", DOWN), (b"u", UP), (b"x", UP)):
        assert life.at(5, letter).state.want == want


def test_a_pause_lasts_until_it_is_ended_or_the_next_start() -> None:
    life = running()
    assert life.at(5, b"p").state.is_paused
    assert not life.at(5, b"c").state.is_paused
    assert not life.at(5, b"pd").state.is_paused
    assert not opened(DOWN).at(0, b"pu", Started(9)).state.is_paused


def test_one_that_ran_for_a_second_is_restarted_at_once() -> None:
    life = running().at(PAUSE, Exited(1))
    assert (life.phase, life.starts) == (STARTING, 1)


def test_one_that_ended_earlier_waits_out_the_second() -> None:
    life = running().at(0.1, Exited(1))
    assert (life.phase, life.starts, life.state.start_at) == (BACKOFF, 0, PAUSE)
    life.at(PAUSE, Waited())
    assert (life.phase, life.starts) == (STARTING, 1)


def test_a_wait_that_ends_early_goes_on() -> None:
    life = running().at(0.1, Exited(1)).at(0.5, Waited())
    assert (life.phase, life.starts) == (BACKOFF, 0)


def test_commands_are_obeyed_while_a_start_waits() -> None:
    life = running().at(0.1, Exited(1)).at(0.2, b"d")
    assert (life.phase, life.starts) == (IDLE, 0)
    life.at(0.3, b"u")
    assert (life.phase, life.starts, life.state.start_at) == (BACKOFF, 0, PAUSE)
    assert life.at(0.4, b"dx").phase == LEFT


def test_up_does_not_shorten_the_wait() -> None:
    assert running().at(0.1, Exited(1)).at(0.2, b"u").phase == BACKOFF


def test_a_failed_start_is_tried_again_in_a_second_while_it_is_wanted_up() -> None:
    assert opened().at(0, NotStarted()).phase == BACKOFF
    assert opened(DOWN).at(0, b"o", NotStarted()).phase == IDLE


def test_once_means_no_restart() -> None:
    assert opened(DOWN).at(0, b"o", Started(9)).at(5, Exited(0)).phase == IDLE
    assert running().at(PAUSE, b"o").at(5, Exited(0)).phase == IDLE


def test_down_and_then_up_is_up() -> None:
    life = running().at(5, b"du")
    assert (life.phase, life.signals) == (RUNNING, [SIGTERM, SIGCONT])
    assert life.at(6, Exited(0)).starts == 1


def test_exit_goes_before_up_and_cannot_be_taken_back() -> None:
    life = running().at(2, b"x").at(3, Exited(0))
    assert (life.phase, life.starts, life.state.want) == (LEFT, 0, UP)
    assert running().at(2, b"xu").at(3, Exited(0)).phase == LEFT


def test_exit_of_a_service_that_is_down_leaves_at_once() -> None:
    assert opened(DOWN).at(0, b"x").phase == LEFT


def test_once_and_then_exit_runs_it_once() -> None:
    assert opened(DOWN).at(0, b"o", Started(9), b"x").at(0.1, Exited(0)).phase == LEFT


def test_one_that_just_exited_runs_once_more_before_supervise_leaves() -> None:
    life = running().at(0.1, Exited(0)).at(0.2, b"x")
    assert life.phase == BACKOFF
    assert life.at(PAUSE, Waited()).starts == 1
    assert life.at(PAUSE, Started(43)).at(1.1, Exited(0)).phase == LEFT


def test_a_failed_start_leaves_where_supervise_was_asked_to() -> None:
    assert running().at(0.1, Exited(0)).at(0.2, b"x").at(PAUSE, Waited()).at(PAUSE, NotStarted()).phase == LEFT


def test_step_never_changes_the_state_that_it_is_given() -> None:
    before = running().state
    fields = [getattr(before, name) for name in State.__slots__]
    for event in (Commanded(ord("d")), Commanded(ord("p")), Commanded(ord("x")), Exited(1)):
        assert step(before, event, (9.0, BOOT))[0] is not before
        assert [getattr(before, name) for name in State.__slots__] == fields


# All histories.

LETTERS = st.sampled_from([bytes([letter]) for letter in ALPHABET]) | st.binary(min_size=1, max_size=1)
HISTORIES = st.lists(
    st.tuples(st.floats(0, 3), LETTERS | st.sampled_from(["exit", "wait", "twice"]), st.booleans()), max_size=60
)


def transitions(want: int, history: "list[tuple[float, bytes | str, bool]]") -> "Iterator[tuple[Life, State, Event]]":
    """Live through a history; after each event: the life, the state before the event, and the event.

    Every start that is called for is answered: it succeeds or it fails.
    """
    life, starts = Life(want), 0

    def feed(event: "Event", is_startable: bool) -> "Iterator[tuple[Life, State, Event]]":
        nonlocal starts
        before = life.state
        life.at(life.now, event)
        yield life, before, event
        if life.starts:
            starts += 1
            yield from feed(Started(100 + starts) if is_startable else NotStarted(), is_startable)

    yield from feed(Opened(), True)
    for seconds, event, is_startable in history:
        life.now += seconds
        match event:
            case "exit" if life.state.pid:
                yield from feed(Exited(0), is_startable)
            case "wait" if life.phase == BACKOFF:
                life.now = max(life.now, life.state.start_at)
                yield from feed(Waited(), is_startable)
            case "twice":
                yield from feed(Waited(), is_startable)
            case bytes():
                yield from feed(Commanded(event[0]), is_startable)


@given(st.sampled_from([UP, DOWN]), HISTORIES)
def test_over_all_histories(want: int, history: list[tuple[float, bytes | str, bool]]) -> None:
    last_start = float("-inf")
    for life, before, event in transitions(want, history):
        is_in_table = type(event) in TABLE[before.phase]
        assert life.phase in (TABLE[before.phase][type(event)] if is_in_table else (before.phase,))
        if not is_in_table:
            assert life.state is before, "an event that a phase does not list means nothing"
            assert life.actions == []
        if isinstance(event, Started):
            assert before.pid == 0, "never two runs"
        if life.starts:
            assert life.starts == 1
            assert isinstance(life.actions[-1], Start)
            assert life.state.pid == 0, "never two runs"
            assert life.now >= last_start + PAUSE, "never two starts within PAUSE"
            last_start = life.now
        assert not life.signals or before.pid, "signals are for processes"
        assert (life.phase in WITH_PROCESS) == (life.state.pid != 0 or life.starts == 1)
        assert (life.phase == STARTING) == (life.starts == 1), "a start is answered at once"
        assert life.phase != BACKOFF or life.now < life.state.start_at, "there is something to wait for"
        assert life.state.want in (UP, DOWN, NEITHER)
        if life.phase == IDLE:
            assert life.state.want != UP, "a due start is never forgotten"
            assert not life.state.is_leaving
        if life.phase == BACKOFF:
            assert life.state.want != DOWN, "`d` cancels a due start"
        assert (life.phase == STOPPING) == (life.state.pid != 0 and life.state.want == DOWN)


@given(st.sampled_from([UP, DOWN]), HISTORIES, HISTORIES)
def test_one_that_has_left_is_silent(
    want: int, history: list[tuple[float, bytes | str, bool]], rest: list[tuple[float, bytes | str, bool]]
) -> None:
    has_left = False
    for life, before, _ in transitions(want, [*history, (0.0, b"d", True), (0.0, b"x", True), *rest]):
        assert not (has_left and (life.actions or life.state is not before))
        has_left = has_left or life.phase == LEFT


def reached() -> set[tuple[bytes, str, bytes]]:
    """The transitions of every history of six events: each letter that differs, early and late, starts that fail."""
    found = set()
    moves: list[tuple[float, bytes | str, bool]] = [
        (seconds, event, is_startable)
        for seconds in (0.1, 2.0)
        for event in (b"u", b"d", b"o", b"x", b"t", "exit", "wait", "twice")
        for is_startable in (True, False)
    ]
    states: dict[tuple[object, ...], list[tuple[float, bytes | str, bool]]] = {(want,): [] for want in (UP, DOWN)}
    for want in (UP, DOWN):
        frontier: list[list[tuple[float, bytes | str, bool]]] = [[]]
        for _ in range(6):
            following = []
            for history in frontier:
                for move in moves:
                    last: State | None = None
                    for life, before, event in transitions(want, [*history, move]):
                        found.add((before.phase, type(event).__name__, life.phase))
                        last = life.state
                    assert last
                    key = (want, last.phase, last.want, last.is_leaving, move[0])
                    if key not in states:
                        states[key] = [*history, move]
                        following.append(states[key])
            frontier = following
    return found


def test_a_plain_service_lives_as_under_daemontools() -> None:
    listed = {(phase, event, after) for (phase, event), following in PLAIN.items() for after in following}
    assert reached() == listed


def test_the_table_has_every_phase_and_only_known_events() -> None:
    assert {after for events in TABLE.values() for following in events.values() for after in following} == set(TABLE)
    assert TABLE[LEFT] == {}
