"""The phases of a stream in the collector. Pure.

OPENING   nothing has been opened yet
READING   blocks are read from the pipe
HELD      the pipe is not read: a log directory is in trouble, or standard output is full
LEAVING   the collector ends; bytes are read to the end of the line
ENDED     no more is read; the last lines are being written
CLOSED    everything is written and closed
"""

OPENING, READING, HELD, LEAVING, ENDED, CLOSED = range(6)

READS = (READING, LEAVING)
"""The phases in which the pipe is read."""


def next_phase(
    phase: int, is_pending: bool, is_blocked: bool, is_leaving: bool, is_inside: bool, goes_on: bool = False
) -> int:
    """The phase that the facts call for; the first line that holds decides.

    `is_pending`: a directory holds unwritten lines; `goes_on`: it takes more all the same, in memory. `is_blocked`:
    standard output takes no more for now. `is_leaving`: the collector is to end. `is_inside`: a line has begun and not
    ended.
    """
    if phase in (ENDED, CLOSED):
        return ENDED if is_pending else CLOSED
    if is_pending and not goes_on:
        return HELD
    if is_leaving and not is_inside:
        return ENDED
    if is_blocked:
        return HELD
    return LEAVING if is_leaving else READING
