"""What `restart`, `backoff`, `max-restarts` and `critical` say. Pure; each raises ValueError for bad content."""

from pyinit.services.definition.words import choice, first_line, outcomes, quoted, span, whole
from pyinit.services.life.policy import ALWAYS, NEVER, NO_OUTCOMES, ON_FAILURE, WITHOUT_CODE, Backoff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.policy import Outcomes

MOST_RESTARTS = 1_000_000


def restart(content: bytes) -> "tuple[bytes, Outcomes]":
    """When it is started again, and the ends that turn this around: `on-failure except 1,SIGSEGV`."""
    words = first_line(content)
    if not words:
        raise ValueError("empty")
    usually = choice(words[0], (ALWAYS, ON_FAILURE, NEVER))
    if len(words) == 1:
        return usually, NO_OUTCOMES
    if words[1] != b"except":
        raise ValueError(f"not except: {quoted(words[1])}")
    return usually, outcomes(b" ".join(words[2:]))


def backoff(content: bytes) -> Backoff:
    """`BASE [CAP [RESET]]`, durations."""
    words = first_line(content)
    if not 1 <= len(words) <= 3:
        raise ValueError(f"not BASE [CAP [RESET]]: {quoted(b' '.join(words))}" if words else "empty")
    delays = Backoff(*map(span, words))
    if delays.cap < delays.base:
        raise ValueError(f"the longest delay is shorter than the first: {quoted(b' '.join(words))}")
    return delays


def max_restarts(content: bytes) -> "tuple[int, float | None]":
    """`N [D]`: a count, and the seconds within which it counts."""
    words = first_line(content)
    if not 1 <= len(words) <= 2:
        raise ValueError(f"not N [D]: {quoted(b' '.join(words))}" if words else "empty")
    return whole(words[0], 0, MOST_RESTARTS), span(words[1]) if words[1:] else None


def critical(content: bytes) -> int:
    """The exit code of the container, WITHOUT_CODE if none is said."""
    words = first_line(content)
    if len(words) > 1:
        raise ValueError(f"not an exit code: {quoted(b' '.join(words))}")
    return whole(words[0], 0, 255) if words else WITHOUT_CODE
