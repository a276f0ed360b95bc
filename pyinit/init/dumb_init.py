"""Called `dumb-init`, pyinit is that program: its options, variables, words and exit codes (dumb-init.c, 1.2.5).

Everything is said on standard error. Loaded under that name only.
"""

import posix
from _signal import SIGCHLD, SIGCONT, SIGHUP, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU

from pyinit import report
from pyinit.init.gnu_options import GnuOptions
from pyinit.init.options import DUMB_INIT, Answer, Manner, Options
from pyinit.init.reactions import FORWARD, SUSPEND, Reaction
from pyinit.system.spawn import NOTHING, SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environment = Mapping[bytes, bytes]

LAST = 31
"""The last signal that can be rewritten: real-time signals cannot."""

SUSPENDING = (SIGTSTP, SIGTTOU, SIGTTIN)

LONG = {b"help": b"h", b"single-child": b"c", b"rewrite": b"r", b"verbose": b"v", b"version": b"V"}

VERSION = b"dumb-init v1.2.5\n"

HELP = b"""\
Usage: %b [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init
"""

USAGE = b"Usage: %b [option] program [args]\nTry %b --help for full usage.\n"

REWRITE_USAGE = b"""\
Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
"""


def read_dumb_init(argv: list[bytes], environment: "Environment") -> Options:
    """The options for a command line with its argv[0]; raises Answer."""
    manner = DumbInit()
    options = Options(DUMB_INIT, manner)
    options.leads = SESSION
    options.untouched = frozenset((SIGCHLD,))
    options.hears = True
    words = GnuOptions(argv, b"hvVc", b"r", LONG)
    rewritten: dict[int, int] = {}
    try:
        for letter, value in words:
            if letter == b"h":
                raise Answer(0, 2, VERSION + HELP % argv[0])
            if letter == b"V":
                raise Answer(0, 2, VERSION)
            if letter == b"v":
                manner.is_telling = True
            elif letter == b"c":
                options.leads = NOTHING
            else:
                rewritten.update([_rewriting(value)])
    except ValueError as error:
        raise Answer(1, 2, str(error).encode(errors="surrogateescape") + b"\n") from None
    if not words.operands:
        raise Answer(1, 2, USAGE % (argv[0], argv[0]))
    options.command = words.operands
    _apply(options, manner, environment, rewritten)
    return options


def _apply(options: Options, manner: "DumbInit", environment: "Environment", rewritten: dict[int, int]) -> None:
    """What follows from the options together with the variables."""
    if environment.get(b"DUMB_INIT_DEBUG") == b"1":
        manner.is_telling = True
        manner.tell(b"Running in debug mode.")
    if environment.get(b"DUMB_INIT_SETSID") == b"0":
        options.leads = NOTHING
        manner.tell(b"Not running in setsid mode.")
    options.tells_reaped = manner.is_telling
    options.to_group = options.leads == SESSION
    manner.leads_session = options.to_group
    if options.leads == SESSION:
        for number in SUSPENDING:  # to a session without a parent in it TSTP does nothing
            rewritten.setdefault(number, SIGSTOP)
        options.farewell = rewritten.get(SIGTERM, SIGTERM)
    manner.rewritten = rewritten
    for received in {*rewritten, *SUSPENDING}:
        verb = SUSPEND if received in SUSPENDING else FORWARD
        options.overrides[received] = Reaction(verb, rewritten.get(received, received))


def _rewriting(text: bytes) -> tuple[int, int]:
    """The signals of `RECEIVED:SENT`, as sscanf(3) reads "%d:%d": what follows the second number does not matter."""
    received, colon, sent = text.partition(b":")
    sign, digits = received[:1], received.lstrip()
    if colon and (sign.isdigit() or digits != received or sign == b"+") and digits.lstrip(b"+").isdigit():
        number, other = int(digits), _leading_number(sent)
        if 1 <= number <= LAST and other is not None and 0 <= other <= LAST:
            return number, other
    raise Answer(1, 2, REWRITE_USAGE)


def _leading_number(text: bytes) -> int | None:
    text = text.lstrip()
    length = 1 if text[:1] in (b"+", b"-") else 0
    start = length
    while text[length : length + 1].isdigit():
        length += 1
    return int(text[:length]) if length > start else None


class DumbInit(Manner):
    """Debug lines for everything, with `-v`."""

    __slots__ = ("_home_fd", "_pid", "_skipped", "is_telling", "leads_session", "rewritten")

    def __init__(self) -> None:
        super().__init__()
        self.is_telling = False
        self.leads_session = True
        self.rewritten: dict[int, int] = {}
        self._skipped: set[int] = set()
        self._pid = 0
        self._home_fd: int | None = None

    @property
    def follows_child(self) -> bool:
        """Always: the child has debug lines, and goes back to the directory that this process has left."""
        return True

    def tell(self, text: bytes) -> None:
        """A debug line."""
        if self.is_telling:
            report.write(b"[dumb-init] %b\n" % text)

    def starting(self) -> None:
        """Leave the directory and the terminal.

        The session of the command can then have the terminal. When the leader of a session gives it up, the kernel
        sends SIGHUP and SIGCONT to its group (tty_ioctl(4)). Nobody asked for those: the first of each is not
        forwarded.
        """
        if self._home_fd is None:
            self._leave_directory()
        if not self.leads_session:
            return
        from pyinit.system.foreground import leave_terminal

        error = leave_terminal()
        if error:
            self.tell(b"Unable to detach from controlling tty %b." % _why(error))
        elif posix.getsid(0) == posix.getpid():
            self.tell(b"Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.")
            self._skipped = {SIGHUP, SIGCONT}
        else:
            self.tell(b"Detached from controlling tty, but was not session leader.")

    def _leave_directory(self) -> None:
        """Keep no directory busy. Not where the child could not come back: then after it has started."""
        try:
            self._home_fd = posix.open(b".", posix.O_PATH | posix.O_DIRECTORY | posix.O_CLOEXEC)
            posix.fchdir(self._home_fd)
            posix.chdir(b"/")
        except OSError:
            self._home_fd = None

    def led(self, error: OSError | None) -> None:
        """In the child: it leads its session, and `error` kept it from having the terminal."""
        if self._home_fd is not None:
            posix.fchdir(self._home_fd)
        if self.leads_session:
            if error:
                self.tell(b"Unable to attach to controlling tty %b." % _why(error))
            self.tell(b"setsid complete.")

    def started(self, name: bytes, pid: int) -> None:
        """The command runs."""
        self._pid = pid
        self.tell(b"Child spawned with PID %d." % pid)
        if self._home_fd is not None:
            return
        try:
            posix.chdir(b"/")
        except OSError as error:
            self.tell(b'Unable to chdir("/") %b' % _why(error))

    def not_run(self, name: bytes, error: OSError) -> None:
        """In the child: the command could not be executed."""
        report.write(b"[dumb-init] %b: %b\n" % (name, _strerror(error)))

    def received(self, number: int) -> bool:
        """Whether to react to a signal."""
        self.tell(b"Received signal %d." % number)
        if number in self._skipped:
            self._skipped.discard(number)
            self.tell(b"Ignoring tty hand-off signal %d." % number)
            return False
        return True

    def forwarded(self, number: int, sent: int) -> None:
        """A signal went to the command, as another one or, as 0, not at all."""
        if number in self.rewritten:
            self.tell(b"Translating signal %d to %d." % (number, sent))
        if sent:
            self.tell(b"Forwarded signal %d to children." % sent)
        else:
            self.tell(b"Not forwarding signal %d to children (ignored)." % sent)

    def suspending(self) -> None:
        """This process stops."""
        self.tell(b"Suspending self due to TTY signal.")

    def reaped(self, pid: int, outcome: int) -> None:
        """A child that is not the command has ended."""
        if outcome >= 0:
            self.tell(b"A child with PID %d exited with exit status %d." % (pid, outcome))
        else:
            self.tell(b"A child with PID %d was terminated by signal %d." % (pid, -outcome))

    def ended(self, outcome: int, code: int) -> None:
        """The command has ended, and what is left of its session got the farewell."""
        self.reaped(self._pid, outcome)
        self.forwarded(SIGTERM, self.rewritten.get(SIGTERM, SIGTERM))
        self.tell(b"Child exited with status %d. Goodbye." % code)


def _strerror(error: OSError) -> bytes:
    return posix.strerror(error.errno or 0).encode()


def _why(error: OSError) -> bytes:
    return b"(errno=%d %b)" % (error.errno or 0, _strerror(error))
