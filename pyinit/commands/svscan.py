"""svscan [dir]: supervises every directory in dir, each with its log if it has one."""

import posix
from _signal import SIGHUP, SIGINT, SIGQUIT, SIGTERM

from pyinit.init.init import Init, Plan
from pyinit.init.reactions import RESCAN, STOP, Reaction
from pyinit.report import die
from pyinit.services.context import Host
from pyinit.services.pair import Wiring
from pyinit.services.scanner import PROG, Scanner
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner, adopt_orphans, block_signals

PATIENCE = 8.0
"""Seconds that services have to end when svscan is told to."""


def main(argv: list[bytes]) -> int:
    """Scan until TERM, INT or QUIT, then bring everything down in order."""
    block_signals()
    loop = Loop(PROG)
    adopt_orphans()
    if len(argv) > 1:
        try:
            posix.chdir(argv[1])
        except OSError as error:
            die(PROG, b"unable to chdir to " + argv[1], error)
    # By its path, not as `.`, so that a directory that is removed and made again is found.
    scanner = Scanner(Host(loop, Spawner()), Wiring.of_daemontools(), posix.getcwdb())
    stop, rescan = Reaction(STOP), Reaction(RESCAN)
    plan = Plan(PATIENCE, {SIGTERM: stop, SIGINT: stop, SIGQUIT: stop, SIGHUP: rescan})
    init = Init(loop, scanner, plan)
    scanner.scan()
    return init.run()
