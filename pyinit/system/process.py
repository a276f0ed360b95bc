"""Processes: become another program, start one, fork a clean child, adopt orphans.

Chain-loading is "change myself, then become": what Python changed in the process is put back before exec.
At start Python ignores SIGPIPE and SIGXFSZ, and in the C locale adds LC_CTYPE to the environment; neither
may reach the program that follows. The C-level `environ` is handed on as it is (`execv`, not `execve`), so
odd entries survive; change it with `posix.putenv` and `posix.unsetenv`.
"""

import posix
import sys
from _signal import SIG_DFL, SIGINT, SIGPIPE, SIGXFSZ, default_int_handler, getsignal
from _signal import signal as set_signal
from errno import EACCES, EISDIR, ENOENT, EPERM

from pyinit.report import die

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

DEFAULT_PATH = b"/bin:/usr/bin"


def arguments() -> list[bytes]:
    """The command line as the bytes it was given in, the program's name first."""
    encoding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
    return [argument.encode(encoding, errors) for argument in sys.argv]


def candidates(name: bytes, path: bytes | None) -> list[bytes]:
    """Where execve looks for `name`, in order. An empty component is `.`; no PATH is /bin:/usr/bin."""
    if b"/" in name:
        return [name]
    components = (DEFAULT_PATH if path is None else path).split(b":")
    return [b"%b/%b" % (component or b".", name) for component in components]


def restore() -> None:
    """Put back what the interpreter changed: signal dispositions and the locale variable it added."""
    set_signal(SIGPIPE, SIG_DFL)
    set_signal(SIGXFSZ, SIG_DFL)
    if getsignal(SIGINT) is default_int_handler:
        set_signal(SIGINT, SIG_DFL)
    if _locale_was_added():
        posix.unsetenv(b"LC_CTYPE")


def _locale_was_added() -> bool:
    """Whether LC_CTYPE is in the environment only because the interpreter put it there."""
    if b"LC_CTYPE" not in posix.environ:
        return False
    try:
        return all(not entry.startswith(b"LC_CTYPE=") for entry in initial_environment())
    except OSError:
        return b"LC_ALL" not in posix.environ and posix.environ.get(b"LANG", b"C") in (b"C", b"POSIX", b"")


def initial_environment() -> list[bytes]:
    """The entries the kernel gave this process, before Python touched them. Raises OSError without /proc."""
    descriptor = posix.open("/proc/self/environ", posix.O_RDONLY | posix.O_CLOEXEC)
    chunks = []
    try:
        while chunk := posix.read(descriptor, 65536):
            chunks.append(chunk)
    finally:
        posix.close(descriptor)
    return b"".join(chunks).split(b"\0")[:-1]


def execute(argv: list[bytes], path: bytes | None) -> OSError:
    """Exec argv, looked up as daemontools does (pathexec_run.c); returns the error when nothing could be run.

    A missing file is passed over; one that may not be run (EACCES, EPERM, EISDIR) is remembered and passed
    over; any other error ends the search.
    """
    remembered = OSError(ENOENT, "")
    for candidate in candidates(argv[0], path):
        try:
            posix.execv(candidate, argv)
        except OSError as error:
            if error.errno in (EACCES, EPERM, EISDIR):
                remembered = error
            elif error.errno != ENOENT:
                return error
        except ValueError:  # Python passes no empty argv[0]; the kernel would have met `DIR/`, a directory
            remembered = OSError(EACCES, "")
    return remembered


def become(prog: bytes, argv: list[bytes]) -> "NoReturn":
    """Replace this process by argv, found on the PATH this process was started with; dies with prog's message."""
    restore()
    error = execute(argv, posix.environ.get(b"PATH"))
    die(prog, b"unable to run " + argv[0], error)
