"""Which processes are this one's children."""

import posix

from pyinit.system import files


def children() -> set[int]:
    """The pids of all direct children, the dead and unreaped too. Raises OSError without /proc.

    From /proc/self/task/TID/children, which names them at once; from every /proc/PID/stat where the kernel was built
    without it (CONFIG_PROC_CHILDREN).
    """
    here = posix.getpid()
    try:
        return {int(pid) for pid in files.read(b"/proc/self/task/%d/children" % here).split()}
    except FileNotFoundError:
        return {pid for pid in map(int, filter(str.isdecimal, posix.listdir("/proc"))) if _parent(pid) == here}


def command_name(pid: int) -> bytes:
    """What ps calls the process; empty when it is gone."""
    try:
        return files.read(b"/proc/%d/comm" % pid).rstrip(b"\n")
    except OSError:
        return b""


def _parent(pid: int) -> int:
    """From the field behind the name, which is in parentheses and may hold any byte."""
    try:
        return int(files.read(b"/proc/%d/stat" % pid).rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0
