"""How supervisors speak of trouble: the one exception of this room, and what has been said already."""


class CannotOpen(Exception):
    """A directory cannot be taken up: `message` is supervise's text for it, `error` the OSError behind it."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message)
        self.message = message
        self.error = error


class Complaints:
    """What one actor has said about a lasting trouble: each reason once, until it changes or is over."""

    __slots__ = ("_repeats", "_said")

    def __init__(self, repeats: bool) -> None:
        self._repeats = repeats
        self._said = b""

    def is_new(self, text: bytes) -> bool:
        """Whether to say it. Always where the actor repeats itself, as the C programs do."""
        is_new = self._repeats or text != self._said
        self._said = text
        return is_new

    def clear(self) -> None:
        """The trouble is over."""
        self._said = b""
