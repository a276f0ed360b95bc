"""The one exception of this room."""


class CannotOpen(Exception):
    """A directory cannot be taken up: `message` is supervise's text for it, `error` the OSError behind it."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
