"""Which processes are this one's children, and what is known of others. From /proc."""

import posix

from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 64
"""Generations that are asked about: a chain of parents may change while it is read."""


BEGAN = 19
"""Where /proc/PID/stat says when the process began, counted behind its name."""

OWN_CHILDREN = b"/proc/thread-self/children"
"""A kernel has this file for each thread, or for none (CONFIG_PROC_CHILDREN)."""


class Process:
    """A process as /proc/PID/stat has it. `is_dead`: only its parent's wait is missing.

    `began`: clock ticks from the system's boot. With it, a pid that was given out again is known.
    """

    __slots__ = ("began", "group", "is_dead", "parent", "session")

    def __init__(self, parent: int, group: int, session: int, began: int = 0, is_dead: bool = False) -> None:
        self.parent = parent
        self.group = group
        self.session = session
        self.began = began
        self.is_dead = is_dead


def read_processes() -> dict[int, Process]:
    """Every process by its pid; without those that end meanwhile. Raises OSError without /proc."""
    found = {}
    for pid in map(int, filter(str.isdecimal, posix.listdir("/proc"))):
        if fields := _fields(pid):
            state, parent, group, session = fields[0], int(fields[1]), int(fields[2]), int(fields[3])
            found[pid] = Process(parent, group, session, int(fields[BEGAN]), state in (b"Z", b"X"))
    return found


def offspring(processes: dict[int, Process]) -> dict[int, list[int]]:
    """The pids of the children of each process that has some."""
    below: dict[int, list[int]] = {}
    for pid, process in processes.items():
        below.setdefault(process.parent, []).append(pid)
    return below


def descendants(pid: int) -> dict[int, int]:
    """The pid of each process that descends from this one, and when it began. Empty where /proc does not tell."""
    found: dict[int, int] = {}
    try:
        below = None if files.exists(OWN_CHILDREN) else offspring(read_processes())
    except OSError:
        return found
    queue = [pid]
    while queue:
        parent = queue.pop()
        for child in _children_of(parent) if below is None else below.get(parent, ()):
            if child not in found:
                found[child] = _stat(child, BEGAN)
                queue.append(child)
    return found


def _children_of(pid: int) -> list[int]:
    """The pids of the children of all threads of a process; none when it is gone."""
    found: list[int] = []
    try:
        for thread in posix.listdir(b"/proc/%d/task" % pid):
            found += map(int, files.read(b"/proc/%d/task/%b/children" % (pid, thread)).split())
    except OSError:
        pass
    return found


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
        return value_in(read_environment(pid), name)
    except OSError:
        return b""


def read_environment(pid: int) -> bytes:
    """The environment that the process was started with. Raises OSError: PermissionError for another user's.

    It is empty for a moment while the process is being executed.
    """
    return files.read(b"/proc/%d/environ" % pid)


def value_in(environment: bytes, name: bytes) -> bytes:
    """A variable in it; empty when it has none of that name."""
    entries = environment.split(b"\0")
    return next((entry[len(name) + 1 :] for entry in entries if entry.startswith(name + b"=")), b"")


def group(pid: int) -> int:
    """Its process group; 0 when that can't be told."""
    return _stat(pid, 2)


def lineage(pid: int) -> "Iterator[int]":
    """The process, its parent, that one's parent, and so on, as far as they are known here: DEEPEST at most."""
    for _ in range(DEEPEST):
        if pid <= 0:
            return
        yield pid
        pid = _parent(pid)


def is_child(pid: int) -> bool:
    """Whether the process is a direct child of this one, the dead and unreaped included."""
    return _parent(pid) == posix.getpid()


def _parent(pid: int) -> int:
    return _stat(pid, 1)


def _stat(pid: int, index: int) -> int:
    """A number of /proc/PID/stat; 0 when it is gone."""
    fields = _fields(pid)
    return int(fields[index]) if fields else 0


def _fields(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat behind the name, which may hold any byte. Empty: it is gone."""
    try:
        return files.read(b"/proc/%d/stat" % pid).rpartition(b")")[2].split()
    except OSError:
        return []
