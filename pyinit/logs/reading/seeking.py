"""Where a window of time begins in a plain file, without reading all of it.

A binary search was rejected. It believes that stamps only rise, and where a clock was set back it would pass over lines
of the window. So a file up to SCANNED bytes is read through. In a larger one a stamp is looked at every STEP bytes, and
in front of the first late one the lines are read. Lost are only late lines of fewer than STEP bytes in a row, between
earlier ones of a larger file.
"""

import posix

from pyinit.logs.reading.stamps import BEGINNING, LONGEST_STAMP, has_stamp, key_of, keys_of

SCANNED = 1 << 20
"""Bytes of a file that is read through; files of pyinit's log directories have a tenth unless told otherwise."""

STEP = 1 << 16
MOST_PROBES = 4096
"""In one file: of larger ones the steps are longer."""

FEW_PROBES = 64
"""In a file that should not have any line that late."""

PROBE_SIZES = (1 << 8, 1 << 12)
"""Bytes in which a probe looks for the beginning of a stamped line."""

BLOCK = 1 << 16


def first_from(file_fd: int, end: int, bound: bytes, most_probes: int = MOST_PROBES) -> int:
    """Where the first line with a key of `bound` or more begins in the first `end` bytes; `end` if there is none."""
    if end <= SCANNED:
        return _scan(file_fd, 0, end, bound)
    step = max(STEP, end // most_probes)
    before = 0
    for at in range(step, end, step):
        key = _probe(file_fd, at, end)
        if key >= bound:
            break
        if key:
            before = at
    else:
        if not before and not has_stamp(posix.pread(file_fd, PROBE_SIZES[-1], 0)):
            return end  # no stamps at all, as far as was seen
        if most_probes < MOST_PROBES:
            before = max(before, end - STEP)
    return _scan(file_fd, before, end, bound)


def open_line(file_fd: int, end: int) -> int:
    """Where to read on behind lines that are left out: at the end, unless the last line may go on.

    Then at the last stamped line, so that what goes on has its key; if there is one in the last block.
    """
    start = max(0, end - BLOCK)
    text = posix.pread(file_fd, end - start, start)
    newline = len(text) if text[-1:] != b"\n" else -1
    while newline >= 0:
        newline = text.rfind(b"\n", 0, newline)
        if (newline >= 0 or not start) and key_of(text[newline + 1 : newline + 1 + LONGEST_STAMP]):
            return start + newline + 1
    return end


def unstamped_end(file_fd: int, end: int) -> int:
    """Where the lines without a stamp begin that the file ends in; `end` if there are less than BEGINNING bytes."""
    if has_stamp(posix.pread(file_fd, min(BEGINNING, end), max(0, end - BEGINNING))):
        return end
    at = end
    while at > 0:
        size = min(BLOCK, at)
        at -= size
        text = posix.pread(file_fd, min(size + LONGEST_STAMP, end - at), at)
        newline = size
        while newline >= 0:
            newline = text.rfind(b"\n", 0, newline)
            begins = newline >= 0 or not at
            if begins and key_of(text[newline + 1 : newline + 1 + LONGEST_STAMP]):
                return _next_line(file_fd, at + newline + 1, end)
    return 0


def _next_line(file_fd: int, at: int, end: int) -> int:
    """Where the line behind the one that begins at `at` begins."""
    while at < end and (text := posix.pread(file_fd, min(BLOCK, end - at), at)):
        if (newline := text.find(b"\n")) >= 0:
            return at + newline + 1
        at += len(text)
    return end


def _probe(file_fd: int, at: int, end: int) -> bytes:
    """The key of the first stamped line that begins behind `at`, nothing if there is none near."""
    for size in PROBE_SIZES:
        text = posix.pread(file_fd, min(size, end - at), at)
        newline = text.find(b"\n")
        while newline >= 0:
            if key := key_of(text[newline + 1 : newline + 1 + LONGEST_STAMP]):
                return key
            newline = text.find(b"\n", newline + 1)
    return b""


def _scan(file_fd: int, at: int, end: int, bound: bytes) -> int:
    """The same as `first_from`, by reading everything from `at` on; a line that begins before that is passed over."""
    is_inside = at > 0
    while at < end and (text := posix.pread(file_fd, min(BLOCK, end - at), at)):
        if is_inside:
            newline = text.find(b"\n")
            is_inside = newline < 0
            at += len(text) if is_inside else newline + 1
            continue
        lines = text.split(b"\n")
        if len(lines) > 1 and at + len(text) < end:
            size = len(text) - len(lines.pop())
        else:
            size, is_inside = len(text), True
        keys, _ = keys_of(lines)
        if max(keys) >= bound:
            index = next(index for index, key in enumerate(keys) if key >= bound)
            return at + sum(map(len, lines[:index])) + index
        at += size
    return end
