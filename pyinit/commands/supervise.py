"""supervise dir: starts dir/run, and starts it again when it ends."""

import posix

from pyinit.report import die, usage
from pyinit.services.context import PROG, Context
from pyinit.services.supervisor import Supervisor
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.adoption import adopt_orphans
from pyinit.system.doorbell import hold_signals
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner


def main(argv: list[bytes]) -> int:
    """Supervise one directory until `svc -x`. Only SIGCHLD is caught: any other signal kills, and run lives on."""
    hold_signals()
    if len(argv) != 2:
        usage(PROG, b"dir")
    name = argv[1]
    loop = Loop(PROG)
    adopt_orphans()
    try:
        directory_fd = files.open_directory(name)
        posix.fchdir(directory_fd)
    except OSError as error:
        die(PROG, b"unable to chdir to " + name, error)
    supervisor = Supervisor(Context(loop, Spawner()), name, directory_fd)
    supervisor.on_leave = lambda: loop.stop(0)
    try:
        supervisor.open()
    except CannotOpen as trouble:
        die(PROG, trouble.message, trouble.error)
    return loop.run()
