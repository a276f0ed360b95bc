"""The reader's side of programs/record.h: times that C programs noted, without a system call besides the clock."""

import mmap
from pathlib import Path


class Record:
    """A file for `capacity` times. Times are nanoseconds of the monotonic clock."""

    def __init__(self, path: Path, capacity: int) -> None:
        self.path = path
        path.write_bytes(bytes(8 * (capacity + 1)))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._numbers = memoryview(self._map).cast("q")

    @property
    def count(self) -> int:
        """How many have been noted."""
        return self._numbers[0]

    def times(self) -> list[int]:
        """Those noted, in the order in which they were."""
        return list(self._numbers[1 : 1 + self._numbers[0]])

    def close(self) -> None:
        self._numbers.release()
        self._map.close()
