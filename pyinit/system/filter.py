"""Standard input to standard output through a conversion of blocks, for tai64n and tai64nlocal."""

import posix

from pyinit.system.process import restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1 << 17


def copy(convert: "Callable[[bytes], bytes]") -> int:
    """Convert and write each block before the next is read; returns the exit code.

    0 at the end of input, 111 after an error, of which daemontools says nothing. A reader that is gone ends the process
    by SIGPIPE.
    """
    restore()
    try:
        while block := posix.read(0, BLOCK):
            view = memoryview(convert(block))
            while view:
                view = view[posix.write(1, view) :]
    except OSError:
        return 111
    return 0
