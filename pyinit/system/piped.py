"""A program at the other end of a pipe of ours: one that we read from, or write to."""

import posix

from pyinit.system.fork import wait_for
from pyinit.system.spawn import IGNORED_BY_PYTHON, default_signals, given_environment, redirection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class PipedProgram:
    """argv, found on PATH, whose descriptor `stream` is the other end of a pipe: 0 to write to it, 1 to read from it.

    `redirections`: descriptors of ours and what the program has them as. `more`: its environment, beside the one that
    this process was given. Raises OSError where it cannot be run. `fd` is our end, and belongs to this object.
    """

    __slots__ = ("_pid", "fd")

    def __init__(
        self,
        argv: list[bytes],
        stream: int,
        redirections: "Sequence[tuple[int, int]]" = (),
        more: "Mapping[bytes, bytes] | None" = None,
    ) -> None:
        ends = posix.pipe2(posix.O_CLOEXEC)
        self.fd, theirs = (ends[1], ends[0]) if stream == 0 else ends
        given = [redirection(theirs, stream), *(redirection(here, there) for here, there in redirections)]
        try:
            self._pid = posix.posix_spawnp(
                argv[0],
                argv,
                {**given_environment()[0], **(more or {})},
                file_actions=given,
                setsigmask=(),
                setsigdef=default_signals(IGNORED_BY_PYTHON),
            )
        except OSError:
            posix.close(self.fd)
            raise
        finally:
            posix.close(theirs)

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        return posix.read(self.fd, size)

    def end(self) -> int:
        """Close our end and wait for the program; its exit code, or minus the signal that killed it. 0 afterwards."""
        if self.fd < 0:
            return 0
        posix.close(self.fd)
        self.fd = -1
        try:
            return wait_for(self._pid)
        except ChildProcessError:  # the loop of this process was told already
            return 0
