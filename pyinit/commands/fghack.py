"""fghack child: run child and stay until everything it started is gone, for daemons that go into the background.

Signals are not forwarded.
"""

from pyinit.report import usage
from pyinit.system.descendants import outlive
from pyinit.system.process import restore

PROG = b"fghack"


def main(argv: list[bytes]) -> int:
    """The exit code is the child's."""
    restore()
    if len(argv) < 2:
        usage(PROG, b"child")
    return outlive(PROG, argv[1:])
