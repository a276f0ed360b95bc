"""Children: programs started with what this process was given, and forks that run Python.

Programs are started by posix_spawn, which in glibc shares memory with its parent until exec (CLONE_VFORK): its cost
does not grow with PID 1, and a program that cannot be executed is an OSError here, not a child that dies.
It cannot change directory, so this process does, and goes back: it has one thread and keeps no meaning in its
working directory.
"""

import posix
import sys
from _signal import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIGKILL,
    SIGPIPE,
    SIGSTOP,
    SIGTTIN,
    SIGTTOU,
    SIGXFSZ,
    getsignal,
    pthread_sigmask,
    set_wakeup_fd,
    valid_signals,
)
from _signal import signal as set_signal
from gc import freeze

from pyinit.system.process import initial_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

IGNORED_BY_PYTHON = (SIGPIPE, SIGXFSZ)

NOTHING, GROUP, SESSION = range(3)
"""What a program leads."""

LEADING: "dict[int, dict[str, Any]]" = {NOTHING: {}, GROUP: {"setpgroup": 0}, SESSION: {"setsid": True}}
"""The same, in posix_spawn's words."""

IGNORED_ON_TERMINALS = (SIGTTIN, SIGTTOU)
"""Of a process that is to write to a terminal also from the background, whatever `stty tostop` says."""

ENOUGH_DESCRIPTORS = 1024
"""The usual soft limit; below it nothing is raised and nothing has to be lowered again for each child."""


def block_signals() -> None:
    """Hold every signal back until a loop is there to take it. PID 1 would lose those it has no handler for."""
    pthread_sigmask(SIG_BLOCK, valid_signals())


def environment() -> tuple[dict[bytes, bytes], int]:
    """The environment this process was given, without what the interpreter added; how many odd entries it lacks."""
    try:
        entries = initial_environment()
    except OSError:  # no /proc
        return dict(posix.environ), 0
    found = {name: value for name, is_set, value in (entry.partition(b"=") for entry in entries) if is_set and name}
    return found, len(entries) - len(found)


def ignore_terminal_stops() -> None:
    """Neither reading from nor writing to a terminal stops this process."""
    for number in IGNORED_ON_TERMINALS:
        set_signal(number, SIG_IGN)


def adopt_orphans() -> bool:
    """Become the parent of descendants whose own parent dies, as process 1 is (PR_SET_CHILD_SUBREAPER).

    False without python-prctl: then they go to process 1, and are neither reaped nor stopped here.
    """
    if posix.getpid() == 1:
        return True
    prctl = _prctl()
    if prctl:
        prctl.set_child_subreaper(True)
    return prctl is not None


def die_with_parent(number: int) -> bool:
    """Get this signal when the parent dies (PR_SET_PDEATHSIG); False without python-prctl."""
    prctl = _prctl()
    if prctl:
        prctl.set_pdeathsig(number)
    return prctl is not None


def _prctl() -> "Any | None":
    """The python-prctl module, which an interpreter without site does not see where it is installed."""
    library = f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    own = sys.executable.rpartition("/")[0]
    sys.path += ["/usr/lib/python3/dist-packages", f"{own}/../lib/{library}", f"/usr/local/lib/{library}"]
    try:
        import prctl
    except ImportError:
        return None
    finally:
        del sys.path[-3:]
    return prctl


class Spawner:
    """Starts programs in a directory, each with the environment and descriptor limit the container was given.

    This process's working directory is to be what it is now for as long as it starts any.
    """

    __slots__ = (
        "_change_limit",
        "_defaults",
        "_given_limit",
        "_group",
        "_home",
        "_raised_limit",
        "environment",
        "lacks",
    )

    def __init__(self, has_groups: bool = False) -> None:
        """`has_groups`: each program leads a process group of its own, which a terminal's ^C does not reach."""
        self._group = LEADING[GROUP if has_groups else NOTHING]
        self._defaults = _defaults((*IGNORED_BY_PYTHON, *IGNORED_ON_TERMINALS) if has_groups else IGNORED_BY_PYTHON)
        self.environment, self.lacks = environment()
        """What programs are given, and how many entries of what was given here that can't have: those without a
        name or `=`, and all but the last of one name."""
        self._home = posix.open(".", posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC)
        self._change_limit: Callable[[tuple[int, int]], None]
        self._given_limit: tuple[int, int] | None = None
        self._raised_limit: tuple[int, int] | None = None

    def allow_descriptors(self, count: int) -> None:
        """Raise this process's own soft limit to the hard one if it may need `count` descriptors.

        The programs started later still get the limit that was given.
        """
        if count < ENOUGH_DESCRIPTORS // 2 or self._raised_limit:
            return
        from resource import RLIMIT_NOFILE, getrlimit, setrlimit

        soft, hard = getrlimit(RLIMIT_NOFILE)
        if soft == hard:
            return
        self._change_limit = lambda limit: setrlimit(RLIMIT_NOFILE, limit)
        self._given_limit, self._raised_limit = (soft, hard), (hard, hard)
        self._set_limit(self._raised_limit)

    def start(
        self,
        argv: list[bytes],
        directory: int,
        streams: "Sequence[tuple[int, int, int]]" = (),
        changes: "Mapping[bytes, bytes | None] | None" = None,
    ) -> int:
        """Start argv[0] in `directory`; returns the pid. Raises OSError when it cannot be forked or executed.

        `streams` are posix_spawn's file actions; descriptors 0, 1 and 2 not named there are inherited. `changes` to the
        environment: a value to set, None to remove. Same session as this process. The child has no signal blocked or
        ignored that was not so before Python.
        """
        environment = self.environment
        if changes:
            changed = {**environment, **changes}
            environment = {name: value for name, value in changed.items() if value is not None}
        posix.fchdir(directory)
        try:
            self._set_limit(self._given_limit)
            return posix.posix_spawn(
                argv[0],
                argv,
                environment,
                file_actions=streams,
                setsigmask=(),
                setsigdef=self._defaults,
                **self._group,
            )
        finally:
            self._set_limit(self._raised_limit)
            posix.fchdir(self._home)

    def start_here(self, argv: list[bytes], leads: int) -> int:
        """Start argv, found on PATH, in this process's directory, leading that; returns the pid.

        Raises OSError when it cannot be forked or executed, ValueError where argv has an empty name.
        """
        try:
            self._set_limit(self._given_limit)
            return posix.posix_spawnp(
                argv[0], argv, self.environment, setsigmask=(), setsigdef=self._defaults, **LEADING[leads]
            )
        finally:
            self._set_limit(self._raised_limit)

    def give_limit(self) -> None:
        """Go back to the limit that was given: for a forked child, before it becomes another program."""
        self._set_limit(self._given_limit)

    def _set_limit(self, limit: tuple[int, int] | None) -> None:
        if limit:
            self._change_limit(limit)


def _defaults(ours: tuple[int, ...]) -> list[int]:
    """Signals that a program gets with their default: all but those that were ignored before us, who ignore `ours`.

    It would get them so unasked; but then posix_spawn asks the kernel about each, a tenth of its work.
    """
    signals = valid_signals() - {SIGKILL, SIGSTOP}
    return [number for number in signals if number in ours or getsignal(number) != SIG_IGN]


def fork(name: bytes, keep: int, main: "Callable[[], int]") -> int:
    """Fork a child that runs main() and leaves with its code; returns the pid. Raises OSError.

    What exists is never looked through for garbage again, which would write to pages that are shared until then.
    The child keeps descriptors 0, 1, 2 and `keep`, and nothing else of its parent's: not its locks, FIFOs or
    pipes. Its signals are as a new process's, but for SIGPIPE, which stays ignored. `name` is what ps shows.
    """
    freeze()
    pid = posix.fork()
    if pid:
        return pid
    code = 111
    try:
        set_wakeup_fd(-1)
        reset_signals()
        set_signal(SIGPIPE, SIG_IGN)  # again: its parent may have asked for it
        posix.closerange(3, keep)
        posix.closerange(keep + 1, 2**31 - 1)
        pthread_sigmask(SIG_SETMASK, ())
        _rename(name)
        code = main()
    except BaseException as error:
        _last_words(name, error)
    finally:
        posix._exit(code)


def reset_signals() -> None:
    """Give every signal that this process handles its default disposition."""
    for number in valid_signals():
        if callable(getsignal(number)):
            set_signal(number, SIG_DFL)


def _rename(name: bytes) -> None:
    try:
        descriptor = posix.open("/proc/self/comm", posix.O_WRONLY | posix.O_CLOEXEC)
        posix.write(descriptor, name)
        posix.close(descriptor)
    except OSError:
        pass


def _last_words(name: bytes, error: BaseException) -> None:
    from traceback import format_exception

    posix.write(2, b"%b: fatal: %b" % (name, "".join(format_exception(error)).encode(errors="replace")))
