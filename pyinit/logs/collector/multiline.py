"""Which lines belong together: a stack trace and the line it explains. Pure.

A line continues the one before it if it begins with white space, with `Caused by:`, or with the head of a Python
traceback. A traceback goes on to the line that names the exception, and through the phrases that join two tracebacks.
"""

PLAIN, TRACE, ENDED, JOINT = range(4)

HEAD = b"Traceback (most recent call last):"
JOINTS = (b"During handling of the above exception,", b"The above exception was the direct cause")


class Multiline:
    """Joins lines into groups, as they come. It holds at most `longest` bytes."""

    __slots__ = ("_group", "_longest", "_state")

    def __init__(self, longest: int) -> None:
        self._group = b""
        self._longest = longest
        self._state = PLAIN

    def feed(self, text: bytes) -> list[bytes]:
        """Take whole lines; returns the groups that they complete."""
        groups = []
        for line in text.splitlines(keepends=True) if b"\r" not in text else _lines(text):
            if self._group and (len(self._group) + len(line) > self._longest or not self._continues(line)):
                groups.append(self.flush())
            if not self._group:
                self._state = TRACE if line.startswith(HEAD) else PLAIN
            self._group += line
        return groups

    def flush(self) -> bytes:
        """Give up the group that is held, complete or not."""
        group, self._group = self._group, b""
        return group

    def _continues(self, line: bytes) -> bool:
        """Whether the line belongs to the group; if so, notes what may follow."""
        if line.startswith(HEAD):
            self._state = TRACE
            return True
        if line[:1] in (b" ", b"\t") or line.startswith(b"Caused by:"):
            return True
        if self._state == TRACE:
            self._state = ENDED
            return True
        if self._state in (ENDED, JOINT) and (line == b"\n" or line.startswith(JOINTS)):
            self._state = JOINT
            return True
        return False


def _lines(text: bytes) -> list[bytes]:
    """Split at newlines only; splitlines would split at carriage returns too."""
    return [line + b"\n" for line in text[:-1].split(b"\n")]
