"""The standard error of a process that must not wait: PID 1's.

A container's stderr is a pipe into the log driver, and blocks when that is full or dead. A message is written only when
the kernel says that this will not block. Others are counted, and the count leads the next message. A terminal can't be
written while somebody else is writing to it: that is waited for, once, and not again before it is over.
"""

import posix
import select

PIPE_BUF = 4096
"""What a writable pipe takes whole without blocking (pipe(7))."""

PATIENCE = 20
"""Milliseconds that a message waits, if the one before it was written."""


class Console:
    """Descriptor 2, never waited for long. Its `write` is what `report.write` is to be."""

    __slots__ = ("_lost",)

    def __init__(self) -> None:
        self._lost = 0

    def write(self, message: bytes) -> None:
        """Write if that does not block, else count the message as lost. Takes PATIENCE at the most. Never raises."""
        if self._lost:
            message = b"%d messages lost: standard error was blocked\n" % self._lost + message
        try:
            poller = select.poll()
            poller.register(2, select.POLLOUT)
            if poller.poll(0 if self._lost else PATIENCE) == [(2, select.POLLOUT)]:
                posix.write(2, message[:PIPE_BUF])
                self._lost = 0
                return
        except OSError:
            pass
        self._lost += 1
