"""supervise dir: starts dir/run, and starts it again when it ends."""

import posix

from pyinit.report import die, usage
from pyinit.services.context import PROG, Host
from pyinit.services.supervisor import Supervisor
from pyinit.services.trouble import CannotOpen
from pyinit.system import files
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner, adopt_orphans, block_signals


def main(argv: list[bytes]) -> int:
    """Supervise one directory until `svc -x`. Only SIGCHLD is caught: any other signal kills, and run lives on."""
    block_signals()
    if len(argv) != 2:
        usage(PROG, b"dir")
    name = argv[1]
    loop = Loop(PROG)
    adopt_orphans()
    try:
        directory = files.open_directory(name)
        posix.fchdir(directory)
    except OSError as error:
        die(PROG, b"unable to chdir to " + name, error)
    supervisor = Supervisor(Host(loop, Spawner()), name, directory)
    supervisor.on_leave = lambda: loop.stop(0)
    try:
        supervisor.open()
    except CannotOpen as trouble:
        die(PROG, trouble.message, trouble.error)
    return loop.run()
