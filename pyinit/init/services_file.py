"""`pyinit -f FILE`: a child unpacks the services of the file before process 1 scans. Loaded only then.

Process 1 itself never reads TOML: reading it takes longer and more memory than all the rest of its start.
"""

import posix

from pyinit import report
from pyinit.formats import paths
from pyinit.init.options import PYINIT
from pyinit.system.fork import fork, wait_for, worker
from pyinit.system.interpreter import Interpreter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.services.runtime import RuntimeDirectory
    from pyinit.system.spawn import Spawner

    Unpack = Callable[[bytes, bytes, bytes], int]
    """Writes the services of a file into a place, less those that the service directory has; an exit code."""

STANDARD_ERROR = 2


def unpack_services(
    path: bytes,
    service_dir: bytes,
    runtime: "RuntimeDirectory",
    spawner: "Spawner",
    unpack: "Unpack",
) -> "tuple[bytes, bytes]":
    """Unpack the file at `path` into the runtime directory. Ends the process if it cannot be done.

    Returns the directory of services, and the one that is to be scanned beside it. Without a service directory the
    unpacked services are all there are, and the second is empty. What an earlier boot unpacked is replaced. Programs
    there are started also where that place is noexec.
    """
    if (top := runtime.get()) is None:
        report.die(PYINIT, b"no directory to unpack %b into: set PYINIT_STATE" % path)
    place = b"%b/%b" % (top, paths.UNPACKED)
    try:
        code = wait_for(fork(worker, PYINIT, STANDARD_ERROR, unpack, path, place, service_dir))
        if code == report.TROUBLE:  # the child has said why
            posix._exit(code)
        if code:
            report.die(PYINIT, b"unable to unpack %b: its child ended by %d" % (path, code))
        spawner.interpret = Interpreter(place).arguments
        if _is_there(service_dir):
            return service_dir, place
        runtime.serve(place)
    except OSError as error:
        report.die(PYINIT, b"unable to unpack " + path, error)
    return place, b""


def _is_there(service_dir: bytes) -> bool:
    """Whether there is a service directory beside the unpacked services, or something in its place."""
    try:
        posix.stat(service_dir)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
