"""svscan [dir]: supervises every directory in dir, each with its log if it has one."""

import posix
from _signal import SIGHUP, SIGINT, SIGQUIT, SIGTERM

from pyinit.init.init import Init
from pyinit.init.options import Options
from pyinit.init.reactions import RESCAN, STOP, Reaction
from pyinit.report import die
from pyinit.services.context import Context
from pyinit.services.pair import LoggingPolicy
from pyinit.services.scanner import PROG, Scanner
from pyinit.system.adoption import adopt_orphans
from pyinit.system.doorbell import hold_signals
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner


def main(argv: list[bytes]) -> int:
    """Scan until TERM, INT or QUIT, then bring everything down in order."""
    hold_signals()
    loop = Loop(PROG)
    adopt_orphans()
    if len(argv) > 1:
        try:
            posix.chdir(argv[1])
        except OSError as error:
            die(PROG, b"unable to chdir to " + argv[1], error)
    # By its path, not as `.`, so that a directory that is removed and made again is found.
    scanner = Scanner(Context(loop, Spawner()), LoggingPolicy.of_daemontools(), posix.getcwdb())
    stop = Reaction(STOP)
    init = Init(loop, scanner, Options(), loop.kernel.monotonic())
    scanner.scan()
    return init.run({SIGTERM: stop, SIGINT: stop, SIGQUIT: stop, SIGHUP: Reaction(RESCAN)})
