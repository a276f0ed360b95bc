"""The files of one job: their account, their home, how they are opened; and troubles told once."""

import posix
from errno import EACCES, ENOENT

from pyinit import report
from pyinit.formats.visible import visible_name
from pyinit.formats.wire import HOME, PROG
from pyinit.logs.collector.own_folder import DIRECTORY
from pyinit.logs.multilog.retry import CannotOpenLog
from pyinit.system.user import Oneself, User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.formats.wire import Job
    from pyinit.logs.collector.service_log import ServiceLog
    from pyinit.logs.multilog.multilog import Multilog
    from pyinit.logs.multilog.retry import Trouble


class JobFiles:
    """The log directories `paths` of a job. `user` is the account that everything done with them must act as."""

    __slots__ = ("_job", "paths", "user")

    def __init__(self, job: "Job", paths: list[bytes]) -> None:
        self._job = job
        self.paths = paths
        self.user: User | Oneself = Oneself()

    def open(self, log: "Multilog") -> None:
        """Make missing directories and open the log, in the job's home. Raises CannotOpenLog."""
        try:
            self._open(log)
        except CannotOpenLog as failure:
            if failure.error.errno == EACCES and not self._job.user and posix.geteuid() == 0:
                failure.message += _remedy()
            raise

    def _open(self, log: "Multilog") -> None:
        try:
            if self._job.user and isinstance(self.user, Oneself):
                self.user = User(self._job.user)
            self._make_directories()
            with self.user:
                self._open_at_home(log)
        except KeyError:
            raise CannotOpenLog(b"unable to find account " + self._job.user, OSError(ENOENT, "")) from None
        except OSError as error:
            raise CannotOpenLog(b"unable to become " + self._job.user, error) from None

    def tell_owners(self, log: "ServiceLog", notices: "Notices") -> None:
        """Say whose directory it is, if root writes into that of another account."""
        if posix.geteuid() == 0 and isinstance(self.user, Oneself):
            for directory in log.directories:
                try:
                    owner = directory.owner
                except OSError:  # the next opening tells
                    continue
                if owner:
                    notices.owner(directory.path, owner)

    def start_processor(self, directory_fd: int, command: bytes) -> int:
        """Start a processor as the account of the files; returns its pid. Raises OSError."""
        from pyinit.logs.multilog.processor import start

        return start(directory_fd, command, self.user.become, posix.O_NOFOLLOW)

    def _make_directories(self) -> None:
        """Make the parents of the log directories; for another account also the directories, owned by it."""
        for path in self.paths:
            whole = path if path.startswith(b"/") else b"%b/%b" % (self._job.home, path)
            try:
                _make_parents(whole)
                if self._job.user:
                    self._make_for_user(whole)
            except OSError as error:
                raise CannotOpenLog(b"unable to make directory " + whole, error) from None

    def _make_for_user(self, path: bytes) -> None:
        """Make the directory, and give it to the account; one that is there already stays as it is. Raises OSError.

        It is given away by its descriptor: whoever may write to the parent may put another one in its place.
        """
        try:
            posix.mkdir(path, 0o700)
        except FileExistsError:
            return
        directory_fd = posix.open(path, DIRECTORY | posix.O_NOFOLLOW)
        try:
            status = posix.fstat(directory_fd)
            if (status.st_uid, status.st_mode & 0o7777) == (posix.geteuid(), 0o700) and not posix.listdir(directory_fd):
                posix.fchown(directory_fd, *self.user.ids)
        finally:
            posix.close(directory_fd)

    def _open_at_home(self, log: "Multilog") -> None:
        """Open the log in the directory that its names are relative to."""
        if self._job.home == HOME:
            log.open()
            return
        try:
            posix.chdir(self._job.home)
        except OSError as error:
            raise CannotOpenLog(b"unable to switch to directory " + self._job.home, error) from None
        try:
            log.open()
        finally:
            posix.chdir(HOME)


def _remedy() -> bytes:
    """What helps root against `access denied`."""
    from pyinit.system.capabilities import lacks_override

    text = b" (root has no CAP_DAC_OVERRIDE here: put the account of the directory's owner into log/user)"
    return text if lacks_override() else b""


def _make_parents(path: bytes) -> None:
    """Make the parents of an absolute path, where they are missing. Raises OSError for the first that cannot be."""
    parts = path.split(b"/")[:-1]
    if _exists(b"/".join(parts) or b"/"):
        return
    for count in range(2, len(parts) + 1):
        try:
            posix.mkdir(b"/".join(parts[:count]), 0o755)
        except FileExistsError:
            continue
        except OSError:
            if not _exists(b"/".join(parts[:count])):
                raise


def _exists(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True


class Notices:
    """Warnings about one service's log: each reason once, until it changes or is over, not with every try."""

    __slots__ = ("_name", "_said")

    def __init__(self, name: bytes) -> None:
        self._name = visible_name(name)
        self._said = b""

    def warn(self, trouble: "Trouble") -> None:
        """Warn of a failed try."""
        self._say(trouble.message, trouble.error)

    def not_open(self, failure: CannotOpenLog) -> None:
        """Warn of a log that cannot be opened."""
        self._say(failure.message + b", going on to standard output and trying again", failure.error)

    def owner(self, path: bytes, uid: int) -> None:
        """Warn of a directory whose owner can damage the log."""
        self._say(b"log directory %b belongs to account %d: see log/user" % (path, uid), None)

    def say(self, message: bytes) -> None:
        """Warn of what has happened."""
        self._say(message, None)

    def over(self) -> None:
        """The trouble is over: the same reason is news again."""
        self._said = b""

    def _say(self, message: bytes, error: OSError | None) -> None:
        text = b"%b: %b" % (self._name, message)
        if error and error.errno is None:
            text, error = b"%b: %b" % (text, (error.strerror or "").encode()), None
        if text != self._said:
            report.warn(PROG, text, error)
            self._said = text
