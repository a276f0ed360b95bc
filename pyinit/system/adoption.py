"""Our place in the tree of processes: whose orphans we adopt, and whose end ends us. prctl(2).

By python-prctl where it is installed. Building that takes a compiler and headers, so without it the same two calls are
made by ctypes, which is a part of Python itself.
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.system.kernel import Kernel

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 1, 36, 37


def adopt_orphans() -> bool:
    """Become the parent of descendants whose own parent dies, as process 1 is (PR_SET_CHILD_SUBREAPER).

    False where that cannot be done: then they go to process 1, and are neither reaped nor stopped here.
    """
    return posix.getpid() == 1 or _done("set_child_subreaper", PR_SET_CHILD_SUBREAPER, 1)


def adopts_orphans() -> bool:
    """Whether this process is such a parent already: exec keeps that. True where that cannot be known."""
    get = _of_python_prctl("get_child_subreaper")
    if get:
        return bool(get())
    try:
        from ctypes import CDLL, byref, c_int
    except ImportError:
        return True
    found = c_int(0)
    return bool(CDLL(None).prctl(PR_GET_CHILD_SUBREAPER, byref(found), 0, 0, 0)) or bool(found.value)


def has_children(kernel: "Kernel") -> bool:
    """Whether this process has a child left. An orphan that it adopted is one."""
    try:
        kernel.waitid(posix.P_ALL, 0, posix.WEXITED | posix.WNOHANG | posix.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def die_with_parent(number: int) -> bool:
    """Get this signal when the parent dies (PR_SET_PDEATHSIG); False where that cannot be done."""
    return _done("set_pdeathsig", PR_SET_PDEATHSIG, number)


def _done(name: str, option: int, value: int) -> bool:
    """Whether one call succeeded: the function of python-prctl of this name, else prctl(option, value)."""
    call = _of_python_prctl(name) or _of_ctypes(option)
    if call is None:
        return False
    try:
        return not call(value)
    except OSError:
        return False


def _of_python_prctl(name: str) -> "Callable[..., int | None] | None":
    """The function, from where an interpreter without site does not look for packages."""
    library = f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    own = sys.executable.rpartition("/")[0]
    sys.path += ["/usr/lib/python3/dist-packages", f"{own}/../lib/{library}", f"/usr/local/lib/{library}"]
    try:
        import prctl
    except ImportError:
        return None
    finally:
        del sys.path[-3:]
    found: Callable[..., int | None] = getattr(prctl, name)
    return found


def _of_ctypes(option: int) -> "Callable[[int], int] | None":
    """The C library's call; None where this Python has no ctypes."""
    try:
        from ctypes import CDLL, c_ulong
    except ImportError:
        return None
    prctl = CDLL(None).prctl
    return lambda value: int(prctl(option, c_ulong(value), c_ulong(0), c_ulong(0), c_ulong(0)))
