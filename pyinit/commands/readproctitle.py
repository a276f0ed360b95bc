"""readproctitle label dots: show the end of standard input in this process's title, for ps.

The last argument is overwritten, so `/proc/PID/cmdline` shows three dots and then the last bytes read, NULs left out.
The label is for whoever reads it.
"""

import posix

from pyinit.report import TROUBLE, USAGE, warn
from pyinit.system.title import Title

PROG = b"readproctitle"


def main(argv: list[bytes]) -> int:
    """Until the end of input. There is no message about wrong usage, nor about a failed read."""
    if len(argv) < 2 or len(argv[-1]) < 5:
        return USAGE
    room = len(argv[-1]) - 3
    title = None
    try:
        title = Title(room)
    except OSError as error:
        warn(PROG, b"unable to show anything", error)
    text = b"." * room
    while True:
        if title:
            title.show(text)
        try:
            block = posix.read(0, 65536)
        except OSError:
            return TROUBLE
        if not block:
            return 0
        text = (text + block.replace(b"\0", b""))[-room:]
