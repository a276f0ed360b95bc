"""The life of a service whose directory says more than daemontools': by examples, and by Hypothesis over histories."""

from dataclasses import dataclass, field
from signal import SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.formats.control import DOWN, NEITHER, UP, WORDS
from pyinit.services.life.events import (
    Allowed,
    Checked,
    Commanded,
    Due,
    Exited,
    Extended,
    Finish,
    Finished,
    NotStarted,
    Opened,
    Ready,
    Refused,
    Replaced,
    Signal,
    Start,
    Started,
    Waited,
)
from pyinit.services.life.health import FAIL, IGNORE, PROGRAM, Health, Timer
from pyinit.services.life.moment import (
    BACKOFF,
    BLOCKED,
    CLOSED,
    DONE,
    FAILED,
    FINISHING,
    HELD,
    IDLE,
    LEFT,
    NEVER,
    OPEN,
    RUNNING,
    STARTING,
    STOPPING,
    WAITING,
    State,
)
from pyinit.services.life.policy import ALWAYS, GROUP, MIXED, ON_FAILURE, PATIENCE, Backoff, Outcomes, Policy
from pyinit.services.life.policy import NEVER as NEVER_AGAIN
from pyinit.services.life.readiness import AFTER, FD, Readiness
from pyinit.services.life.state import TABLE, step

if TYPE_CHECKING:
    from pyinit.services.life.events import Action, Event


def policy(**says: object) -> Policy:
    made = Policy()
    for name, value in says.items():
        setattr(made, name, value)
    return made


ONESHOT = policy(is_oneshot=True, restart=NEVER_AGAIN)


@dataclass
class Life:
    """One service under a policy, and its clock. Starts that are called for succeed, unless `cannot_start`."""

    says: Policy
    state: State = field(default_factory=lambda: State(UP, 0))
    now: float = 100.0
    pid: int = 0
    actions: "list[Action]" = field(default_factory=list)
    cannot_start: bool = False

    def take(self, *events: "Event | bytes", after: float = 0.0) -> "Life":
        """Take events, or letters, so many seconds later; `actions` are those of all of them."""
        self.now += after
        self.actions = []
        for event in events:
            for each in [Commanded(letter) for letter in event] if isinstance(event, bytes) else [event]:
                self._take(each)
        return self

    def _take(self, event: "Event") -> None:
        pending: Event | None = event
        while pending:
            before, taken, pending = self.state, pending, None
            self.state, actions = step(before, taken, (self.now, int(self.now * 1e9)))
            is_known = type(taken) in TABLE[before.phase]
            assert self.state.phase in (TABLE[before.phase][type(taken)] if is_known else (before.phase,)), taken
            self.actions += actions
            for action in actions:
                if isinstance(action, Start):
                    assert self.state.pid == 0, "never two runs"
                    self.pid += 1
                    pending = NotStarted() if self.cannot_start else Started(self.pid, self.says)

    @property
    def phase(self) -> bytes:
        return self.state.phase

    @property
    def signals(self) -> list[int]:
        return [action.number for action in self.actions if isinstance(action, Signal)]

    @property
    def starts(self) -> int:
        return sum(isinstance(action, Start) for action in self.actions)


def up(**says: object) -> Life:
    """A service that has been started."""
    made = policy(**says)
    return Life(made).take(Opened(made))


def test_one_that_says_when_it_is_ready_is_starting_until_then() -> None:
    life = up(readiness=Readiness(FD, number=3))
    assert (life.phase, life.state.pid, life.state.wake) == (STARTING, 1, NEVER)
    life.take(Ready(), after=2)
    assert (life.phase, life.state.ready_at) == (RUNNING, 102.0)
    assert life.take(Ready()).phase == RUNNING


def test_one_that_is_ready_after_a_while() -> None:
    life = up(readiness=Readiness(AFTER, seconds=3.0))
    assert (life.phase, life.state.wake) == (STARTING, 103.0)
    assert life.take(Waited(), after=1).phase == STARTING
    assert life.take(Waited(), after=2).phase == RUNNING


def test_one_that_is_not_ready_in_time_has_failed_whatever_its_code() -> None:
    life = up(readiness=Readiness(FD, number=3), timeout_up=5.0, restart=ON_FAILURE)
    life.take(Waited(), after=5)
    assert (life.phase, life.signals, life.state.wake) == (STOPPING, [SIGTERM, SIGCONT], 105 + PATIENCE)
    life.take(Waited(), after=PATIENCE)
    assert (life.signals, life.state.kills) == ([SIGKILL], 1)
    life.take(Exited(0))
    assert (life.phase, life.starts, life.state.restarts) == (STARTING, 1, 1)


def test_one_may_ask_for_more_time() -> None:
    life = up(readiness=Readiness(FD, number=3), timeout_up=5.0).take(Extended(60.0), after=1)
    assert life.state.wake == 161.0
    assert up(readiness=Readiness(FD, number=3)).take(Extended(60.0)).state.wake == NEVER


def test_another_process_may_take_its_place() -> None:
    life = up().take(Replaced(77))
    assert (life.phase, life.state.pid) == (RUNNING, 77)


@pytest.mark.parametrize(
    ("outcome", "phase", "reason"), [(0, DONE, b""), (3, FAILED, b"exited 3"), (-9, FAILED, b"killed by signal 9")]
)
def test_a_oneshot_is_done_or_has_failed(outcome: int, phase: bytes, reason: bytes) -> None:
    life = Life(ONESHOT).take(Opened(ONESHOT)).take(Exited(outcome), after=5)
    assert (life.phase, life.state.reason, life.state.outcome) == (phase, reason, outcome)
    assert life.take(Opened(ONESHOT)).phase == (DONE if phase == DONE else RUNNING), "a rescan does not run it again"


@pytest.mark.parametrize("letter", [b"u", b"o"])
def test_a_oneshot_is_run_again_when_asked(letter: bytes) -> None:
    life = Life(ONESHOT).take(Opened(ONESHOT)).take(Exited(0), after=5)
    assert life.take(letter).starts == 1
    assert life.take(Exited(0), after=5).phase == DONE
    assert life.take(b"d").phase == IDLE


def test_one_that_cannot_be_started_follows_its_policy() -> None:
    life = Life(policy(restart=NEVER_AGAIN), cannot_start=True)
    assert life.take(Opened(life.says)).phase == FAILED
    assert life.state.reason == b"exited 127"


def test_success_is_what_the_directory_says() -> None:
    life = up(restart=ON_FAILURE, success=Outcomes(frozenset((0, 143))))
    assert life.take(Exited(143), after=5).phase == DONE
    assert up(restart=ON_FAILURE).take(Exited(143), after=5).starts == 1


def test_delays_grow_and_begin_anew_after_a_steady_run() -> None:
    life = up(backoff=Backoff(1.0, 8.0, 60.0))
    for delay in (1.0, 2.0, 4.0, 8.0, 8.0):
        life.take(Exited(1), after=0.5)
        assert (life.phase, life.state.wake) == (BACKOFF, life.now + delay)
        assert life.take(Waited(), after=delay).starts == 1
    life.take(Exited(1), after=60)
    assert life.state.wake == life.now + 1.0


@pytest.mark.parametrize("letter", [b"u", b"t"])
def test_a_person_cuts_a_delay_short(letter: bytes) -> None:
    life = up(backoff=Backoff(30.0)).take(Exited(1))
    assert life.phase == BACKOFF
    assert life.take(letter).phase == RUNNING
    assert life.state.streak == 0


def test_without_the_file_a_letter_does_not_shorten_the_second() -> None:
    assert up(success=Outcomes(frozenset((0, 1)))).take(Exited(1)).take(b"u").phase == BACKOFF


def test_too_many_restarts_are_a_failure_until_a_command() -> None:
    life = up(max_restarts=(2, 60.0))
    for _ in range(2):
        assert life.take(Exited(1), after=5).starts == 1
    life.take(Exited(1), after=5)
    assert (life.phase, life.state.reason, life.state.restarts) == (FAILED, b"more than 2 restarts", 2)
    assert life.take(b"u").starts == 1
    assert life.take(Exited(1), after=5).starts == 1


def test_restarts_that_are_long_ago_do_not_count() -> None:
    life = up(max_restarts=(1, 60.0))
    for _ in range(5):
        assert life.take(Exited(1), after=61).starts == 1
    life = up(max_restarts=(1, None))
    for _ in range(5):
        assert life.take(Exited(1), after=3).starts == 1
    assert life.take(Exited(1), after=1).phase == FAILED, "the one before was the first since it was steady"


def test_an_end_that_was_asked_for_is_no_restart() -> None:
    life = up(max_restarts=(0, None), backoff=Backoff(30.0))
    life.take(b"t", after=5).take(Exited(-SIGTERM))
    assert (life.phase, life.starts, life.state.restarts) == (RUNNING, 1, 0)


def test_one_that_was_told_down_is_down() -> None:
    life = up(down_signal=SIGINT, timeout_kill=3.0).take(b"d", after=5)
    assert (life.phase, life.signals, life.state.wake) == (STOPPING, [SIGINT, SIGCONT], life.now + 3)
    assert life.take(Waited(), after=3).signals == [SIGKILL]
    assert life.take(Exited(-9)).phase == IDLE
    assert up().take(b"d").state.wake == NEVER


def test_a_limit_of_nothing_never_kills() -> None:
    life = up(readiness=Readiness(FD, number=3), timeout_up=5.0, timeout_kill=0.0).take(Waited(), after=5)
    assert (life.phase, life.state.wake) == (STOPPING, NEVER)


def test_letters_of_a_pyinit() -> None:
    life = up(reload_signal=SIGINT)
    assert life.take(b"lq1").signals == [SIGINT, SIGQUIT, 10]
    assert life.take(b"\0").signals == []
    plain = Life(Policy())
    assert plain.take(Opened(), b"l").signals == [SIGHUP]


def test_a_group_is_stopped_as_one() -> None:
    life = up(kill_mode=GROUP).take(b"d")
    assert [(action.number, action.to_group) for action in life.actions if isinstance(action, Signal)] == [
        (SIGTERM, True),
        (SIGCONT, True),
    ]
    assert [action.to_group for action in up(kill_mode=GROUP).take(b"h").actions if isinstance(action, Signal)] == [
        False
    ]


@pytest.mark.parametrize("says", [{"has_finish": True}, {"kill_mode": MIXED}])
def test_what_an_end_calls_for_comes_before_the_next_start(says: dict[str, object]) -> None:
    life = up(**says).take(Exited(3), after=5)
    assert (life.phase, [action.outcome for action in life.actions if isinstance(action, Finish)]) == (FINISHING, [3])
    assert life.take(Finished()).starts == 1


def test_the_delay_counts_from_the_end() -> None:
    life = up(has_finish=True, backoff=Backoff(10.0)).take(Exited(3)).take(Finished(), after=4)
    assert (life.phase, life.state.wake) == (BACKOFF, life.now + 6)


def test_finish_may_end_it_for_good() -> None:
    life = up(has_finish=True).take(Exited(0), after=5).take(Finished(is_for_good=True))
    assert (life.phase, life.state.reason) == (FAILED, b"finish exited 125")
    assert up(has_finish=True).take(b"d", Exited(0), Finished(is_for_good=True)).phase == IDLE


def test_commands_while_it_finishes_decide_what_follows() -> None:
    assert up(has_finish=True).take(Exited(0), b"d", Finished()).phase == IDLE
    assert up(has_finish=True).take(b"d", Exited(0), b"u", after=5).phase == FINISHING
    assert up(has_finish=True).take(b"d", Exited(0), b"u", Finished(), after=5).phase == RUNNING
    assert up(has_finish=True).take(Exited(0), b"dx", Finished()).phase == LEFT


def test_one_waits_for_its_needs_at_every_start() -> None:
    made = Policy()
    life = Life(made).take(Allowed(HELD), Opened(made))
    assert life.phase == WAITING
    assert life.take(Allowed(OPEN)).phase == RUNNING
    life.take(Allowed(HELD), Exited(1), after=5)
    assert life.phase == WAITING
    assert life.take(b"d").phase == IDLE
    assert life.take(b"u").phase == WAITING
    assert life.take(b"x").phase == LEFT


def test_one_whose_need_has_failed_is_stopped_and_blocked() -> None:
    life = up(max_restarts=(0, None)).take(Allowed(CLOSED))
    assert (life.phase, life.signals) == (STOPPING, [SIGTERM, SIGCONT])
    assert life.take(Allowed(CLOSED)).signals == []
    assert life.take(Exited(0)).phase == BLOCKED
    assert life.take(Allowed(OPEN), after=5).phase == RUNNING
    assert life.state.restarts == 0


@pytest.mark.parametrize(("then", "phase"), [(b"restart", RUNNING), (FAIL, FAILED)])
def test_a_sick_service_is_restarted_or_given_up(then: bytes, phase: bytes) -> None:
    health = Health(PROGRAM)
    health.then = then
    life = up(health=health, restart=NEVER_AGAIN).take(Checked(is_well=False), after=5)
    assert (life.phase, life.state.is_sick) == (STOPPING, True)
    assert life.take(Exited(0)).phase == phase
    assert not life.state.is_sick


def test_a_sick_service_may_be_left_alone() -> None:
    health = Health(PROGRAM)
    health.then = IGNORE
    life = up(health=health).take(Checked(is_well=False))
    assert (life.phase, life.state.is_sick) == (RUNNING, True)
    assert not life.take(Checked(is_well=True)).state.is_sick
    health.then = FAIL
    assert up(health=health).take(b"p", Checked(is_well=False)).phase == RUNNING, "paused"


def test_a_timed_oneshot_at_start_waits_for_its_needs_like_any_other() -> None:
    made = policy(is_oneshot=True, restart=NEVER_AGAIN, timer=Timer(60.0, at_start=True))
    life = Life(made)
    life.state.gate = HELD
    assert life.take(Opened(made)).phase == WAITING
    assert life.take(Allowed(OPEN)).phase == RUNNING
    assert life.state.want == NEITHER
    assert life.take(Exited(0), after=5).phase == DONE


def test_a_timed_oneshot_runs_by_its_clock() -> None:
    made = policy(is_oneshot=True, restart=NEVER_AGAIN, timer=Timer(60.0))
    life = Life(made).take(Opened(made))
    assert (life.phase, life.state.want) == (IDLE, NEITHER)
    assert life.take(Due()).starts == 1
    assert life.take(Due()).state.skipped == 1
    assert life.take(Exited(0), after=5).phase == DONE
    assert life.take(Allowed(HELD), Due()).state.skipped == 2
    assert life.take(Allowed(OPEN), b"u").phase == RUNNING
    assert life.state.want == NEITHER
    assert life.take(Exited(1), after=5).phase == FAILED
    assert life.take(b"d").phase == IDLE
    assert life.take(Due()).phase == IDLE


def test_bad_content_is_a_failure_before_any_start_until_it_is_repaired() -> None:
    made = policy(critical=1)
    life = Life(made).take(Refused(b"ready: what", made))
    assert (life.phase, life.state.reason, life.starts) == (FAILED, b"ready: what", 0)
    assert life.take(Opened(made)).phase == RUNNING
    assert life.take(Refused(b"ready: what", made)).phase == RUNNING, "a running service is not stopped by that"


def test_once_runs_a_longrun_once() -> None:
    life = up(restart=ALWAYS, backoff=Backoff(1.0)).take(b"d", Exited(0), b"o")
    assert life.phase == RUNNING
    assert life.take(Exited(1)).phase == IDLE


# All histories, under all policies.

POLICIES = st.builds(
    policy,
    is_oneshot=st.booleans(),
    restart=st.sampled_from([ALWAYS, ON_FAILURE, NEVER_AGAIN]),
    backoff=st.none() | st.builds(Backoff, st.floats(0.1, 5), st.floats(0.1, 9), st.floats(0, 9)),
    max_restarts=st.none() | st.tuples(st.integers(0, 3), st.none() | st.floats(1, 9)),
    readiness=st.none() | st.just(Readiness(FD, number=3)) | st.just(Readiness(AFTER, seconds=2.0)),
    timeout_up=st.sampled_from([0.0, 3.0]),
    timeout_kill=st.sampled_from([None, 0.0, 2.0]),
    has_finish=st.booleans(),
    kill_mode=st.sampled_from([b"process", MIXED, GROUP]),
    timer=st.none() | st.just(Timer(5.0)),
    health=st.none() | st.just(Health(PROGRAM)),
)
EVENTS = st.one_of(
    st.sampled_from([Commanded(letter) for letter in WORDS]),
    st.sampled_from([Ready(), Waited(), Due(), Finished(), Finished(is_for_good=True), Checked(is_well=False)]),
    st.sampled_from([Allowed(OPEN), Allowed(HELD), Allowed(CLOSED)]),
    st.sampled_from([Exited(0), Exited(1), Exited(-9), Extended(3.0)]),
)


@given(POLICIES, st.lists(st.tuples(st.floats(0, 4), EVENTS), max_size=40), st.booleans())
def test_over_all_histories(says: Policy, history: "list[tuple[float, Event]]", cannot_start: bool) -> None:
    life = Life(says, cannot_start=cannot_start).take(Opened(says))
    for seconds, event in history:
        if isinstance(event, Exited | Extended) and not life.state.pid:
            continue
        before = life.state
        life.take(event, after=seconds)
        state = life.state
        assert (state.pid != 0) == (state.phase in (STARTING, RUNNING, STOPPING))
        assert state.want in (UP, DOWN, NEITHER)
        if before.phase in (FAILED, LEFT) and life.starts:
            assert isinstance(event, Commanded | Due), "never a start after failed but by a command or its own timer"
        if life.starts:
            assert state.gate == OPEN, "no start before its needs"
        if state.phase == BACKOFF:
            assert state.wake < NEVER, "there is something to wait for"
        if state.phase in (IDLE, DONE, FAILED, LEFT, WAITING, BLOCKED, FINISHING):
            assert state.wake == NEVER
        if state.phase == STOPPING and says.timeout_kill:
            assert before.kills < state.kills or state.wake < NEVER or state.kills, "what does not end is killed"
