"""Called `tini`, `tini-static` or `docker-init`, pyinit is tini: its options, variables, words and exit codes.

Those of tini.c, version 0.19.0: warnings and fatal errors on standard error, what happens on standard output. Loaded
under those names only.
"""

import posix
from _signal import (
    SIGABRT,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGRTMIN,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
    SIGTTIN,
    SIGTTOU,
    strsignal,
)

from pyinit import report
from pyinit.init.gnu_options import GnuOptions
from pyinit.init.options import TINI, Answer, Manner, Options
from pyinit.system.signals import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environment = Mapping[bytes, bytes]

OWN = frozenset((SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS))
"""Signals that do to tini what they do to any program."""

WARNING, INFO, DEBUG, TRACE = range(1, 5)
"""The levels at which things are said."""

LABELS = {WARNING: b"WARN ", INFO: b"INFO ", DEBUG: b"DEBUG", TRACE: b"TRACE"}

VERSION = b"tini version 0.19.0"

HELP = b"""\
%b (%b)
Usage: %b [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process (%b)

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. "-p SIGKILL".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables:

  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.

"""

NO_REAPER = b"""\
Tini is not running as PID 1 and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child \
subreaper, or run Tini as PID 1."""


def read_tini(argv: list[bytes], environment: "Environment") -> Options:
    """The options for a command line with its argv[0]; raises Answer."""
    name = argv[0].rpartition(b"/")[2]
    usage = HELP % (name, VERSION, name, name)
    if argv[1:] == [b"--version"]:
        raise Answer(0, 1, VERSION + b"\n")
    manner = Tini()
    options = Options(TINI, manner)
    options.untouched = OWN | {SIGCHLD, SIGTTIN, SIGTTOU}
    options.let_through = OWN
    options.inherits = True
    words = GnuOptions(argv, b"hvwgls", b"pe", is_permuting=b"POSIXLY_CORRECT" not in environment)
    try:
        for letter, value in words:
            if letter == b"h":
                raise Answer(0, 1, usage)
            if letter == b"l":
                raise Answer(0, 1, b"ISC\n")
            _take(options, manner, letter, value)
    except ValueError as error:
        raise Answer(1, 2, str(error).encode(errors="surrogateescape") + b"\n" + usage) from None
    if not words.operands:
        raise Answer(1, 2, usage)
    options.command = words.operands
    options.subreaper |= b"TINI_SUBREAPER" in environment
    options.to_group |= b"TINI_KILL_PROCESS_GROUP" in environment
    level = environment.get(b"TINI_VERBOSITY")
    if level is not None:
        manner.level = _atoi(level)
    options.hears = manner.level >= DEBUG
    manner.is_subreaper = options.subreaper
    manner.tells_reaped = options.tells_reaped
    options.tells_reaped |= options.hears
    return options


def _take(options: Options, manner: "Tini", letter: bytes, value: bytes) -> None:
    match letter:
        case b"s":
            options.subreaper = True
        case b"g":
            options.to_group = True
        case b"w":
            options.tells_reaped = True
        case b"v":
            manner.level += 1
        case b"p":
            number = NAMES.get(value[3:], SIGRTMIN)
            if value[:3] != b"SIG" or number >= SIGRTMIN:
                raise Answer(1, 2, manner.fatal(b"Not a valid option for -p: " + value))
            options.parent_death = number
        case b"e":
            digits = value.lstrip().removeprefix(b"+")
            if value and not (digits.isdigit() and int(digits) <= 255):
                raise Answer(1, 2, manner.fatal(b"Not a valid option for -e: " + value))
            options.remapped.add(int(digits or b"0"))


def _atoi(text: bytes) -> int:
    """As atoi(3) into an unsigned number: what is negative is the most."""
    text = text.lstrip()
    sign = text[:1] if text[:1] in (b"-", b"+") else b""
    digits = text[len(sign) :]
    length = len(digits) - len(digits.lstrip(b"0123456789"))
    number = int(digits[:length] or b"0")
    return TRACE if sign == b"-" and number else number


class Tini(Manner):
    """Warnings, and with each `-v` more of what happens."""

    __slots__ = ("_pid", "is_subreaper", "level", "tells_reaped")

    def __init__(self) -> None:
        super().__init__()
        self._pid = 0
        self.level = WARNING
        self.is_subreaper = False
        self.tells_reaped = False

    @property
    def follows_child(self) -> bool:
        """Always: the C library's posix_spawn leaves its own signals ignored (32 and 33), and tini does not."""
        return True

    @staticmethod
    def fatal(text: bytes) -> bytes:
        """The line before the end."""
        return b"[FATAL tini (%d)] %b\n" % (posix.getpid(), text)

    def _say(self, level: int, text: bytes) -> None:
        if self.level < level:
            return
        line = b"[%b tini (%d)] %b\n" % (LABELS[level], posix.getpid(), text)
        if level == WARNING:
            report.write(line)
            return
        try:
            posix.write(1, line)
        except OSError:
            pass

    def took_place(self, is_subreaper: bool, is_told: bool, is_first: bool) -> None:
        """Fail without what was asked for, and warn if orphans are not ours."""
        if not is_told:
            raise Answer(1, 2, self.fatal(b"Failed to set up parent death signal"))
        if self.is_subreaper and not is_subreaper:
            raise Answer(1, 2, self.fatal(b"Failed to register as child subreaper"))
        if self.is_subreaper:
            self._say(TRACE, b"Registered as child subreaper")
        elif self.level >= WARNING and not is_first:
            from pyinit.system.adoption import adopts_orphans

            if not adopts_orphans():
                self._say(WARNING, NO_REAPER)

    def started(self, name: bytes, pid: int) -> None:
        """The command runs."""
        self._pid = pid
        self._say(INFO, b"Spawned child process '%b' with pid '%d'" % (name, pid))

    def not_run(self, name: bytes, error: OSError) -> None:
        """In the child: the command could not be executed."""
        report.write(self.fatal(b"exec %b failed: %b" % (name, posix.strerror(error.errno or 0).encode())))

    def received(self, number: int) -> bool:
        """Whether to react to a signal: always."""
        if self.level >= DEBUG:
            passing = b"Passing signal: '%b'" % _name(number)
            self._say(DEBUG, b"Received SIGCHLD" if number == SIGCHLD else passing)
        return True

    def reaped(self, pid: int, outcome: int) -> None:
        """A child that is not the command has ended."""
        self._say(DEBUG, b"Reaped child with pid: '%d'" % pid)
        if self.tells_reaped:
            self._say(WARNING, b"Reaped zombie process with pid=%d" % pid)

    def ended(self, outcome: int, code: int) -> None:
        """The command has ended."""
        self._say(DEBUG, b"Reaped child with pid: '%d'" % self._pid)
        if outcome >= 0:
            self._say(INFO, b"Main child exited normally (with status '%d')" % outcome)
        else:
            self._say(INFO, b"Main child exited with signal (with signal '%b')" % _name(-outcome))
        self._say(TRACE, b"Exiting: child has exited")


def _name(number: int) -> bytes:
    return (strsignal(number) or f"Unknown signal {number}").encode()
