"""The status of one service, as others see it: written when it changes, and again by deadline until that succeeds."""

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.statedir import CannotPublish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.context import Context
    from pyinit.services.statedir import StateDir
    from pyinit.system.deadlines import Deadline

RETRY, LATER, SOON = 1.0, 5.0, 5
"""Seconds between two tries: after the first SOON tries, and after all that follow."""


class Publication:
    """`content` is the status on disk, empty while there is none of ours. `retry`: when a newer one is written."""

    __slots__ = ("_context", "_name", "_statedir", "_tries", "_wanted", "content", "retry")

    def __init__(self, context: "Context", name: bytes, statedir: "StateDir") -> None:
        self.content = b""
        self._context = context
        self._name = name
        self._statedir = statedir
        self._wanted = b""
        self.retry: Deadline | None = None
        self._tries = 0

    def publish(self, content: bytes) -> None:
        """Replace the status. If that fails it is said once, the old one stays, and a deadline tries again.

        Nothing is said or tried where the directory is gone: nobody is left to read it.
        """
        if self.retry:
            self.cancel()
        try:
            self._statedir.publish(content)
            self.content, self._tries = content, 0
        except CannotPublish as cannot:
            if self._statedir.is_deleted:
                return
            if not self._tries or self._context.is_classical:
                message = b"unable to %b %b/supervise/status.new%b" % (cannot.verb, self._name, cannot.ending)
                report.warn(PROG, message, cannot.error)
            self._wanted = content
            self._publish_later()

    def _publish_later(self) -> None:
        self._tries += 1
        loop = self._context.loop
        pause = RETRY if self._tries <= SOON else LATER
        self.retry = loop.call_at(loop.kernel.monotonic() + pause, self._publish_again)

    def _publish_again(self) -> None:
        self.publish(self._wanted)

    def cancel(self) -> None:
        """Try no more."""
        if self.retry:
            self.retry.cancel()
            self.retry = None
