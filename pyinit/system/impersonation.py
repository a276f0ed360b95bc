"""A variable of other users' processes, read as these users.

The kernel shows an environment to its owner, and to others only with capabilities that a container does not have by
default. So a forked child takes on one user after the other. Process 1 itself must not: the kernel would forbid others
to look at it from then on (PR_SET_DUMPABLE in prctl(2)).
"""

import posix

from pyinit.system.fork import fork
from pyinit.system.processes import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Owners = Mapping[int, tuple[int, int]]

MOST = 32768
"""Bytes of an answer: what any pipe holds at once."""


def owner(pid: int) -> tuple[int, int]:
    """The ids of the user and of the group of a process. Raises OSError when it is gone."""
    status = posix.stat(b"/proc/%d" % pid)
    return status.st_uid, status.st_gid


def ask_as_owners(name: bytes, owners: "Owners") -> tuple[int, int]:
    """Fork a child that reads variable `name` of these processes; its pid, and a descriptor, which is the caller's.

    When the child has ended, `answers` reads what it found. Raises OSError: PermissionError but for root.
    """
    if posix.geteuid():
        raise PermissionError
    read_fd, write_fd = posix.pipe2(posix.O_CLOEXEC | posix.O_NONBLOCK)
    try:
        return fork(_read_as_owners, name, owners, write_fd), read_fd
    except OSError:
        posix.close(read_fd)
        raise
    finally:
        posix.close(write_fd)


def answers(read_fd: int) -> dict[int, bytes]:
    """The value of each process that has one, once the child has ended. Closes the descriptor."""
    try:
        said = posix.read(read_fd, MOST)
    except OSError:
        said = b""
    finally:
        posix.close(read_fd)
    pairs = (answer.partition(b" ") for answer in said.split(b"\0")[:-1])
    return {int(pid): value for pid, _, value in pairs}


def _read_as_owners(name: bytes, owners: "Owners", write_fd: int) -> int:
    """What the child does. It goes back to its own ids each time: only they may take on others."""
    uid, gid = posix.geteuid(), posix.getegid()
    said = b""
    for pid, (user, group) in owners.items():
        try:
            posix.setegid(group)
            posix.seteuid(user)
            value = variable(pid, name)
        except OSError:
            value = b""
        posix.seteuid(uid)
        posix.setegid(gid)
        answer = b"%d %b\0" % (pid, value)
        if value and len(said) + len(answer) <= MOST:
            said += answer
    posix.write(write_fd, said)
    return 0
