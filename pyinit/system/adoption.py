"""Our place in the tree of processes: whose orphans we adopt, and whose end ends us. prctl(2), by python-prctl."""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
