"""The control alphabet: what each byte in `supervise/control` asks for. Pure.

One table, keyed by the letter, for who writes them (svc), who obeys them (state.py) and the help text. Source: svc(8)
and supervise(8) of daemontools 0.76.
"""

from _signal import SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM

UP = ord("u")
DOWN = ord("d")
NEITHER = 0

SILENT, BEFORE, AFTER = range(3)
"""When the status file is replaced: never, before the request's signals, after them."""


class Request:
    """What one letter asks. `want` and `paused` are None where the letter leaves them alone.

    `signals` go to a running process only, in order. `told` is one of SILENT, BEFORE and AFTER.
    """

    __slots__ = ("leave", "name", "paused", "signals", "start", "told", "want")

    def __init__(
        self,
        name: bytes,
        *signals: int,
        want: int | None = None,
        paused: bool | None = None,
        start: bool = False,
        leave: bool = False,
        told: int = AFTER,
    ) -> None:
        self.name = name
        self.signals = signals
        self.want = want
        self.paused = paused
        self.start = start
        self.leave = leave
        self.told = told


ALPHABET = {
    ord("u"): Request(b"up", want=UP, start=True),
    ord("d"): Request(b"down", SIGTERM, SIGCONT, want=DOWN, paused=False),
    ord("o"): Request(b"once", want=NEITHER, start=True),
    ord("x"): Request(b"exit", leave=True),
    ord("p"): Request(b"pause", SIGSTOP, paused=True, told=BEFORE),
    ord("c"): Request(b"continue", SIGCONT, paused=False, told=BEFORE),
    ord("h"): Request(b"hup", SIGHUP, told=SILENT),
    ord("a"): Request(b"alarm", SIGALRM, told=SILENT),
    ord("i"): Request(b"interrupt", SIGINT, told=SILENT),
    ord("t"): Request(b"term", SIGTERM, told=SILENT),
    ord("k"): Request(b"kill", SIGKILL, told=SILENT),
}

LETTERS = bytes(ALPHABET)
HELP = b"svc options: " + b", ".join(b"%c %b" % (letter, request.name) for letter, request in ALPHABET.items())
