"""pyinit [-d dir]: runs the services of a container as its process 1, and logs them all.

    -d dir, --service-dir dir   the directory of services; $PYINIT_SERVICE_DIR, else /service
    -h, --help                  this text
    --version                   the version

environment:
    PYINIT_SERVICE_DIR   the directory of services
    PYINIT_LOG           where services without a log/run are logged: stdout, volume or both; stdout
    PYINIT_LOG_DIR       with volume: one log directory a service in here; /var/log/services
    PYINIT_STOP_TIMEOUT  seconds from TERM to KILL when the container stops; 8
"""

import gc
import posix

from pyinit import __version__, report
from pyinit.logs.plane import Plane
from pyinit.logs.settings import Settings
from pyinit.services.init import Init, Plan
from pyinit.services.names import service_directory
from pyinit.services.pair import Wiring
from pyinit.services.scanner import Scanner
from pyinit.services.signals import reactions
from pyinit.services.supervisor import Host
from pyinit.system.console import Console
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner, adopt_orphans, block_signals

PROG = b"pyinit"
STOP_TIMEOUT = b"8"


def main(argv: list[bytes]) -> int:
    """Before the loop any error is fatal and says why; in it none is."""
    block_signals()
    top = _parse(argv[1:])
    try:
        settings = Settings.from_environment(posix.environ)
        patience = _seconds(posix.environ.get(b"PYINIT_STOP_TIMEOUT") or STOP_TIMEOUT)
    except ValueError as error:
        report.die(PROG, b"unable to use " + str(error).encode(), code=report.USAGE)
    loop = Loop(PROG)
    adopt_orphans()
    plane = Plane(loop, settings.scripts)
    wiring = Wiring(plane, (1, 2), posix.open("/dev/null", posix.O_RDONLY | posix.O_CLOEXEC), _log_name)
    scanner = Scanner(Host(loop, Spawner(has_groups=True), repeats=False), wiring, top)
    init = Init(PROG, loop, scanner, Plan(patience, reactions(b"", False, True)), plane)
    try:
        scanner.open()
    except OSError as error:
        report.die(PROG, b"unable to open service directory " + top, error)
    report.write = Console().write
    gc.freeze()
    return init.run()


def _parse(arguments: list[bytes]) -> bytes:
    """The service directory; leaves for good where the arguments ask for something else, or are wrong."""
    top = service_directory()
    while arguments:
        word = arguments.pop(0)
        if word in (b"-h", b"--help"):
            posix.write(1, b"usage: " + __doc__.encode())
            posix._exit(0)
        elif word == b"--version":
            posix.write(1, b"pyinit %b\n" % __version__.encode())
            posix._exit(0)
        elif word in (b"-d", b"--service-dir") and arguments:
            top = arguments.pop(0)
        else:
            report.usage(PROG, b"[-d dir]")
    return top


def _seconds(text: bytes) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise ValueError("PYINIT_STOP_TIMEOUT: not a number of seconds")
    return seconds


def _log_name(name: bytes) -> bytes:
    return name + b"/log"
