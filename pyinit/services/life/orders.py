"""What follows from a letter of svc, by the policy. Pure."""

from _signal import SIGCONT

from pyinit.formats.control import DOWN, ENDING, NEITHER, RELOAD, UP, WORDS
from pyinit.services.life.events import Signal
from pyinit.services.life.moment import IDLE
from pyinit.services.life.policy import AS_DAEMONTOOLS, GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.formats.control import Request
    from pyinit.services.life.events import Action
    from pyinit.services.life.moment import State


def obey(new: "State", letter: int, now: float, actions: "list[Action]") -> None:
    """Change what is wanted, and add the signals of the request."""
    request = WORDS.get(letter)
    if request is None:
        return
    if request.want is not None:
        new.want = request.want
        new.is_due, new.is_unasked = request.starts, False
        new.rest = IDLE
    if request.is_paused is not None:
        new.is_paused = request.is_paused
    new.is_leaving = new.is_leaving or request.leaves
    if new.policy is not AS_DAEMONTOOLS:
        _by_policy(new, letter, now)
    if new.pid:
        new.is_asked = new.is_asked or letter in ENDING
        if new.policy is AS_DAEMONTOOLS:
            actions += [Signal(number) for number in request.signals]
        else:
            actions += _signals(new, letter, request)


def _by_policy(new: "State", letter: int, now: float) -> None:
    """What a letter means beyond daemontools: an end with a time limit, and a delay that a person cuts short."""
    policy = new.policy
    if new.want == UP and policy.timer:  # a timed service runs now, and then by its clock again
        new.want = NEITHER
    if letter in b"uo":
        new.recent, new.reason = (), b""
    if letter in b"ut" and policy.backoff and not new.pid:
        new.streak, new.start_at = 0, now
    if letter in b"dt" and new.pid and policy.timeout_kill:
        new.kill_at = min(new.kill_at, now + policy.timeout_kill)


def _signals(new: "State", letter: int, request: "Request") -> "list[Action]":
    policy = new.policy
    numbers = request.signals
    if letter == RELOAD:
        numbers = (policy.reload_signal,)
    elif letter == DOWN:
        numbers = (policy.down_signal, SIGCONT)
    to_group = policy.kill_mode == GROUP and letter in ENDING
    return [Signal(number, to_group) for number in numbers]
