"""pyinit [options] [--] [command ...]: process 1 of a container: services, their logs, and a main command.

pyinit doctor [dir]: what is wrong with the service directories in dir, one line a finding (exit 1), or nothing (0).

    -d, --service-dir DIR  the directory of services
    -E, --early            start the command at once, not when the services are up
    -e CODE                count this exit code of the command as success (may be repeated)
    -g                     send signals to the command's process group
    -c, --single-child     send signals to the command alone
    -p SIGNAL              get this signal when the parent dies
    -r, --rewrite S:R      forward signal S as R, not at all if R is 0 (may be repeated)
    -s                     adopt orphans also when not process 1: always so
    -v, --verbose          say what is done (may be repeated)
    -w                     warn of every orphan that is reaped
    -h, --help             this text
    --version              the version

environment:
    PYINIT_SERVICE_DIR         the directory of services; /service
    PYINIT_LOG                 where services without a log/run are logged: stdout, volume or both; stdout
    PYINIT_LOG_DIR             with volume: one log directory a service in here; /var/log/services
    PYINIT_LOG_FORMAT          how lines look on stdout: text, json or raw; text
    PYINIT_LOG_FOLD            1: in JSON, lines that continue others join them (tracebacks); 0
    PYINIT_LOG_SIZE            bytes of a log file on a volume; 99999
    PYINIT_LOG_COUNT           how many of them; 10
    PYINIT_STOP_TIMEOUT        seconds from TERM to KILL when the container stops; 8
    PYINIT_SIGNALS             what signals do: SIGNAL=stop|rescan|rotate|ignore|forward[:SIGNAL]|SERVICE:SIGNAL ...
    PYINIT_VERBOSITY           as that many -v; 0
    PYINIT_KILL_PROCESS_GROUP  if set: as -g
    PYINIT_STATE               where supervise/ of services lives when their own directories can't be written
"""

import posix
from _signal import SIG_SETMASK, pthread_sigmask
from time import monotonic

from pyinit import __version__, report
from pyinit.init import dialects as asked
from pyinit.init.dialects import BadUsage, Invocation
from pyinit.system.console import Console  # not at the first message, which may be that nothing can be opened
from pyinit.system.loop import Loop
from pyinit.system.spawn import Spawner, adopt_orphans, block_signals, die_with_parent, ignore_terminal_stops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.formats.wire import Job
    from pyinit.init.init import Init
    from pyinit.logs.collector.client import Plane
    from pyinit.logs.collector.settings import Settings
    from pyinit.services.runtime import Place
    from pyinit.services.scanner import Scanner

PROG = b"pyinit"

LOG_CAPTURES = (1, 2)
BEGAN = monotonic()


def main(argv: list[bytes]) -> int:
    """Before the loop any error is fatal and says why; in it none is."""
    if argv[1:2] == [b"doctor"]:
        return _examine(argv[2:])
    block_signals()
    try:
        invocation = asked.read(argv[0], argv[1:], posix.environ)
    except BadUsage as bad:
        report.die(PROG, bad.message, code=bad.code)
    if invocation.asks:
        return _answer(invocation)
    report.write = Console().write
    ignore_terminal_stops()
    init = _build(invocation)
    return init.run()


def _examine(arguments: list[bytes]) -> int:
    """`pyinit doctor [DIR]`: one line a finding; 1 if there is any."""
    pthread_sigmask(SIG_SETMASK, ())
    from pyinit.services import runtime as place
    from pyinit.services.definition import doctor
    from pyinit.system.processes import command_name
    from pyinit.view.names import service_directory

    if len(arguments) > 1:
        report.usage(PROG, b"doctor [dir]")
    top = arguments[0] if arguments else service_directory()
    try:
        findings = list(doctor.examine(top, posix.environ, place.make(posix.environ) is not None))
    except OSError as error:
        report.die(PROG, b"unable to open service directory " + top, error)
    posix.write(1, b"".join(b"%b/%b: %b\n" % (top.rstrip(b"/"), name, finding) for name, finding in findings))
    if (first := command_name(1)) not in (PROG, b"python3"):
        report.say(PROG, b"note: process 1 here is %b, not pyinit" % first)
    return 1 if findings else 0


def _answer(invocation: Invocation) -> int:
    version = b"pyinit %b\n" % __version__.encode()
    text = {b"help": b"usage: " + (__doc__ or "").encode(), b"version": version, b"license": b"ISC\n"}
    posix.write(1, text[invocation.asks])
    return 0


def _build(invocation: Invocation) -> "Init":
    """Everything, started: the services are up, as far as they can be, when this returns.

    They are started first: what only process 1 itself needs is loaded after that.
    """
    loop = Loop(invocation.dialect)
    _place_in_tree(invocation)
    spawner = Spawner(has_groups=True)
    is_watching = _has_directory(invocation)
    watched, plane, place = _supervise(invocation, loop, spawner) if is_watching else (None, None, None)
    from pyinit.init.init import Init, NoServices, Plan
    from pyinit.init.reactions import reactions

    scanner = watched or NoServices()
    command = None
    if invocation.command:
        from pyinit.init.command import Command

        to_group, leads = invocation.to_group, invocation.leads
        command = Command(loop, spawner, invocation.command, to_group, leads, invocation.not_run)
    table = reactions(invocation.overrides, command is not None, bool(scanner.pairs), is_watching)
    plan = Plan(invocation.patience, table, frozenset(invocation.remapped))
    plan.is_early = invocation.starts_early
    plan.tells_reaped = invocation.tells_reaped
    plan.verbosity = invocation.verbosity
    plan.began = BEGAN
    return Init(loop, scanner, plan, plane, command, place)


class _LatePlace:
    """A Place that is loaded when it is asked for: at most starts not before the services run."""

    def __init__(self) -> None:
        self._place: Place | None = None

    def made(self) -> "Place":
        from pyinit.services.runtime import Place

        self._place = self._place or Place(posix.environ)
        return self._place

    def get(self) -> bytes | None:
        return self.made().get()


def _has_directory(invocation: Invocation) -> bool:
    """Whether there is a directory of services; only a main command can do without one."""
    if invocation.service_dir is None:
        return False
    if not invocation.command:
        return True
    try:
        posix.stat(invocation.service_dir)
    except FileNotFoundError:
        return False
    except OSError as error:
        report.die(PROG, b"unable to open service directory " + invocation.service_dir, error)
    return True


def _supervise(invocation: Invocation, loop: Loop, spawner: Spawner) -> "tuple[Scanner, Plane, Place]":
    """Take up the services. All that this takes is loaded here, which is most of the program."""
    from pyinit.logs.collector.settings import Settings
    from pyinit.services.context import Host
    from pyinit.services.pair import Wiring
    from pyinit.services.scanner import Scanner

    try:
        settings = Settings.from_environment(posix.environ)
    except ValueError as error:
        report.die(PROG, b"unable to use " + str(error).encode(), code=report.USAGE)
    top = invocation.service_dir or b""
    place = _LatePlace()
    plane = _plane(loop, settings, place, top)
    wiring = Wiring(plane, LOG_CAPTURES, posix.open("/dev/null", posix.O_RDONLY | posix.O_CLOEXEC), _log_name)
    host = Host(loop, spawner, place.get)
    scanner = Scanner(host, wiring, top)
    try:
        scanner.open()
    except OSError as error:
        report.die(PROG, b"unable to open service directory " + scanner.path, error)
    from pyinit.system.memory import OutOfMemory  # from here on it can wait until the services run

    host.memory = OutOfMemory()
    return scanner, plane, place.made()


def _place_in_tree(invocation: Invocation) -> None:
    """Be a reaper of orphans, and go with the parent, as far as that is asked for."""
    if invocation.subreaper:
        if not adopt_orphans():
            report.warn(invocation.dialect, b"not process 1, and no subreaper without python-prctl: orphans are lost")
        elif posix.getpid() != 1 and invocation.dialect == PROG:
            report.say(PROG, b"info: not process 1, adopting orphans as a subreaper")
    if invocation.parent_death and not die_with_parent(invocation.parent_death):
        report.warn(invocation.dialect, b"unable to use -p without python-prctl")


def _plane(loop: Loop, settings: "Settings", place: "_LatePlace", top: bytes) -> "Plane":
    """The built-in logger; what belongs to one service only is looked at where it has a `log/`."""
    from pyinit.logs.collector.client import Plane
    from pyinit.system import files

    home = top if top.startswith(b"/") else b"%b/%b" % (posix.getcwdb(), top)

    def job_of(name: bytes, parent: int) -> "Job":
        if files.is_missing(name + b"/log", parent):
            return settings.job(name)
        from pyinit.logs.collector import service_settings as own

        return own.job_of(settings, home, name, parent)

    return Plane(loop, job_of, place.get)


def _log_name(name: bytes) -> bytes:
    return name + b"/log"
