"""Puts process 1 together from its rooms: the one place that knows services and logs at once.

Before the loop any error is fatal and says why.
"""

import posix
from _signal import SIGIO

from pyinit import report
from pyinit.init.init import Init
from pyinit.init.options import PYINIT, VARIABLES
from pyinit.init.parts import NoServices
from pyinit.init.reactions import OURS, reactions
from pyinit.system.adoption import adopt_orphans, die_with_parent
from pyinit.system.doorbell import let_through
from pyinit.system.spawn import Spawner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyinit.init.command import Command
    from pyinit.init.options import Options
    from pyinit.init.services_file import Unpack
    from pyinit.logs.collector.client import Collector
    from pyinit.logs.collector.settings import Settings
    from pyinit.services.context import Context
    from pyinit.services.definition.definition import LogDefinition
    from pyinit.services.pair import LoggingPolicy
    from pyinit.services.scanner import Scanner
    from pyinit.system.loop import Loop

CAPTURED = (1, 2)
"""The descriptors of a service that go into its log."""


def run_init(options: "Options", began: float, unpack: "Unpack") -> int:
    """Start everything and run until all of it is down; returns the exit code. `began`: monotonic s.

    `unpack`: what writes the services of a file as directories, see `unpacking.py`. It is called in a child.

    The services are started first. What only process 1 itself needs is loaded after that.
    """
    is_watching = _has_directory(options)
    loop = _loop(options, is_watching)
    _take_place(options)
    spawner = Spawner(has_groups=True)
    found = _supervise(options, loop, spawner, unpack) if is_watching else (None, None, None)
    scanner, collector, context = found
    runtime = context.runtime if context else None
    command = _command(options, loop, spawner) if options.command else None
    services = scanner or NoServices()
    if options.dialect == PYINIT:
        _tell_unusable(options, services)
    untouched = options.untouched or (OURS if is_watching else OURS - {SIGIO})
    table = reactions(options.overrides, command is not None, bool(services.pairs), untouched)
    may_come = command is not None and is_watching and not services.pairs
    later = (lambda: reactions(options.overrides, True, True)) if may_come else None
    init = Init(loop, services, options, began, collector, command, runtime)
    if scanner and context:
        from pyinit.services.table import ServicesTable

        init.on_state = ServicesTable(context, scanner, options.stop_timeout, began).tell
    return init.run(table, later)


def _tell_unusable(options: "Options", services: "Scanner | NoServices") -> None:
    """Say which variables mean nothing here."""
    unknown = {name for name in posix.environ if name[:7] == b"PYINIT_"} - VARIABLES
    if unknown:
        from pyinit.init.remarks import tell_unknown

        tell_unknown(unknown)
    if options.overrides:
        from pyinit.init.remarks import tell_undeliverable

        tell_undeliverable(options.overrides, [pair.name for pair in services.everything()])


def _loop(options: "Options", is_watching: bool) -> "Loop":
    """A command alone needs a loop that waits for signals only."""
    if is_watching:
        from pyinit.system.loop import Loop

        return Loop(options.dialect)
    from pyinit.system.sigloop import SignalLoop

    loop = SignalLoop(options.dialect)
    if options.hears:
        loop.on_signal = options.manner.received
    if options.let_through:
        let_through(options.let_through)
    return loop


def _has_directory(options: "Options") -> bool:
    """Whether there is a directory of services. Only a main command can do without one."""
    if options.service_dir is None:
        return False
    if not options.command or options.services:
        return True
    try:
        posix.stat(options.service_dir)
    except FileNotFoundError:
        return False
    except OSError as error:
        report.die(PYINIT, b"unable to open service directory " + options.service_dir, error)
    return True


def _take_place(options: "Options") -> None:
    """Adopt orphans, and go with the parent, as far as that is asked for."""
    is_told = not options.parent_death or die_with_parent(options.parent_death)
    is_subreaper = options.subreaper and adopt_orphans()
    options.manner.took_place(is_subreaper, is_told, posix.getpid() == 1)


def _command(options: "Options", loop: "Loop", spawner: Spawner) -> "Command":
    from pyinit.init.command import Command

    return Command(loop, spawner, options)


def _supervise(
    options: "Options", loop: "Loop", spawner: Spawner, unpack: "Unpack"
) -> "tuple[Scanner, Collector, Context]":
    """Take up the services."""
    from pyinit.logs.collector.client import Collector
    from pyinit.logs.collector.settings import Settings
    from pyinit.services.context import Context
    from pyinit.services.pair import LoggingPolicy
    from pyinit.services.runtime import RuntimeDirectory

    try:
        settings = Settings.from_environment(posix.environ)
    except ValueError as error:
        report.die(PYINIT, b"unable to use " + str(error).encode(), code=report.USAGE)
    top = options.service_dir or b""
    home = top if top.startswith(b"/") else b"%b/%b" % (posix.getcwdb(), top)
    runtime = RuntimeDirectory(posix.environ, home)
    runtime.get()
    collector = Collector(loop, runtime.get)
    null_fd = posix.open("/dev/null", posix.O_RDONLY | posix.O_CLOEXEC)

    def logging(services: bytes) -> LoggingPolicy:
        log = ContainerLog(collector, settings, services)
        return LoggingPolicy(log, CAPTURED, null_fd, lambda name: name + b"/log")

    unpacked = b""
    if options.services:
        from pyinit.init.services_file import unpack_services

        top, unpacked = unpack_services(options.services, home, runtime, spawner, unpack)
        home = top
    context = Context(loop, spawner, runtime)
    context.has_settings = options.has_settings
    context.is_verbose = options.verbosity > 1
    context.tells = True
    scanner = _open_scanner(context, top, logging(home), unpacked, logging(unpacked))
    from pyinit.system.memory import OutOfMemory  # from here on it can wait until the services run

    context.memory = OutOfMemory()
    return scanner, collector, context


def _open_scanner(
    context: "Context", top: bytes, policy: "LoggingPolicy", unpacked: bytes, policy_of_unpacked: "LoggingPolicy"
) -> "Scanner":
    """Scan the service directory `top`, and the unpacked services if there are any."""
    from pyinit.services.scanner import Scanner

    try:
        scanner = Scanner(context, policy, top)
        if unpacked:
            from pyinit.services.unpacked import ScannerOfTwo

            scanner = ScannerOfTwo(context, policy, top, unpacked, policy_of_unpacked)
        scanner.open()
    except OSError as error:
        hint = b": a file of services is for PYINIT_SERVICES or -f" if isinstance(error, NotADirectoryError) else b""
        report.die(PYINIT, b"unable to open service directory %b: %b%b" % (top, report.reason(error), hint))
    return scanner


class ContainerLog:
    """Logs the services that bring no log/run: turns what a service's `log` says into a job of the collector."""

    __slots__ = ("_collector", "_home", "_settings")

    def __init__(self, collector: "Collector", settings: "Settings", home: bytes) -> None:
        """`home`: the absolute path of the directory of services."""
        self._collector = collector
        self._settings = settings
        self._home = home

    def attach(
        self,
        name: bytes,
        log: "LogDefinition | None",
        read_fd: int,
        drained: "Callable[[], None]",
        watched: bytes | None = None,
        found: "Callable[[], None] | None" = None,
    ) -> None:
        """Have the pipe of service `name` read to its end; `drained` is called when all of it is written.

        `watched`: the pipe is one of several; `found` is called when a line has this text.
        """
        job = self._settings.job(name)
        job.joins, job.watched = watched is not None, watched or b""
        if log:
            from pyinit.logs.collector.service_settings import adjust

            adjust(job, b"%b/%b/log" % (self._home, name), log.script, log.user, log.is_multiline)
        self._collector.attach(job, read_fd, drained, found)
