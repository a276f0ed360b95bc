"""What process 1 says with `-v`, more each time it is repeated. Loaded only then.

-v     the command's start and end, orphans that are reaped, the stop
-vv    each phase that a service or its logger comes to, with its pid
-vvv   each signal, and what it does
"""

from pyinit import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.init.parts import Services
    from pyinit.init.reactions import Reaction
    from pyinit.services.pair import Pair

PHASES, SIGNALS = 2, 3
"""The verbosity from which on these are told."""


class Telling:
    """Tells what happens to services and signals, as `name`."""

    __slots__ = ("_last", "_name", "_verbosity")

    def __init__(self, name: bytes, verbosity: int) -> None:
        self._name = name
        self._verbosity = verbosity
        self._last: dict[bytes, bytes] = {}
        """What was told last of each service."""

    def follow(self, services: "Services") -> None:
        """Tell how the services are, and each change from here on."""
        if self._verbosity >= PHASES:
            services.subscribe(self._pair_changed)
            for pair in services.everything():
                self._pair_changed(pair)

    def wrap(self, number: int, reaction: "Reaction", react: "Callable[[], None]") -> "Callable[[], None]":
        """The handler of a signal, which then says that the signal came."""
        if self._verbosity < SIGNALS:
            return react

        def tell_and_react() -> None:
            report.say(self._name, b"info: signal %d: %b" % (number, reaction.verb))
            react()

        return tell_and_react

    def _pair_changed(self, pair: "Pair") -> None:
        for name, supervisor in ((pair.name, pair.service), (pair.name + b"/log", pair.log)):
            words = b""
            if supervisor:
                words = b"%b (pid %d)" % (supervisor.state.phase, supervisor.pid)
            if words != self._last.get(name, b""):
                self._last[name] = words
                report.say(self._name, b"info: %b: %b" % (name, words or b"left"))
