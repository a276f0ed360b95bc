"""How many descriptors a process has open."""

import os


def open_in(pid: int | str = "self") -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
