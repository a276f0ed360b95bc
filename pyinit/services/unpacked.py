"""A second directory of services: those that were unpacked from one file at boot. It stays as it is while we run."""

import posix

from pyinit import report
from pyinit.services.scanner import PROG, Scanner
from pyinit.system.process import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.context import Context
    from pyinit.services.pair import LoggingPolicy, Pair
    from pyinit.services.scanner import Key


class ScannerOfTwo(Scanner):
    """Scans the service directory at `path`, and `unpacked` too. A service of a name that both have is the former.

    `policy`, `policy_of_unpacked`: who logs the services of each.
    """

    def __init__(
        self,
        context: "Context",
        policy: "LoggingPolicy",
        path: bytes,
        unpacked: bytes,
        policy_of_unpacked: "LoggingPolicy",
    ) -> None:
        """Raises OSError."""
        super().__init__(context, policy, path)
        self._unpacked = unpacked
        unpacked_fd = posix.open(unpacked, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        self._second = unpacked_fd, policy_of_unpacked
        self._others: set[str] = set()
        """The names that the last scan took from the unpacked services."""
        self._taken: dict[bytes, Pair] = {}
        """The unpacked services that have been taken up, by name."""
        self._leaving: set[bytes] = set()

    def _names(self) -> list[str]:
        names = super()._names()
        self._others = {*posix.listdir(self._second[0])}.difference(names)
        return [*(name for name in names if not self._is_leaving(encoded(name))), *self._others]

    def _home_of(self, name: str) -> "tuple[int, LoggingPolicy]":
        return self._second if name in self._others else super()._home_of(name)

    def _new_pair(self, key: "Key", name: bytes, home_fd: int, policy: "LoggingPolicy") -> "Pair":
        pair = super()._new_pair(key, name, home_fd, policy)
        if home_fd == self._second[0]:
            self._taken[name] = pair
        return pair

    def _is_leaving(self, name: bytes) -> bool:
        """Whether an unpacked service of this name has to leave first: the service directory has one now.

        That is told once, and the unpacked one is brought down. The other is taken up when it is gone.
        """
        pair = self._taken.get(name)
        if not pair or pair.is_gone:
            self._taken.pop(name, None)
            self._leaving.discard(name)
            return False
        self.untaken.add(name)
        if name not in self._leaving:
            self._leaving.add(name)
            report.warn(PROG, b"%b is in %b and in %b: stopping the latter" % (name, self.path, self._unpacked))
            pair.retire()
        return True
