"""The files that say something of a service's life -> its Policy. Loaded only for a directory that has one of them.

Only files that are there are opened, each once. A link is followed only where it ends inside the directory; a program
may be any link. Bad content is a trouble, never an error of the reader. All but that of a `check` nobody asks for
refuses the service. What the other files say is kept, so that a refused service is still known to be critical.
"""

import posix
from _stat import S_ISREG
from errno import ENOENT

from pyinit.report import reason
from pyinit.services.definition.definition import HAS_NUL, LONGEST, SETTINGS
from pyinit.services.definition.restarting import backoff, critical, max_restarts, restart
from pyinit.services.definition.words import all_lines, choice, duration, first_line, names, only, outcomes
from pyinit.services.life.health import CHECK, Health
from pyinit.services.life.health import PROGRAM as BY_PROGRAM
from pyinit.services.life.policy import GROUP, MIXED, NEVER, PROCESS, Policy
from pyinit.services.life.readiness import LOG, Readiness
from pyinit.services.trouble import WANTING
from pyinit.system.beneath import open_beneath
from pyinit.system.files import NOT_REGULAR, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pyinit.services.life.policy import Outcomes

    Trouble = tuple[bytes, bytes]

LONGRUN, ONESHOT = b"longrun", b"oneshot"
CODE_OF_BAD_CRITICAL = 1


def is_oneshot(content: bytes) -> bool:
    """What `type` says."""
    return choice(only(first_line(content), "one word"), (LONGRUN, ONESHOT)) == ONESHOT


def service_names(content: bytes) -> "tuple[bytes, ...]":
    """What `needs`, `after` and `before` say."""
    return names(all_lines(content))


def milliseconds(content: bytes) -> float:
    """What the `timeout-*` files say, in seconds."""
    return duration(only(first_line(content), "a duration"), 0.001)


def success(content: bytes) -> "Outcomes":
    """The ends that are no failure."""
    return outcomes(b" ".join(all_lines(content)))


def signal_number(content: bytes) -> int:
    """What `down-signal` and `reload-signal` say."""
    from pyinit.system.signals import number_of

    return number_of(only(first_line(content), "a signal"))


def kill_mode(content: bytes) -> bytes:
    """Who is stopped."""
    return choice(only(first_line(content), "one word"), (PROCESS, MIXED, GROUP))


PARSERS: "dict[str, tuple[str, Callable[[bytes], object]]]" = {
    "type": ("is_oneshot", is_oneshot),
    "needs": ("needs", service_names),
    "after": ("after", service_names),
    "before": ("before", service_names),
    "timeout-up": ("timeout_up", milliseconds),
    "success": ("success", success),
    "backoff": ("backoff", backoff),
    "max-restarts": ("max_restarts", max_restarts),
    "critical": ("critical", critical),
    "timeout-finish": ("timeout_finish", milliseconds),
    "down-signal": ("down_signal", signal_number),
    "reload-signal": ("reload_signal", signal_number),
    "timeout-kill": ("timeout_kill", milliseconds),
    "kill-mode": ("kill_mode", kill_mode),
}
"""The field of a Policy that the text of a file becomes, and by which function. `restart` becomes two fields.

QUESTIONS of `asking.py` are the others. That module is loaded only for them.
"""


def read_policy(
    found: "Collection[str]", directory_fd: int, has_own_logger: bool, troubles: "list[Trouble]"
) -> "tuple[Policy, Trouble | None]":
    """The policy, and the first bad file with its reason, if any. All bad files are added to `troubles`.

    `found`: the names of files that are there. Raises OSError for want of descriptors or memory.
    """
    reading = _Reading(found, directory_fd, has_own_logger)
    for name in SETTINGS:
        if name in found:
            reading.take(name)
    reading.complete()
    troubles += reading.bad.items()
    refusal = next(iter(reading.bad.items()), None)
    if reading.bad_check:
        troubles.append((b"check", reading.bad_check))
    return reading.policy, refusal


def _question(name: str) -> "tuple[str, Callable[[bytes], object]]":
    from pyinit.services.definition.asking import QUESTIONS

    return QUESTIONS[name]


class _Reading:
    """One directory while it is read. `bad`: the files with bad content, and why.

    `bad_check`: why the file `check` is no program; empty if it is one, or is not there.
    """

    __slots__ = ("_directory_fd", "_found", "_has_check", "_has_own_logger", "bad", "bad_check", "policy")

    def __init__(self, found: "Collection[str]", directory_fd: int, has_own_logger: bool) -> None:
        self.policy = Policy()
        self.bad: dict[bytes, bytes] = {}
        self._found = found
        self._directory_fd = directory_fd
        self._has_own_logger = has_own_logger
        self.bad_check = self._why_no_program(b"check") if "check" in found else b""
        self._has_check = "check" in found and not self.bad_check

    def take(self, name: str) -> None:
        """Read one file into the policy; ValueError and OSError become its trouble."""
        if name == "check":
            return
        file = name.encode()
        why = b""
        try:
            if name == "finish":
                why = self._why_no_program(file)
                self.policy.has_finish = not why
            else:
                self._take_text(name, file)
                why = self._contradiction(name)
        except FileNotFoundError:  # it was removed after the directory was listed
            return
        except OSError as error:
            if error.errno in WANTING:
                raise
            why = reason(error)
        except ValueError as error:
            why = str(error).encode()
        if why:
            self.bad[file] = why
            if name == "critical":
                self.policy.critical = CODE_OF_BAD_CRITICAL

    def _take_text(self, name: str, file: bytes) -> None:
        policy = self.policy
        if name == "health" and not self._why_no_program(file):
            policy.health = Health(BY_PROGRAM)
            return
        content = read_regular(open_beneath(file, self._directory_fd), LONGEST)
        if b"\0" in content:
            raise ValueError(HAS_NUL.decode())
        if name == "restart":
            policy.restart, policy.exceptions = restart(content)
            return
        field, parse = PARSERS.get(name) or _question(name)
        before = policy.readiness
        setattr(policy, field, parse(content))
        if name == "notification-fd" and "ready" in self._found and b"ready" not in self.bad:
            self._compare(before)

    def _compare(self, said: Readiness | None) -> None:
        """`ready` and `notification-fd` are both there: they have to say the same."""
        told = self.policy.readiness
        if said is None or told is None or (said.kind, said.number) != (told.kind, told.number):
            raise ValueError("ready says something else")

    def _contradiction(self, name: str) -> bytes:
        """Why a file, good by itself, does not go with the other files."""
        policy = self.policy
        kind = policy.readiness.kind if policy.readiness else b""
        if name == "ready" and kind == LOG and self._has_own_logger:
            return b"log/run reads what the service writes"
        if name == "health":
            kind = policy.health.kind if policy.health else b""
        if name in ("ready", "health") and kind == CHECK and not self._has_check:
            return b"check: " + (self.bad_check or reason(ENOENT))
        if name == "timer" and not policy.is_oneshot and b"type" not in self.bad:
            return b"for a oneshot only"
        return b""

    def _why_no_program(self, file: bytes) -> bytes:
        """Why the file cannot be run, empty if it can. Raises OSError for want of memory."""
        try:
            mode = posix.stat(file, dir_fd=self._directory_fd).st_mode
        except FileNotFoundError:
            return b"a link that leads nowhere"  # or it was just removed, and the directory is read again for that
        except OSError as error:
            if error.errno in WANTING:
                raise
            return reason(error)
        if not S_ISREG(mode):
            return NOT_REGULAR.encode()
        return b"" if mode & 0o111 else b"not executable"

    def complete(self) -> None:
        """What the files say by not being there."""
        policy = self.policy
        if policy.is_oneshot and "restart" not in self._found:
            policy.restart = NEVER
        if "ready" not in self._found and "notification-fd" not in self._found and self._has_check:
            policy.readiness = Readiness(CHECK)
