"""The control alphabet: what each byte in `supervise/control` asks for. Pure.

One table, keyed by the letter: svc writes the letters, `services/life/state.py` obeys them, and the help text lists
them. Source: svc(8) and supervise(8) of daemontools 0.76.
"""

from _signal import SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH

UP = ord("u")
DOWN = ord("d")
NEITHER = 0


class Request:
    """What one letter asks. `want` and `is_paused` are None where the letter leaves them alone.

    `signals` go to a running process only, in order. `starts`: a service that is down is started. `leaves`: supervise
    leaves when the process has ended.
    """

    __slots__ = ("is_paused", "leaves", "name", "signals", "starts", "want")

    def __init__(
        self,
        name: bytes,
        *signals: int,
        want: int | None = None,
        is_paused: bool | None = None,
        starts: bool = False,
        leaves: bool = False,
    ) -> None:
        self.name = name
        self.signals = signals
        self.want = want
        self.is_paused = is_paused
        self.starts = starts
        self.leaves = leaves


ALPHABET = {
    ord("u"): Request(b"up", want=UP, starts=True),
    ord("d"): Request(b"down", SIGTERM, SIGCONT, want=DOWN, is_paused=False),
    ord("o"): Request(b"once", want=NEITHER, starts=True),
    ord("x"): Request(b"exit", leaves=True),
    ord("p"): Request(b"pause", SIGSTOP, is_paused=True),
    ord("c"): Request(b"continue", SIGCONT, is_paused=False),
    ord("h"): Request(b"hup", SIGHUP),
    ord("a"): Request(b"alarm", SIGALRM),
    ord("i"): Request(b"interrupt", SIGINT),
    ord("t"): Request(b"term", SIGTERM),
    ord("k"): Request(b"kill", SIGKILL),
}

OF_PYINIT = {
    ord("q"): Request(b"quit", SIGQUIT),
    ord("1"): Request(b"usr1", SIGUSR1),
    ord("2"): Request(b"usr2", SIGUSR2),
    ord("w"): Request(b"winch", SIGWINCH),
    ord("l"): Request(b"reload", SIGHUP),
}
"""What only services of a pyinit obey; the first four are daemontools-encore's. `l` sends what
`reload-signal` says."""

WORDS = {**ALPHABET, **OF_PYINIT}
RELOAD = ord("l")
ENDING = frozenset(b"dtkiq")
"""Letters after which an end is no surprise."""

LETTERS, LETTERS_OF_PYINIT = bytes(ALPHABET), bytes(WORDS)


def usage_of(letters: bytes) -> bytes:
    """The usage of a svc that knows these letters: one line, without its end."""
    return b"svc options: " + b", ".join(b"%c %b" % (letter, WORDS[letter].name) for letter in letters)
