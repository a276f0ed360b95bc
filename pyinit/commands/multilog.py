"""multilog script: reads standard input, and passes each line through the actions of the script, one an argument."""

import posix
from _signal import SIG_DFL, SIGALRM, SIGCHLD, SIGTERM, set_wakeup_fd
from _signal import signal as set_signal
from select import POLLIN, poll
from time import sleep, time_ns

from pyinit.logs.multilog.multilog import PAUSE, CannotOpenLog, Multilog, Trouble
from pyinit.logs.multilog.script import parse
from pyinit.report import die, warn, write_stderr

PROG = b"multilog"
LEAST_BLOCK = 1 << 16
"""What a pipe holds, bytes."""
GREATEST_BLOCK = 1 << 18
"""More makes it no faster: the caches hold no more."""
KEPT_MEMORY = 1 << 21
"""When so much has been freed at once, glibc keeps what is freed instead of giving it back after each block."""


def main(argv: list[bytes]) -> int:
    """Read until the end of input, or until SIGTERM and the end of the line; SIGALRM rotates."""
    bytes(KEPT_MEMORY)
    posix.umask(0o22)
    _fill_standard_descriptors()
    wanted: set[int] = set()
    doorbell = _catch_signals(wanted)
    log = Multilog(parse(argv[1:]), time_ns, StandardOutput().write, write_stderr, _warn)
    try:
        log.open()
        _settle(log)
    except CannotOpenLog as failure:
        die(PROG, failure.message, failure.error)
    _pump(log, doorbell, wanted)
    log.finish()
    _settle(log)
    return 0


def _fill_standard_descriptors() -> None:
    """No file of a log may become descriptor 0, 1 or 2."""
    for descriptor in range(3):
        try:
            posix.fstat(descriptor)
        except OSError:
            posix.open("/dev/null", posix.O_RDWR)


def _catch_signals(wanted: set[int]) -> int:
    """Have SIGTERM and SIGALRM added to `wanted`; returns a descriptor that is readable when one was."""
    reader, writer = posix.pipe2(posix.O_NONBLOCK | posix.O_CLOEXEC)
    set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (SIGTERM, SIGALRM):
        set_signal(number, lambda number, frame: wanted.add(number))
    set_signal(SIGCHLD, SIG_DFL)  # were it ignored, processors could not be waited for
    return reader


def _pump(log: Multilog, doorbell: int, wanted: set[int]) -> None:
    """Feed the log from standard input. A read error is an end of input, as in the C program."""
    ready = poll()
    ready.register(0, POLLIN)
    ready.register(doorbell, POLLIN)
    size = LEAST_BLOCK
    while True:
        if wanted:
            if SIGALRM in wanted:
                wanted.discard(SIGALRM)
                log.rotate()
                _settle(log)
            if SIGTERM in wanted and not log.is_inside:
                return
        for descriptor, _ in ready.poll():
            if descriptor == doorbell:
                posix.read(doorbell, 512)
                break
        else:
            try:
                block = posix.read(0, 1 if SIGTERM in wanted else size)
            except BlockingIOError:
                continue
            except OSError:
                return
            if not block:
                return
            log.feed(block, time_ns())
            if log.is_pending:
                _settle(log)
            size = GREATEST_BLOCK if len(block) == size else LEAST_BLOCK


def _settle(log: Multilog) -> None:
    """Wait until everything is written, as long as it takes. Only SIGKILL ends a multilog that cannot write."""
    while log.is_pending:
        for pid in log.processors:
            log.reaped(pid, posix.waitstatus_to_exitcode(posix.waitpid(pid, 0)[1]))
        if log.has_trouble:
            sleep(PAUSE)
            log.retry()


def _warn(trouble: Trouble) -> None:
    warn(PROG, trouble.message, trouble.error)


class StandardOutput:
    """Descriptor 1, written to for as long as somebody reads it: when nobody does, the directories go on."""

    __slots__ = ("_is_open",)

    def __init__(self) -> None:
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Write it all, however long it takes."""
        view = memoryview(data)
        while view and self._is_open:
            try:
                view = view[posix.write(1, view) :]
            except BrokenPipeError as error:
                warn(PROG, b"unable to write to standard output, going on without it", error)
                self._is_open = False
            except BlockingIOError:
                self._wait()
            except OSError as error:
                warn(PROG, b"unable to write to standard output, pausing", error)
                sleep(PAUSE)

    def _wait(self) -> None:
        """Wait for room: the descriptor is non-blocking by somebody else's wish."""
        from select import POLLOUT

        ready = poll()
        ready.register(1, POLLOUT)
        ready.poll()
