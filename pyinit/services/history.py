"""How often a service was started, and how its processes ended."""

OUT_OF_MEMORY = -1000
"""What stands for the outcome of a process that was killed for want of memory. No signal has this number."""


class History:
    """`starts` counts processes, and `ends` their outcomes, with OUT_OF_MEMORY as one of its own.

    `is_out_of_memory`: the last process that ended had that outcome.
    """

    __slots__ = ("ends", "is_out_of_memory", "starts")

    def __init__(self) -> None:
        self.starts = 0
        self.ends: dict[int, int] = {}
        self.is_out_of_memory = False

    def add(self, outcome: int, is_out_of_memory: bool) -> None:
        """A process has ended."""
        self.is_out_of_memory = is_out_of_memory
        cause = OUT_OF_MEMORY if is_out_of_memory else outcome
        self.ends[cause] = self.ends.get(cause, 0) + 1
