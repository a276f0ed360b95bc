"""What PID 1 is asked for: its command line and environment in the dialect of the name it is called by. Pure.

Called `pyinit` it takes its own options, which include those of tini; called `tini` or `dumb-init` those of that
program, with its variables, defaults and exit codes, so that a symbolic link replaces either.
"""

from _signal import SIGSTOP, SIGTSTP

from pyinit.system.spawn import GROUP, NOTHING, SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyinit.init.reactions import Reaction

    Environment = Mapping[bytes, bytes]

PYINIT, TINI, DUMB_INIT = b"pyinit", b"tini", b"dumb-init"
STOP_TIMEOUT = b"8"
NOT_RUN = {PYINIT: (127, 126, 126), TINI: (127, 126, 1), DUMB_INIT: (2, 2, 2)}


class BadUsage(Exception):
    """The command line or a variable is wrong: `message` says how, `code` is the exit code for it."""

    def __init__(self, message: bytes, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Invocation:
    """Everything that was asked for, with defaults for the rest.

    `asks`: `help`, `version` or nothing. `parent_death`: a signal to get when the parent dies, 0 for none.
    `overrides`: reactions to signals other than the usual. `not_run`: the exit codes for a command that is not
    found, for one that may not be executed, and for any other reason.
    """

    def __init__(self, dialect: bytes = PYINIT) -> None:
        self.dialect = dialect
        self.command: list[bytes] = []
        self.asks = b""
        self.service_dir: bytes | None = None
        self.patience = float(STOP_TIMEOUT)
        self.verbosity = 0
        self.subreaper = dialect == PYINIT
        self.parent_death = 0
        self.to_group = False
        self.leads = GROUP
        self.tells_reaped = False
        self.starts_early = False
        self.remapped: set[int] = set()
        self.overrides: dict[int, Reaction] = {}
        self.not_run = NOT_RUN[dialect]


def read(called: bytes, arguments: list[bytes], environment: "Environment") -> Invocation:
    """The invocation for argv[0] `called`; raises BadUsage."""
    name = called.rpartition(b"/")[2]
    dialect = name if name in (TINI, DUMB_INIT) else PYINIT
    invocation = Invocation(dialect)
    code = 100 if dialect == PYINIT else 1
    try:
        {PYINIT: _read_pyinit, TINI: _read_tini, DUMB_INIT: _read_dumb_init}[dialect](
            invocation, arguments, environment
        )
    except ValueError as error:
        raise BadUsage(str(error).encode(errors="surrogateescape"), code) from None
    return invocation


def _read_pyinit(invocation: Invocation, arguments: list[bytes], environment: "Environment") -> None:
    invocation.service_dir = environment.get(b"PYINIT_SERVICE_DIR") or b"/service"
    invocation.to_group = b"PYINIT_KILL_PROCESS_GROUP" in environment
    invocation.verbosity = _whole(environment, b"PYINIT_VERBOSITY", b"0")
    invocation.overrides = _overrides(environment.get(b"PYINIT_SIGNALS", b""))
    invocation.patience = _seconds(b"PYINIT_STOP_TIMEOUT", environment.get(b"PYINIT_STOP_TIMEOUT") or STOP_TIMEOUT)
    long = {
        b"help": b"h",
        b"version": b"V",
        b"service-dir": b"d",
        b"rewrite": b"r",
        b"single-child": b"c",
        b"verbose": b"v",
        b"early": b"E",
    }
    options, invocation.command = split(arguments, b"sgwvhVcE", b"pder", long)
    for letter, value in options:
        if letter == b"d":
            invocation.service_dir = value
        elif letter == b"E":
            invocation.starts_early = True
        elif letter in b"rcV":
            _take_dumb_init(invocation, letter, value)
        else:
            _take_tini(invocation, letter, value)


def _read_tini(invocation: Invocation, arguments: list[bytes], environment: "Environment") -> None:
    invocation.subreaper = b"TINI_SUBREAPER" in environment
    invocation.to_group = b"TINI_KILL_PROCESS_GROUP" in environment
    level = environment.get(b"TINI_VERBOSITY", b"1")
    invocation.verbosity = (int(level) if level.isdigit() else 0) - 1  # its 1 is for warnings, 2 for what happens
    if arguments == [b"--version"]:
        invocation.asks = b"version"
        return
    options, invocation.command = split(arguments, b"sgwvhl", b"pe", {}, is_permuting=True)
    for letter, value in options:
        _take_tini(invocation, letter, value)
    if not invocation.command and not invocation.asks:
        raise ValueError("no program given")


def _take_tini(invocation: Invocation, letter: bytes, value: bytes) -> None:
    match letter:
        case b"s":
            invocation.subreaper = True
        case b"p":
            from pyinit.init.reactions import number_of

            invocation.parent_death = number_of(value)
        case b"g":
            invocation.to_group = True
        case b"w":
            invocation.tells_reaped = True
        case b"v":
            invocation.verbosity += 1
        case b"e":
            if not value.isdigit() or int(value) > 255:
                raise ValueError(f"not an exit code: {value.decode(errors='replace')}")
            invocation.remapped.add(int(value))
        case b"h":
            invocation.asks = b"help"
        case b"l":
            invocation.asks = b"license"


def _read_dumb_init(invocation: Invocation, arguments: list[bytes], environment: "Environment") -> None:
    invocation.verbosity = int(environment.get(b"DUMB_INIT_DEBUG") == b"1")
    long = {b"help": b"h", b"version": b"V", b"rewrite": b"r", b"single-child": b"c", b"verbose": b"v"}
    options, invocation.command = split(arguments, b"cvhV", b"r", long)
    invocation.to_group = environment.get(b"DUMB_INIT_SETSID") != b"0"
    invocation.leads = SESSION if invocation.to_group else NOTHING
    for letter, value in options:
        _take_dumb_init(invocation, letter, value)
    from pyinit.init.reactions import SUSPEND, Reaction

    sent = SIGSTOP if invocation.leads == SESSION else SIGTSTP  # to a session without a parent in it TSTP does nothing
    invocation.overrides.setdefault(SIGTSTP, Reaction(SUSPEND, sent))
    if not invocation.command and not invocation.asks:
        raise ValueError("no program given")


def _take_dumb_init(invocation: Invocation, letter: bytes, value: bytes) -> None:
    match letter:
        case b"c":
            invocation.to_group = False
            invocation.leads = NOTHING if invocation.dialect == DUMB_INIT else GROUP
        case b"r":
            from pyinit.init.reactions import rewriting

            invocation.overrides.update(rewriting(value))
        case b"v":
            invocation.verbosity += 1
        case b"h":
            invocation.asks = b"help"
        case b"V":
            invocation.asks = b"version"


def split(
    arguments: list[bytes], flags: bytes, valued: bytes, long: "Mapping[bytes, bytes]", is_permuting: bool = False
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Options as (letter, value) pairs, and the operands from the first word that is none, or behind `--`.

    `long` names letters; their values are `--name=value` or the next word. With `is_permuting` options may also follow
    operands, up to `--`: GNU's getopt(3), and so Debian's tini. Raises ValueError.
    """
    found: list[tuple[bytes, bytes]] = []
    words, operands = list(arguments), []
    while words and (is_permuting or _is_option(words[0])):
        word = words.pop(0)
        if word == b"--":
            break
        if not _is_option(word):
            operands.append(word)
            continue
        if word[:2] == b"--":
            name, is_set, value = word[2:].partition(b"=")
            letters = long.get(name, b"?")
            attached = value if is_set else None
            found.append((letters, _value(letters, attached, words, word) if letters in valued else b""))
            if letters == b"?" or (is_set and letters in flags):
                raise ValueError(f"unknown option {word.decode(errors='replace')}")
            continue
        for index in range(1, len(word)):
            letter = word[index : index + 1]
            if letter in valued:
                found.append((letter, _value(letter, word[index + 1 :] or None, words, word)))
                break
            if letter not in flags:
                raise ValueError(f"unknown option -{letter.decode(errors='replace')}")
            found.append((letter, b""))
    return found, operands + words


def _is_option(word: bytes) -> bool:
    return word[:1] == b"-" and word != b"-"


def _value(letter: bytes, attached: bytes | None, words: list[bytes], word: bytes) -> bytes:
    if attached is not None:
        return attached
    if not words:
        raise ValueError(f"{word.decode(errors='replace')} needs a value")
    return words.pop(0)


def _overrides(text: bytes) -> "dict[int, Reaction]":
    """What PYINIT_SIGNALS asks for; the table of signals is loaded where there is something to look up."""
    if not text:
        return {}
    from pyinit.init.reactions import parse_map

    try:
        return parse_map(text)
    except ValueError as error:
        raise ValueError(f"unable to use PYINIT_SIGNALS: {error}") from None


def _whole(environment: "Environment", name: bytes, default: bytes) -> int:
    text = environment.get(name) or default
    if not text.isdigit():
        raise ValueError(f"unable to use {name.decode()}: not a number")
    return int(text)


def _seconds(name: bytes, text: bytes) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise ValueError(f"unable to use {name.decode()}: not a number of seconds")
    return seconds
