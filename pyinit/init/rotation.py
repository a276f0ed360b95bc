"""Every log begins a new file: those of the collector, and by SIGALRM each multilog that a service brought."""

from _signal import SIGALRM

from pyinit.system.processes import program_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.init.parts import Logger, Services

ROTATING = (b"multilog", b"svlogd", b"s6-log")
"""Loggers that begin a new file at SIGALRM. To another program that may mean death, so it gets none."""


def rotate(services: "Services", logger: "Logger | None") -> None:
    """Have all of them begin new files."""
    if logger:
        logger.rotate()
    for pair in services.everything():
        if pair.log and pair.log.pid and program_name(pair.log.pid) in ROTATING:
            pair.log.signal(SIGALRM)
