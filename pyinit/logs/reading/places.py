"""Where the logs of services are: in the container's log directory, and in services that have loggers of their own.

LOGS/NAME                the log of a service that brings no logger
SERVICES/NAME/log/main   the log of one that does; else the only directory in log/ that has a `current`
"""

import posix
from _stat import S_ISDIR
from errno import ENOENT, ENOTDIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Found = list[tuple[bytes, bytes]]
"""Services' names and log directories."""


class Places:
    """Finds the logs of the named services, of all services without names. A name may be the path of a log directory.

    `error` is told of names without a log, each once, and why.
    """

    __slots__ = ("_logs", "_names", "_seen", "_services", "_told", "error", "searched")

    def __init__(
        self, logs: bytes, services: bytes, names: list[bytes], error: "Callable[[bytes, OSError | None], None]"
    ) -> None:
        self.error = error
        self.searched: set[bytes] = set()
        """Directories that the last `find` depended on."""
        self._logs = logs
        self._services = services
        self._names = names
        self._seen: set[bytes] = set()
        """Names with a log once: a log that goes may come again."""
        self._told: set[bytes] = set()

    def find(self) -> Found:
        """The logs that there are now, each once however it is reached."""
        self.searched = set()
        found: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        for name in self._names or self._all():
            paths = self._paths(name)
            for path in paths:
                if status := _directory(path):
                    found.setdefault((status.st_dev, status.st_ino), (name.rstrip(b"/") or name, path))
            if any(map(_directory, paths)):
                self._seen.add(name)
            elif self._names and name not in self._seen:
                self._tell(b"unable to find log of " + name, OSError(ENOENT, ""))
        if not found and not self._names:
            self._tell(b"unable to find any log in %b or %b" % (self._logs, self._services), None)
        return list(found.values())

    def _tell(self, message: bytes, error: OSError | None) -> None:
        if message not in self._told:
            self._told.add(message)
            self.error(message, error)

    def _all(self) -> list[bytes]:
        """Names in both directories."""
        self.searched |= {self._logs, self._services}
        return sorted(
            name for name in {*self._listed(self._logs), *self._listed(self._services)} if not name.startswith(b".")
        )

    def _paths(self, name: bytes) -> list[bytes]:
        """Where the log is, if it is there."""
        if b"/" in name or name in (b".", b".."):
            path = name.rstrip(b"/") or name
            self.searched.add(path)
            is_service = not _exists(path + b"/current") and _directory(path + b"/log")
            return self._own(path) if is_service else [path]
        self.searched |= {self._logs, self._services}
        return [*self._own(b"%b/%b" % (self._services, name)), b"%b/%b" % (self._logs, name)]

    def _listed(self, directory: bytes) -> list[bytes]:
        try:
            return posix.listdir(directory)
        except OSError as error:
            if error.errno not in (ENOENT, ENOTDIR):
                self._tell(b"unable to read directory " + directory, error)
            return []

    def _own(self, service: bytes) -> list[bytes]:
        """The log that a service keeps itself; none if it does not."""
        log = service + b"/log"
        self.searched.add(log)
        if _directory(log + b"/main"):
            return [log + b"/main"]
        paths = [path for name in self._listed(log) if _directory(path := b"%b/%b" % (log, name))]
        self.searched |= set(paths)
        paths = [path for path in paths if _exists(path + b"/current")]
        if len(paths) > 1:
            self._tell(b"unable to choose one of the logs in " + log, None)
            return []
        return paths


def _exists(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True


def _directory(path: bytes) -> "posix.stat_result | None":
    """The status of a directory; None if there is none."""
    try:
        status = posix.stat(path)
    except OSError:
        return None
    return status if S_ISDIR(status.st_mode) else None
