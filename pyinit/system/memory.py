"""Memory: whether the kernel killed something in this container for want of it; and how freed memory is kept."""

from pyinit.system import files

COUNTERS = (b"/sys/fs/cgroup/memory.events", b"/sys/fs/cgroup/memory/memory.oom_control")
"""Of this container's own cgroup: version 2, version 1. Both have a line `oom_kill N` (cgroup-v2.rst, memory.rst)."""


class OutOfMemory:
    """Tells new kills from old ones."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen = _kills()

    def has_struck(self) -> bool:
        """Whether the kernel has killed since this was last asked."""
        seen, self._seen = self._seen, _kills()
        return self._seen > seen

    @property
    def kills(self) -> int:
        """How often the kernel has killed so far."""
        return _kills()


def _kills() -> int:
    for name in COUNTERS:
        try:
            lines = files.read(name).splitlines()
        except OSError:
            continue
        return sum(int(line.split()[1]) for line in lines if line.startswith(b"oom_kill "))
    return 0


KEPT = 1 << 21
"""Bytes. An allocation of this size, freed again, raises the size up to which glibc keeps freed memory (mallopt(3))."""


def keep_freed_memory() -> None:
    """Have the C library keep freed blocks. Otherwise each block read returns its pages, and gets them back by faults.

    No page is touched by it.
    """
    bytes(KEPT)
