"""The keys of services.toml, and the text of the file that a value of each becomes. Pure.

Each function takes a value as tomllib gives it. It returns the bytes of a file, or None for no file. It raises
ValueError for a value of a wrong type. What the text means is checked by the readers of these files.
"""

from pyinit.services.definition.definition import (
    CODE,
    HAS_NUL,
    LONGEST,
    MILLISECONDS,
    NAMES,
    NUMBER,
    OUTCOMES,
    PROGRAM,
    PROGRAM_OR_WORDS,
    SETTINGS,
    SIGNAL,
    WORD,
    WORDS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SUGAR = ("user", "limits", "env", "dir", "umask")
"""Keys that are no files: they become a part of `run`, or files in `env/`."""

KEYS = frozenset(("run", "down", "secrets", "log", *SUGAR, *SETTINGS))
"""What the table of a service may have."""

LOG_FILES = ("script", "user", "fold")
"""What the table `log` may have if the container logs the service."""

LOGGER_KEYS = frozenset(("run", "down", "secrets", *SUGAR))
"""What it may have if the service brings a logger."""

LOG_KEYS = LOGGER_KEYS.union(LOG_FILES)

LIMIT_LETTERS = {
    "nofile": b"o",
    "nproc": b"p",
    "core": b"c",
    "fsize": b"f",
    "data": b"d",
    "stack": b"s",
    "as": b"a",
    "memlock": b"l",
}
"""The option of softlimit for each limit, in the order in which they are written."""

NO_PROGRAM = " (a program is a list of words, or a script that begins with #!)"

NUMERIC = (WORDS, NUMBER, SIGNAL, MILLISECONDS, OUTCOMES, CODE)
"""Kinds of which a bare number is a value."""


def is_number(value: object) -> bool:
    """Whether it is a whole number that is not negative. In Python a boolean would be a number, too."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def text_of(value: object, what: str = "a string") -> bytes:
    """A string as bytes. Raises ValueError; `what` it is to be, with its article."""
    if not isinstance(value, str):
        raise ValueError(f"has to be {what}")
    text = value.encode()
    if b"\0" in text:
        raise ValueError(HAS_NUL.decode())
    return text


def lines_of(value: object) -> bytes:
    """A string as the content of a file, with a newline at its end unless it is empty."""
    text = text_of(value)
    return text + b"\n" if text and not text.endswith(b"\n") else text


def flag(value: object) -> bytes | None:
    """An empty file, or none."""
    if not isinstance(value, bool):
        raise ValueError("has to be true or false")
    return b"" if value else None


def setting(name: str, value: object) -> bytes | None:
    """The content of a file of SETTINGS that is no program."""
    kind = SETTINGS[name]
    if kind == NAMES and isinstance(value, list):
        return b"".join(word + b"\n" for word in words_in(value))
    if kind == OUTCOMES and isinstance(value, list):
        words = [str(word) if is_number(word) else word for word in value]
        return b",".join(words_in(words, "a list of numbers and of names of signals")) + b"\n"
    if kind == CODE and isinstance(value, bool):
        return flag(value)
    if kind in NUMERIC and is_number(value):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"has to be {EXPECTED[kind]}")
    content = lines_of(value)
    if len(content) > LONGEST:
        raise ValueError(f"longer than {LONGEST} bytes")
    return content


EXPECTED = {
    WORD: "a string",
    WORDS: "a string",
    NAMES: "a list of names",
    OUTCOMES: "a list of numbers and of names of signals, or a string",
    NUMBER: "a number",
    CODE: "true, or an exit code",
    SIGNAL: "the name of a signal, or its number",
    MILLISECONDS: "a duration: a string, or a number of milliseconds",
    PROGRAM: "a script, or a list of words",
    PROGRAM_OR_WORDS: "a string, or a list of words",
}
"""What a value of each kind has to be."""


def words_in(value: object, what: str = "a list of names") -> list[bytes]:
    """The words of a list. Raises ValueError if it is none, or if one is no single word."""
    if not isinstance(value, list):
        raise ValueError(f"has to be {what}")
    words = [text_of(word, what) for word in value]
    for word in words:
        if word.split() != [word] or word.startswith(b"#"):
            raise ValueError(f"not one word: {word.decode()!r}")
    return words


def secrets(value: object) -> bytes:
    """The file `secrets`: a name a line."""
    words = words_in(value)
    for word in words:
        if b"=" in word:
            raise ValueError(f"= in the name of a variable: {word.decode()}")
    return b"".join(word + b"\n" for word in words)


def env_file(name: str, value: object) -> bytes:
    """The file of a variable in `env/`, as envdir reads it: an empty one removes the variable."""
    if not name or name.startswith(".") or {"=", "/", "\0"}.intersection(name) or len(name.encode()) > 255:
        raise ValueError("cannot be the name of a variable in env/")
    if value is False:
        return b""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = text_of(value, "a string, a number, or false to remove the variable")
    if text.endswith((b" ", b"\t")):
        raise ValueError("ends in white space, which a file in env/ cannot say")
    return text.replace(b"\n", b"\0") + b"\n"


def limits(value: object) -> list[bytes]:
    """The words of softlimit for a table of limits. Raises ValueError; the keys are known."""
    if not isinstance(value, dict):
        raise ValueError("has to be a table")
    return [
        word for name in LIMIT_LETTERS if name in value for word in (b"-" + LIMIT_LETTERS[name], limit(value[name]))
    ]


def limit(value: object) -> bytes:
    """One limit as softlimit takes it."""
    if value != "=" and not is_number(value):
        raise ValueError('has to be a number, or "=" for the hard limit')
    return str(value).encode()


def account(value: object) -> bytes:
    """The name of an account."""
    name = text_of(value, "the name of an account")
    if name.split() != [name] or name.startswith(b"-"):
        raise ValueError("not the name of an account")
    return name


def mask(value: object) -> bytes:
    """What `umask` takes."""
    text = text_of(value, 'a string of octal digits, as in "027"')
    if not 1 <= len(text) <= 4 or text.strip(b"01234567") or int(text, 8) > 0o777:
        raise ValueError('not octal digits, as in "027"')
    return text


def path(value: object) -> bytes:
    """A working directory, as `cd` takes it."""
    text = text_of(value, "the path of a directory")
    if not text:
        raise ValueError("empty")
    return text if text.startswith((b"/", b"./", b"../")) or text in (b".", b"..") else b"./" + text


FILES: "dict[str, Callable[[object], bytes | None]]" = {"down": flag, "secrets": secrets, "fold": flag}
"""Files that are neither programs nor settings."""
