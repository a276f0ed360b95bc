"""One line about an unexpected error, instead of a traceback."""


def describe(error: BaseException) -> bytes:
    """The kind of the error, its message, and the file and line that raised it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__}: {error} at {place}".encode(errors="replace")
