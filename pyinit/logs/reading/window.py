"""A window of time, found in the files of a log without reading all of them.

An old file's name is the time at which it was finished: one that was finished before the window is left out unread. But
a clock may have been set back meanwhile. So the newest SUSPECTS of these are looked into, if they are not compressed.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.logs.reading.logfile import LogFile

SUSPECTS = 10
"""Files that are outside the window by their names, and are looked into all the same."""


def begin_at(queue: "list[LogFile]", since: bytes) -> tuple[int, bytes]:
    """The first file with lines of this key or later, begun there, or the last file; and the floor of its keys.

    The floor is empty where the file has to be read from its beginning, because it is compressed.
    """
    early = _early(queue, lambda key: key < since)
    for index in range(max(0, early - SUSPECTS), len(queue)):
        file = queue[index]
        at = file.find(since, index >= early)
        if at is None:
            if index >= early:
                return index, b""
            continue
        if at == file.end:
            at = file.find_bare_end(since)
        if at < file.end:
            file.start = at
            return index, since
    queue[-1].skip()
    return len(queue) - 1, b""


def end_at(queue: "list[LogFile]", until: bytes) -> bool:
    """Leave out the lines from the first one with a later key on; whether that could be found without reading all."""
    bound = until + b"\0"
    early = _early(queue, lambda key: key <= until)
    for index in range(max(0, early - SUSPECTS), len(queue)):
        file = queue[index]
        at = file.find(bound, index >= early)
        if at is None:
            if index >= early:
                return False
        elif at < file.end:
            file.end = max(at, file.start)
            del queue[index + 1 :]
            break
    return True


def _early(queue: "list[LogFile]", is_early: "Callable[[bytes], bool]") -> int:
    """How many files, the last one excepted, were finished early by their names."""
    count = 0
    while count < len(queue) - 1 and queue[count].is_old and is_early(queue[count].key):
        count += 1
    return count
