"""What can go wrong in this room."""

from errno import EMFILE, ENFILE, ENOMEM

WANTING = (EMFILE, ENFILE, ENOMEM)
"""Errors of a system that has not enough of something for now. They say nothing of the file: try again later."""

UNSTARTABLE = (OSError, ValueError, MemoryError, ImportError)
"""Errors of a start. Whatever goes wrong, the start has failed and is tried again."""


class CannotOpen(Exception):
    """A directory cannot be taken up: `message` is supervise's text for it, `error` the OSError behind it."""

    def __init__(self, message: bytes, error: OSError) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
