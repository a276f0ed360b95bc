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


def program_name(pid: int) -> bytes:
    """The last part of the program's path; of its script's, where a Python runs one. Empty when it is gone."""
    try:
        words = files.read(b"/proc/%d/cmdline" % pid, None, 4096).split(b"\0")
    except OSError:
        return b""
    names = [word.rpartition(b"/")[2] for word in words]
    if names[0].startswith(b"python"):
        return next((name for name, word in zip(names[1:], words[1:], strict=True) if word[:1] != b"-"), b"")
    return names[0]


def variable(pid: int, name: bytes) -> bytes:
    """A variable that the process was started with; empty when it has none or that may not be known."""
    try:
        entries = files.read(b"/proc/%d/environ" % pid).split(b"\0")
    except OSError:
        return b""
    return next((entry[len(name) + 1 :] for entry in entries if entry.startswith(name + b"=")), b"")


def group(pid: int) -> int:
    """Its process group; 0 when that can't be told."""
    return _stat(pid, 2)


def _parent(pid: int) -> int:
    return _stat(pid, 1)


def _stat(pid: int, index: int) -> int:
    """A number of /proc/PID/stat, counted behind the name, which is in parentheses and may hold any byte."""
    try:
        return int(files.read(b"/proc/%d/stat" % pid).rpartition(b")")[2].split()[index])
    except (OSError, IndexError):
        return 0
