"""pyinit [options] [--] [command ...]: process 1 of a container: services, their logs, and a main command.

pyinit doctor [dir]: what is wrong with the service directories in dir, one line a finding (exit 1), or nothing (0).
pyinit doctor --explain CODE: what the finding of this code means, and the repair.
pyinit unpack FILE DIR: write the services of a services.toml into DIR as plain directories: all of them, or nothing.
pyinit convert DIR: print the service directories in DIR as a services.toml.

    -d, --service-dir DIR  the directory of services
    -f, --services FILE    unpack this services.toml, and run its services, too
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
    PYINIT_SERVICES            as -f
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
    PYINIT_DIALECT             daemontools: files that daemontools has not (type, ready, finish ...) mean nothing
    PYINIT_WAIT                how long the command waits for the services, as 500ms, 10s or 2m; for ever
    PYINIT_START               anyway: the command starts also when services cannot come; ready
    PYINIT_QUIET               1: pyinit does not say when the services are ready beside a command
    PYINIT_TERMINATION_LOG     a file for a line that says why the container ended; /dev/termination-log
    PYINIT_STATE               where supervise/ of services lives when their own directories can't be written
"""

import posix
import sys
from time import monotonic

from pyinit import __version__, report
from pyinit.init.assembly import run_init
from pyinit.init.dialects import OTHER_NAMES, BadUsage, read_options
from pyinit.init.options import Answer
from pyinit.system.console import Console  # not at the first message, which may be that nothing can be opened
from pyinit.system.doorbell import given_mask, hold_signals, release_signals
from pyinit.system.files import fill_standard_descriptors
from pyinit.system.spawn import ignore_terminal_stops

BEGAN = monotonic()
PROG = b"pyinit"


def main(argv: list[bytes]) -> int:
    """Before the loop any error is fatal and says why; in it none is."""
    fill_standard_descriptors()
    if argv[1:2] and argv[1] in FIRST_WORDS and argv[0].rpartition(b"/")[2] not in OTHER_NAMES:
        release_signals()
        return FIRST_WORDS[argv[1]](argv[2:])
    hold_signals()
    try:
        options = read_options(argv[0], argv[1:], posix.environ)
        if options.asks:
            return _answer(options.asks)
        report.write, report.keeps_bytes = Console().write, False
        ignored = ignore_terminal_stops()
        if options.inherits:
            options.mask, options.ignored = given_mask(), ignored
        return run_init(options, BEGAN, _unpack_anew)
    except Answer as answer:
        posix.write(answer.fd, answer.text)
        return answer.code
    except BadUsage as bad:
        report.die(PROG, bad.message, code=bad.code)


def _examine(arguments: list[bytes]) -> int:
    """`pyinit doctor [DIR]`: one line a finding, 1 if one is an error. `--explain CODE`: what a finding means.

    Nothing is changed, so nothing is compiled either.
    """
    sys.dont_write_bytecode = True
    from pyinit.init.examination import examine, explain

    if len(arguments) == 2 and arguments[0] == b"--explain":
        return explain(arguments[1])
    if len(arguments) > 1 or (arguments[:1] and arguments[0].startswith(b"-")):
        report.usage(PROG, b"doctor [dir] | doctor --explain code")
    return examine(arguments[0] if arguments else b"")


def _unpack(arguments: list[bytes]) -> int:
    """`pyinit unpack FILE DIR`: 1 for a mistake in the file or a service that is there already."""
    if len(arguments) != 2 or arguments[0].startswith(b"-"):
        report.usage(PROG, b"unpack file dir")
    from pyinit.convert.unpacking import unpack_once

    report.keeps_bytes = False
    return unpack_once(arguments[0], arguments[1].rstrip(b"/") or b"/")


def _unpack_anew(path: bytes, place: bytes, service_dir: bytes) -> int:
    """In a child of process 1, which never loads what this needs."""
    from pyinit.convert.unpacking import unpack_anew

    return unpack_anew(path, place, service_dir)


def _convert(arguments: list[bytes]) -> int:
    """`pyinit convert DIR`: 1 if something is left out."""
    if len(arguments) != 1 or arguments[0].startswith(b"-"):
        report.usage(PROG, b"convert dir")
    from pyinit.convert.gathering import print_toml

    report.keeps_bytes = False
    return print_toml(arguments[0].rstrip(b"/") or b"/")


def _make_new(arguments: list[bytes]) -> int:
    """The word is kept for what it will mean."""
    report.die(PROG, b"new is no word yet: a command of this name is given behind --", code=report.USAGE)


FIRST_WORDS = {b"doctor": _examine, b"unpack": _unpack, b"convert": _convert, b"new": _make_new}
"""What a first word of our own does. A command of such a name is given behind `--`."""


def _answer(asked: bytes) -> int:
    version = b"pyinit %b\n" % __version__.encode()
    text = {b"help": b"usage: " + (__doc__ or "").encode(), b"version": version}
    posix.write(1, text[asked])
    return 0
