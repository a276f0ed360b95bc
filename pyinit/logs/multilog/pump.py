"""Standard input through a script, until it ends: the whole of the multilog command.

SIGTERM ends it at the end of the line; SIGALRM begins new files. It waits for as long as it takes to write everything.
"""

import posix
from _signal import SIGALRM, SIGCHLD, SIGTERM
from select import POLLIN, poll
from time import sleep, time_ns

from pyinit.logs.multilog.multilog import PAUSE, CannotOpenLog, Multilog
from pyinit.report import die, warn, write_stderr
from pyinit.system import files
from pyinit.system.doorbell import Doorbell
from pyinit.system.fork import wait_for
from pyinit.system.memory import keep_freed_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.logs.multilog.retry import Trouble
    from pyinit.logs.multilog.script import Script

PROG = b"multilog"
LEAST_BLOCK = 1 << 16
"""The capacity of a pipe, bytes."""
GREATEST_BLOCK = 1 << 18
"""Larger blocks are no faster: they exceed the caches."""


def pump(script: "Script") -> int:
    """Read until the end of input, or until SIGTERM and the end of the line; returns the exit code."""
    keep_freed_memory()
    posix.umask(0o22)
    files.fill_standard_descriptors()
    doorbell = _listen()
    log = Multilog(script, time_ns, PatientOutput().write, write_stderr, _warn)
    try:
        log.open()
        _wait(log)
    except CannotOpenLog as failure:
        die(PROG, _whose() + failure.message, failure.error)
    _read(log, doorbell)
    log.finish()
    _wait(log)
    return 0


def _listen() -> Doorbell:
    """Take SIGTERM and SIGALRM; and SIGCHLD, because an ignored child cannot be waited for."""
    doorbell = Doorbell()
    for number in (SIGTERM, SIGALRM, SIGCHLD):
        doorbell.listen(number)
    doorbell.open()
    return doorbell


def _read(log: Multilog, doorbell: Doorbell) -> None:
    """Feed the log from standard input. A read error is an end of input, as in the C program."""
    ready = poll()
    ready.register(0, POLLIN)
    ready.register(doorbell.fileno(), POLLIN)
    size = LEAST_BLOCK
    is_leaving = False
    while not is_leaving or log.is_inside:
        if doorbell.fileno() in dict(ready.poll()):
            signals = doorbell.take()
            is_leaving = is_leaving or SIGTERM in signals
            if SIGALRM in signals:
                log.rotate()
                _wait(log)
            continue
        try:
            block = posix.read(0, 1 if is_leaving else size)
        except BlockingIOError:
            continue
        except OSError:
            return
        if not block:
            return
        log.feed(block, time_ns())
        if log.is_pending:
            _wait(log)
        size = GREATEST_BLOCK if len(block) == size else LEAST_BLOCK


def _wait(log: Multilog) -> None:
    """Wait until everything is written. Only SIGKILL ends a multilog that cannot write."""
    while log.is_pending:
        for pid in log.processors:
            log.reaped(pid, wait_for(pid))
        if log.has_trouble:
            sleep(PAUSE)
            log.retry()


def _warn(trouble: "Trouble") -> None:
    warn(PROG, _whose() + trouble.message, trouble.error)


def _whose() -> bytes:
    """Whose log it is, in front of a message: pyinit tells a `log/run` by SERVICE_NAME. Nothing anywhere else."""
    name = posix.environ.get(b"SERVICE_NAME", b"")
    return name + b": " if name.endswith(b"/log") else b""


class PatientOutput:
    """Descriptor 1, for as long as somebody reads it. After that the directories go on without it."""

    __slots__ = ("_is_open",)

    def __init__(self) -> None:
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Write it all, however long that takes."""
        view = memoryview(data)
        while view and self._is_open:
            try:
                view = view[posix.write(1, view) :]
            except BrokenPipeError as error:
                warn(PROG, _whose() + b"unable to write to standard output, going on without it", error)
                self._is_open = False
            except BlockingIOError:
                wait_for_room()
            except OSError as error:
                warn(PROG, _whose() + b"unable to write to standard output, pausing", error)
                sleep(PAUSE)


def wait_for_room() -> None:
    """Wait until descriptor 1 takes more. Another process made it non-blocking."""
    from select import POLLOUT

    ready = poll()
    ready.register(1, POLLOUT)
    ready.poll()
