"""Whether services may start, as a Scanner asks it; and what a directory says once it is read again.

A set of plain services never asks: the order's module is loaded with the first service that says something of it.
"""

import posix

from pyinit.services.life.moment import OPEN, WAITING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pyinit.services.context import Context
    from pyinit.services.life.policy import Policy
    from pyinit.services.ordering import Ordering
    from pyinit.services.pair import Pair


class Gates:
    """The gates of the services of one Scanner."""

    __slots__ = ("_context", "ordering")

    def __init__(self, context: "Context") -> None:
        self._context = context
        self.ordering: Ordering | None = None

    def expect(self, name: bytes, policy: "Policy") -> int:
        """The gate of a service that is about to be opened."""
        if not self.ordering and (policy.needs or policy.after or policy.before):
            from pyinit.services.ordering import Ordering

            self.ordering = Ordering(self._context.loop)
        return self.ordering.expect(name, policy) if self.ordering else OPEN

    def settle(self, pairs: "Collection[Pair]") -> None:
        """These are the services now."""
        if self.ordering:
            self.ordering.settle(pairs)

    def changed(self, pair: "Pair", pairs: "Collection[Pair]") -> None:
        """Something of a pair has changed. A directory in which a repair may have been made is read again."""
        if pair.service and pair.service.is_content_changed:
            pair.service.is_content_changed = False
            self.reread(pair)
            self.settle(pairs)
        if self.ordering:
            self.ordering.changed(pair)

    def reread(self, pair: "Pair") -> None:
        """Read a directory again: a repair of bad content takes effect at once, the rest at the next start."""
        service = pair.service
        if service and not self._context.is_classical:
            try:
                definition = service.define()
            except OSError:  # the next start says so
                return
            gate = service.state.gate if definition.refusal else self.expect(pair.name, definition.policy)
            service.redefine(definition, gate)

    def stuck(self, pairs: "Iterable[Pair]", waits_for_anything: bool) -> list[bytes]:
        """A line that says why, for each of the services that only a person brings up.

        `waits_for_anything`: one that waits for a service which does not exist, or is down, is not among them.
        """
        from pyinit.services.life.presence import is_given_up, verdict

        found = []
        for pair in pairs:
            service = pair.service
            if service and is_given_up(service.state):
                found.append(verdict(pair.name, service.state))
            elif service and service.state.phase == WAITING and self.ordering and not waits_for_anything:
                needs = self.ordering.hopeless(pair.name)
                found += [b"%b waits for %b: %b" % (pair.name, need, why) for need, why in needs]
        return found

    def stop(self, pairs: "Collection[Pair]", until: float) -> bool:
        """Retire all in the reverse of their order, until then (monotonic s). False where there is no order left."""
        loop = self._context.loop
        if not self.ordering or loop.kernel.monotonic() >= until:
            return False
        self.ordering.stop(pairs)
        loop.call_at(until, self.ordering.stop_all)
        return True


def is_unhurried(name: str, directory_fd: int) -> bool:
    """Whether a service directory has no `before`."""
    return not posix.access(name + "/before", posix.F_OK, dir_fd=directory_fd)
