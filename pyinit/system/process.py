"""Become another program, leaving the process as the C daemontools would.

Chain-loading is "restore, change myself, then become". At start Python ignores SIGPIPE and SIGXFSZ, and in the C
locale sets LC_CTYPE in the environment. Neither may reach the program that follows. Whether our caller ignored the two
signals cannot be known any more, so they become the default.

An environment that is not to be changed is handed on as the C library has it (`execv`, not `execve`). So its order, its
duplicates and its odd entries survive.
"""

import posix
import sys
from _signal import SIG_DFL, SIGPIPE, SIGXFSZ
from _signal import signal as set_signal

from pyinit.report import die

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

DEFAULT_PATH = b"/bin:/usr/bin"

WATCHDOG_PID = b"WATCHDOG_PID"
"""The variable that tells a process its own pid (sd_watchdog_enabled(3))."""

LOCALES_OF_PYTHON = (b"C.UTF-8", b"C.utf8", b"UTF-8")
"""What the interpreter may set LC_CTYPE to (PEP 538)."""


def arguments() -> list[bytes]:
    """The command line as the bytes it was given in, the program's name first.

    They come from the kernel. The way through sys.argv and back is not exact in every locale: it is for want of /proc.
    """
    try:
        return _read_strings("/proc/self/cmdline")[-len(sys.argv) :]
    except OSError:
        return [encoded(argument) for argument in sys.argv]


def encoded(name: str) -> bytes:
    """The bytes of a name that the interpreter decoded."""
    return name.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def decoded(name: bytes) -> str:
    """A name for the few interfaces that take no bytes; they encode it back."""
    return name.decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


_inherited: list[list[bytes]] = []
"""The entries of the environment that this process was given, once they have been read."""


def initial_environment() -> list[bytes]:
    """The entries of the environment that this process was given, before Python touched them.

    Raises OSError without /proc, and if they were not read before the process changed its user.
    """
    if not _inherited:
        _inherited.append(_read_strings("/proc/self/environ"))
    return _inherited[0]


def inherit(entries: list[bytes]) -> bool:
    """From here on the process has this environment, and has been given it, as if it had been executed with it.

    False, with nothing done, if it cannot: an entry has no name or no `=`, or there are two of one name.
    """
    values = {name: value for name, is_set, value in (entry.partition(b"=") for entry in entries) if is_set and name}
    if len(values) != len(entries):
        return False
    for name in posix.environ:
        posix.unsetenv(name)
    for name, value in values.items():
        posix.putenv(name, value)
    posix.environ.clear()
    posix.environ.update(values)
    _inherited[:] = [entries]
    return True


def _read_strings(path: str) -> list[bytes]:
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    chunks = []
    try:
        while chunk := posix.read(descriptor, 8192):
            chunks.append(chunk)
    finally:
        posix.close(descriptor)
    return b"".join(chunks).split(b"\0")[:-1]


def restore() -> None:
    """Put back what the interpreter changed. A chain-loading command does it first, while it has its rights."""
    set_signal(SIGPIPE, SIG_DFL)
    set_signal(SIGXFSZ, SIG_DFL)
    if posix.environ.get(b"LC_CTYPE") in LOCALES_OF_PYTHON:
        _restore_locale()


def _restore_locale() -> None:
    """Give LC_CTYPE the value it came with, or none. Without /proc: it was added if nothing else says UTF-8."""
    try:
        values = [entry[9:] for entry in initial_environment() if entry.startswith(b"LC_CTYPE=")]
    except OSError:
        if b"LC_ALL" in posix.environ or posix.environ.get(b"LANG", b"") not in (b"", b"C", b"POSIX"):
            return
        values = []
    if values:
        posix.putenv(b"LC_CTYPE", values[0])
    else:
        posix.unsetenv(b"LC_CTYPE")
        del posix.environ[b"LC_CTYPE"]


def candidates(name: bytes, path: bytes | None) -> list[bytes]:
    """Where execve looks for `name`, in order. An empty component is `.`; no PATH is /bin:/usr/bin."""
    if b"/" in name:
        return [name]
    components = (DEFAULT_PATH if path is None else path).split(b":")
    return [b"%b/%b" % (component or b".", name) for component in components]


def execute(programs: list[bytes], argv: list[bytes], entries: list[bytes] | None = None) -> OSError:
    """Exec the first of `programs` that can be run (pathexec_run.c); returns the error when none can.

    A missing file is passed over. One that may not be run (EACCES, EPERM, EISDIR) is remembered and passed over. Any
    other error ends the search. `entries` is the environment, if it is not the process's own.
    """
    remembered: OSError | None = None
    argv = argv if argv[0] else [b"-"]  # refused by Python; the kernel refuses `DIR/` whatever argv[0] is
    for program in programs:
        try:
            if entries is None:
                posix.execv(program, argv)
            from pyinit.system.environment import execve

            execve(program, argv, entries)
        except FileNotFoundError as error:
            remembered = remembered or error
        except (PermissionError, IsADirectoryError) as error:
            remembered = error
        except OSError as error:
            return error
    if remembered:
        return remembered
    from errno import ENOENT

    return OSError(ENOENT, "")


follow: "Callable[[list[bytes], list[bytes], Sequence[bytes], list[bytes] | None], None] | None" = None
"""Asked by `become` before it executes: what can call the program in this process does, and does not return.

It is told where the program may be, its arguments, the changes to the environment and the entries these make. A
launcher of ours sets it (launch/chain.py).
"""


def become(prog: bytes, argv: list[bytes], changes: "Sequence[bytes]" = ()) -> "NoReturn":
    """Replace this process by argv, found on the PATH this process was started with; dies with prog's message.

    `changes` to the environment: `NAME=VALUE` to set, `NAME` to remove. Call `restore` before.
    """
    programs = candidates(argv[0], posix.environ.get(b"PATH"))
    entries = None
    if changes:
        from pyinit.system.environment import changed

        try:
            entries = changed(initial_environment(), changes)
        except OSError:  # no /proc
            entries = changed([b"%b=%b" % pair for pair in posix.environ.items()], changes)
    if follow:
        follow(programs, argv, changes, entries)
    die(prog, b"unable to run " + argv[0], execute(programs, argv, entries))
