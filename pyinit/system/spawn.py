"""Starts programs, each with what this process was given.

posix_spawn shares memory with its parent until exec (CLONE_VFORK in glibc): its cost does not grow with PID 1. A
program that cannot be executed is an OSError here, not a child that dies. posix_spawn cannot change directory, so this
process does, and goes back. It has one thread and keeps no meaning in its working directory.
"""

import posix
from _signal import SIG_IGN, SIGKILL, SIGPIPE, SIGSTOP, SIGTTIN, SIGTTOU, SIGXFSZ, getsignal, valid_signals
from _signal import signal as set_signal

from pyinit.system.process import initial_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    Redirections = Sequence[tuple[int, int, int]]

IGNORED_BY_PYTHON = (SIGPIPE, SIGXFSZ)

NOTHING, GROUP, SESSION = range(3)
"""What a program leads."""

LEADING: "dict[int, dict[str, Any]]" = {NOTHING: {}, GROUP: {"setpgroup": 0}, SESSION: {"setsid": True}}
"""The same, in the words of posix_spawn."""

IGNORED_ON_TERMINALS = (SIGTTIN, SIGTTOU)
"""Signals that a process ignores to write to a terminal from the background, whatever `stty tostop` says."""

ENOUGH_DESCRIPTORS = 1024
"""The usual soft limit. Below it nothing is raised, and nothing has to be lowered again for each child."""


def redirection(here: int, there: int) -> tuple[int, int, int]:
    """The file action (posix_spawn) that gives a program our descriptor `here` as its descriptor `there`."""
    return posix.POSIX_SPAWN_DUP2, here, there


def given_environment() -> tuple[dict[bytes, bytes], int]:
    """The environment that this process was given, without the interpreter's additions, and its count of lost entries.

    An entry is lost if it has no name or no `=`, or if a later one has its name.
    """
    try:
        entries = initial_environment()
    except OSError:  # no /proc
        return dict(posix.environ), 0
    found = {name: value for name, is_set, value in (entry.partition(b"=") for entry in entries) if is_set and name}
    return found, len(entries) - len(found)


def ignore_terminal_stops() -> list[int]:
    """Neither reading from nor writing to a terminal stops this process; the signals that were ignored already."""
    return [number for number in IGNORED_ON_TERMINALS if set_signal(number, SIG_IGN) == SIG_IGN]


class Spawner:
    """Starts programs in a directory, each with the environment and descriptor limit that the container was given.

    The working directory of this process must stay the same for as long as it starts any.
    """

    __slots__ = (
        "_change_limit",
        "_defaults",
        "_given_limit",
        "_group",
        "_home",
        "_raised_limit",
        "environment",
        "interpret",
        "invalid_entries",
    )

    def __init__(self, has_groups: bool = False) -> None:
        """`has_groups`: each program leads a process group of its own, which a terminal's ^C does not reach."""
        self._group = LEADING[GROUP if has_groups else NOTHING]
        self._defaults = default_signals(
            (*IGNORED_BY_PYTHON, *IGNORED_ON_TERMINALS) if has_groups else IGNORED_BY_PYTHON
        )
        self.environment, self.invalid_entries = given_environment()
        """What programs get, and how many entries of the given environment they cannot get."""
        self.interpret: Callable[[list[bytes], int], list[bytes]] | None = None
        """Asked for another command line where a program in a directory may not be executed; raises OSError itself."""
        self._home = posix.open(".", posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC)
        self._change_limit: Callable[[tuple[int, int]], None]
        self._given_limit: tuple[int, int] | None = None
        self._raised_limit: tuple[int, int] | None = None

    def settle(self) -> None:
        """In a forked child: go back to the directory of this process from now on. Raises OSError."""
        self._home = posix.open(".", posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC)

    def allow_descriptors(self, count: int) -> None:
        """Raise the soft limit of this process to the hard one if it may need `count` descriptors.

        Programs that are started later still get the limit that was given.
        """
        if count < ENOUGH_DESCRIPTORS // 2 or self._raised_limit:
            return
        from resource import RLIMIT_NOFILE, getrlimit, setrlimit

        soft, hard = getrlimit(RLIMIT_NOFILE)
        if soft == hard:
            return
        self._change_limit = lambda limit: setrlimit(RLIMIT_NOFILE, limit)
        self._given_limit, self._raised_limit = (soft, hard), (hard, hard)
        self._change_limit(self._raised_limit)

    def start(
        self,
        argv: list[bytes],
        directory_fd: int,
        redirections: "Redirections" = (),
        changes: "Mapping[bytes, bytes | None] | None" = None,
    ) -> int:
        """Start argv[0] in a directory; returns the pid. Raises OSError when it cannot be forked or executed.

        Descriptors 0, 1 and 2 are inherited unless redirected. `changes` to the environment: a value to set, None to
        remove. The child is in the session of this process. It has no signal blocked, and none ignored that was not
        ignored before the interpreter began.
        """
        environment = self._changed(changes) if changes else self.environment
        posix.fchdir(directory_fd)
        try:
            if self._given_limit:
                self._change_limit(self._given_limit)
            return self._spawn(argv, redirections, environment)
        except PermissionError:
            if not self.interpret:
                raise
            return self._spawn(self.interpret(argv, directory_fd), redirections, environment)
        finally:
            self._go_back()

    def start_told(
        self,
        argv: list[bytes],
        directory_fd: int,
        redirections: "Redirections",
        changes: "Mapping[bytes, bytes | None]",
    ) -> int:
        """As `start`, with the pid of the child in its environment, as WATCHDOG_PID. By fork: posix_spawn cannot."""
        from pyinit.system.told import start_told

        environment, is_leader = self._changed(changes), bool(self._group)

        def start(argv: list[bytes]) -> int:
            return start_told(self.give_limit, argv, directory_fd, redirections, environment, is_leader, self._defaults)

        try:
            return start(argv)
        except PermissionError:
            if not self.interpret:
                raise
            return start(self.interpret(argv, directory_fd))

    def _changed(self, changes: "Mapping[bytes, bytes | None]") -> dict[bytes, bytes]:
        """The environment of programs with these changes."""
        changed = {**self.environment, **changes}
        return {name: value for name, value in changed.items() if value is not None}

    def _spawn(self, argv: list[bytes], redirections: "Redirections", environment: "Mapping[bytes, bytes]") -> int:
        return posix.posix_spawn(
            argv[0],
            argv,
            environment,
            file_actions=redirections,
            setsigmask=(),
            setsigdef=self._defaults,
            **self._group,
        )

    def _go_back(self) -> None:
        """Go back to our own limit and directory. Failing must not hide the pid of a child."""
        try:
            if self._raised_limit:
                self._change_limit(self._raised_limit)
        except (OSError, ValueError):
            pass
        for _ in range(2):
            try:
                posix.fchdir(self._home)
                break
            except OSError:
                continue

    def start_here(
        self, argv: list[bytes], leads: int, mask: "Collection[int]" = (), ignored: "Collection[int]" = ()
    ) -> int:
        """Start argv, found on PATH, in the directory of this process; returns the pid. `leads`: what it leads.

        It gets the signal `mask`, and ignores the `ignored` signals of a terminal.

        Raises OSError when it cannot be forked or executed, ValueError where argv has an empty name.
        """
        defaults = [number for number in self._defaults if number not in ignored] if ignored else self._defaults
        try:
            self.give_limit()
            return posix.posix_spawnp(
                argv[0], argv, self.environment, setsigmask=mask, setsigdef=defaults, **LEADING[leads]
            )
        finally:
            if self._raised_limit:
                self._change_limit(self._raised_limit)

    def give_limit(self) -> None:
        """Go back to the limit that was given: for a forked child, before it becomes another program."""
        if self._given_limit:
            self._change_limit(self._given_limit)


def default_signals(ours: tuple[int, ...]) -> list[int]:
    """The signals that a program gets with their default: all but those that were ignored before the interpreter began.

    `ours` are ignored by this process itself. Without this list the program would get the same, but posix_spawn would
    ask the kernel about each signal, a tenth of its work.
    """
    signals = valid_signals() - {SIGKILL, SIGSTOP}
    return [number for number in signals if number in ours or getsignal(number) != SIG_IGN]
