"""The words that PID 1 is given: its command line and environment, in the dialect of the name it is called by. Pure.

Called `pyinit` it takes its own options, which include those of tini. Called `tini` or `dumb-init` it takes those of
that program, with its variables, defaults and exit codes. So a symbolic link replaces either.
"""

from pyinit.init.options import DUMB_INIT, STOP_TIMEOUT, TINI, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyinit.init.reactions import Reaction

    Environment = Mapping[bytes, bytes]


NAMES_OF_TINI = (TINI, b"tini-static", b"docker-init")

OTHER_NAMES = (*NAMES_OF_TINI, DUMB_INIT)
"""Under these we are another program, and our own words mean nothing."""


class BadUsage(Exception):
    """The command line or a variable is wrong: `message` says how, `code` is the exit code for it."""

    def __init__(self, message: bytes, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def read_options(called: bytes, arguments: list[bytes], environment: "Environment") -> Options:
    """The options for argv[0] `called`; raises BadUsage, or Answer under another program's name."""
    name = called.rpartition(b"/")[2]
    if name in NAMES_OF_TINI:
        from pyinit.init.tini import read_tini

        return read_tini([called, *arguments], environment)
    if name == DUMB_INIT:
        from pyinit.init.dumb_init import read_dumb_init

        return read_dumb_init([called, *arguments], environment)
    options = Options()
    try:
        _read_pyinit(options, arguments, environment)
    except ValueError as error:
        raise BadUsage(str(error).encode(errors="surrogateescape"), 100) from None
    return options


def _read_pyinit(options: Options, arguments: list[bytes], environment: "Environment") -> None:
    options.service_dir = environment.get(b"PYINIT_SERVICE_DIR") or b"/service"
    options.services = environment.get(b"PYINIT_SERVICES") or b""
    options.has_settings = _has_settings(environment.get(b"PYINIT_DIALECT"))
    options.to_group = b"PYINIT_KILL_PROCESS_GROUP" in environment
    options.verbosity = _whole(environment, b"PYINIT_VERBOSITY", b"0")
    options.overrides = _overrides(environment.get(b"PYINIT_SIGNALS", b""))
    options.stop_timeout = _seconds(b"PYINIT_STOP_TIMEOUT", environment.get(b"PYINIT_STOP_TIMEOUT") or STOP_TIMEOUT)
    options.wait = _wait(environment.get(b"PYINIT_WAIT"))
    options.starts_anyway = _starts_anyway(environment.get(b"PYINIT_START"))
    options.is_quiet = environment.get(b"PYINIT_QUIET", b"") not in (b"", b"0")
    long = {
        b"help": b"h",
        b"version": b"V",
        b"service-dir": b"d",
        b"services": b"f",
        b"rewrite": b"r",
        b"single-child": b"c",
        b"verbose": b"v",
        b"early": b"E",
    }
    words, options.command = split_words(arguments, b"sgwvhVcE", b"pderf", long)
    for letter, value in words:
        if letter == b"d":
            options.service_dir = value
        elif letter == b"f":
            options.services = value
        elif letter == b"E":
            options.is_early = True
        else:
            _take(options, letter, value)


def _take(options: Options, letter: bytes, value: bytes) -> None:
    match letter:
        case b"s":
            options.subreaper = True
        case b"p":
            from pyinit.system.signals import number_of

            options.parent_death = number_of(value)
        case b"g":
            options.to_group = True
        case b"w":
            options.tells_reaped = True
        case b"v":
            options.verbosity += 1
        case b"e":
            if not value.isdigit() or int(value) > 255:
                raise ValueError(f"not an exit code: {value.decode(errors='replace')}")
            options.remapped.add(int(value))
        case b"c":
            options.to_group = False
        case b"r":
            from pyinit.init.reactions import rewriting

            options.overrides.update(rewriting(value))
        case b"h":
            options.asks = b"help"
        case b"V":
            options.asks = b"version"


def split_words(
    arguments: list[bytes], flags: bytes, valued: bytes, long: "Mapping[bytes, bytes]"
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Options as (letter, value) pairs, and the operands from the first word that is none, or behind `--`.

    `long` names letters; their values are `--name=value` or the next word. Raises ValueError.
    """
    found: list[tuple[bytes, bytes]] = []
    words = list(arguments)
    while words and _is_option(words[0]):
        word = words.pop(0)
        if word == b"--":
            break
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
    return found, words


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


def _has_settings(dialect: bytes | None) -> bool:
    """Whether files of a service directory mean what docs/reference says, and not only what daemontools knows."""
    if dialect not in (None, b"", b"daemontools"):
        raise ValueError("unable to use PYINIT_DIALECT: not daemontools")
    return not dialect


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


def _wait(text: bytes | None) -> float | None:
    """How long the main command waits for the services, in seconds; None for no limit."""
    if not text:
        return None
    from pyinit.services.definition.words import duration

    try:
        return duration(text)
    except ValueError as error:
        raise ValueError(f"unable to use PYINIT_WAIT: {error}") from None


def _starts_anyway(text: bytes | None) -> bool:
    """Whether the main command starts where services cannot come."""
    if text not in (None, b"", b"ready", b"anyway"):
        raise ValueError(f"unable to use PYINIT_START: not ready or anyway: {(text or b'').decode(errors='replace')}")
    return text == b"anyway"
