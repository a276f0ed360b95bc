"""Directories of services -> the tables of a services.toml, and what of them it cannot say.

Each value is turned back into a file at once and held against the one that is there. So what `unpack` makes of the
tables is the same, byte for byte, or else it is told.
"""

import posix
from _stat import S_IMODE, S_ISDIR, S_ISREG

from pyinit.convert import keys
from pyinit.convert.planting import FILE_MODE, PROGRAM_MODE
from pyinit.convert.run_text import SHELL, program_of_script, words_of
from pyinit.convert.tables import files_of, is_script
from pyinit.convert.toml_text import toml_text
from pyinit.report import die, reason, warn
from pyinit.services.definition.definition import (
    CODE,
    MILLISECONDS,
    NAMES,
    NUMBER,
    PROGRAM,
    PROGRAM_OR_WORDS,
    SETTINGS,
)
from pyinit.system.environment import value
from pyinit.system.files import read_bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Table = dict[str, object]

PROG = b"pyinit"
LONGEST_PROGRAM = 4 << 20
"""Bytes of a program that is worth reading."""

STATE = b"supervise"
"""A directory of supervise's own, which is left out without a word."""


class Gathered:
    """The tables, by name, and the notes: (path of a file, what becomes of it). `has_lost`: one is left out."""

    __slots__ = ("has_lost", "notes", "tables")

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.notes: list[tuple[bytes, bytes]] = []
        self.has_lost = False

    def note(self, path: bytes, text: str) -> None:
        """Tell of a file that changes."""
        self.notes.append((path, text.encode()))

    def lose(self, path: bytes, why: str) -> None:
        """Tell of a file that is left out."""
        self.has_lost = True
        self.note(path, f"left out: {why}")


def gather(top: bytes) -> Gathered:
    """The services in the directory `top`. Raises OSError if it cannot be listed."""
    gathered = Gathered()
    for name in sorted(posix.listdir(top)):
        path = b"%b/%b" % (top, name)
        if name.startswith(b".") or not _is_folder(path):
            continue
        table = _Folder(path, name, gathered).table()
        try:
            text = name.decode()
        except UnicodeDecodeError:
            gathered.lose(name, "its name is not UTF-8")
            continue
        if "run" not in table:
            gathered.lose(name, "a service needs a run")
            continue
        while "run" in table and (mistakes := files_of(text, table)[1]):
            for mistake in mistakes:
                _drop(table, mistake.path[1:] or ("run",))
                gathered.lose(b"/".join(part.encode() for part in mistake.path), mistake.reason)
        if "run" in table:
            gathered.tables[text] = table
    return gathered


def print_toml(top: bytes) -> int:
    """Print a services.toml of the directory `top`, and say what it changes: 1 if something is left out.

    111, and nothing is printed, where it cannot be read.
    """
    try:
        gathered = gather(top)
        text = toml_text(gathered.tables).encode()
        while text:
            text = text[posix.write(1, text) :]
    except OSError as error:
        die(PROG, b"unable to convert " + top, error)
    for path, what in gathered.notes:
        warn(PROG, b"%b/%b: %b" % (top, path, what))
    return 1 if gathered.has_lost else 0


def _drop(table: "Table", path: "tuple[str, ...]") -> None:
    for key in path[:-1]:
        inner = table.get(key)
        if not isinstance(inner, dict):
            return
        table = inner
    table.pop(path[-1], None)


def _is_folder(path: bytes) -> bool:
    try:
        return S_ISDIR(posix.stat(path).st_mode)
    except OSError:
        return False


class _Folder:
    """One directory while it is read; `shown` is its path in notes."""

    __slots__ = ("_gathered", "_path", "_shown")

    def __init__(self, path: bytes, shown: bytes, gathered: Gathered) -> None:
        self._path = path
        self._shown = shown
        self._gathered = gathered

    def table(self) -> "Table":
        """The table of a service."""
        return self._take("run", "down", "secrets", *SETTINGS, "env", "log")

    def logger(self) -> "Table":
        """The table `log`. Beside a `run` its files `script`, `user` and `fold` mean nothing."""
        has_run = posix.access(self._path + b"/run", posix.F_OK)
        return self._take(*(("run", "down", "secrets", "env") if has_run else keys.LOG_FILES))

    def _take(self, *known: str) -> "Table":
        table: Table = {}
        names = self._names()
        for key in known:
            if key.encode() in names and (found := self._value(key)) is not None:
                table[key] = found
        for name in sorted(names):
            if name not in {key.encode() for key in known} and name != STATE:
                self._gathered.lose(self._name(name), "there is no key for it")
        return table

    def _names(self) -> list[bytes]:
        try:
            return posix.listdir(self._path)
        except OSError as error:
            self._gathered.lose(self._shown, reason(error).decode())
            return []

    def _name(self, name: bytes) -> bytes:
        return b"%b/%b" % (self._shown, name)

    def _value(self, key: str) -> object:
        name = key.encode()
        path = b"%b/%b" % (self._path, name)
        if key in ("env", "log"):
            if not _is_folder(path):
                self._gathered.lose(self._name(name), "not a directory")
                return None
            folder = _Folder(path, self._name(name), self._gathered)
            return folder.environment() if key == "env" else folder.logger()
        found = self._read(name)
        if found is None:
            return None
        content, mode = found
        is_program = key == "run" or SETTINGS.get(key) == PROGRAM
        if SETTINGS.get(key) == PROGRAM_OR_WORDS:
            is_program = bool(mode & 0o111)
        self._compare_mode(name, mode, PROGRAM_MODE if is_program else FILE_MODE)
        return self._best(
            name,
            content,
            _programs(content, key in SETTINGS and SETTINGS[key] != PROGRAM) if is_program else _texts(key, content),
        )

    def environment(self) -> "Table":
        """The table `env`."""
        table: Table = {}
        for name in sorted(self._names()):
            if name.startswith(b"."):
                continue
            if (found := self._read(name)) is None:
                continue
            content, mode = found
            self._compare_mode(name, mode, FILE_MODE)
            text = value(content).decode()
            said: object = text if content else False
            try:
                written = keys.env_file(name.decode(), said)
            except (ValueError, UnicodeDecodeError) as error:
                self._gathered.lose(self._name(name), str(error))
                continue
            table[name.decode()] = said
            self._compare(name, content, written)
        return table

    def _read(self, name: bytes) -> tuple[bytes, int] | None:
        """The content and the mode of a file; None, and that is told, if it has none that a text can say."""
        path = b"%b/%b" % (self._path, name)
        try:
            found = posix.stat(path)
            if not S_ISREG(found.st_mode):
                raise OSError(None, "not a regular file")
            content = read_bounded(path, None, LONGEST_PROGRAM)
            content.decode()
        except OSError as error:
            self._gathered.lose(self._name(name), reason(error).decode())
        except UnicodeDecodeError:
            self._gathered.lose(self._name(name), "not UTF-8")
        else:
            return content, S_IMODE(found.st_mode)
        return None

    def _compare_mode(self, name: bytes, mode: int, expected: int) -> None:
        if mode != expected:
            self._gathered.note(self._name(name), f"its mode {mode:o} becomes {expected:o}")

    def _compare(self, name: bytes, content: bytes, written: bytes) -> None:
        if written == content:
            return
        what = "gets a newline at its end" if written == content + b"\n" else "is written in another way"
        self._gathered.note(self._name(name), what)

    def _best(self, name: bytes, content: bytes, candidates: "Iterator[tuple[object, bytes | None]]") -> object:
        """The first value that gives the same file, else the last that gives any."""
        best: tuple[object, bytes] | None = None
        why = "no value gives it"
        for said, written in candidates:
            if written is None:
                why = str(said)
            elif written == content:
                return said
            else:
                best = said, written
        if best is None:
            self._gathered.lose(self._name(name), why)
            return None
        self._compare(name, content, best[1])
        return best[0]


def _attempt(function: "Callable[[], bytes | None]", said: object) -> tuple[object, bytes | None]:
    """A value and the file that comes of it; for a bad one the reason and None."""
    try:
        return said, function()
    except ValueError as error:
        return str(error), None


def _programs(content: bytes, is_choice: bool) -> "Iterator[tuple[object, bytes | None]]":
    """Values for a program, the shortest first. `is_choice`: some strings would not be taken for a program."""
    if argv := words_of(content):
        yield [word.decode() for word in argv], content
    script = content.removeprefix(SHELL)
    if script != content and not (is_choice and not is_script(script.decode())):
        yield _attempt(lambda: program_of_script(script), script.decode())
    if content.startswith(b"#!"):
        yield content.decode(), content
    else:
        yield "it has no #! line", None


def _texts(key: str, content: bytes) -> "Iterator[tuple[object, bytes | None]]":
    """Values for a file that is no program, the plainest first."""
    text = content.decode()
    words = text.split()
    if key in keys.FILES:
        said: object = True if key != "secrets" else words
        yield _attempt(lambda: keys.FILES[key](said), said)
        return
    pack = _packing(key)
    kind = SETTINGS.get(key)
    if kind == NAMES and words:
        yield _attempt(lambda: pack(words), words)
    if kind == CODE and not content:
        yield True, content
    if kind in (CODE, NUMBER, MILLISECONDS) and len(words) == 1 and words[0].isdecimal() and len(words[0]) < 10:
        number = int(words[0])
        yield _attempt(lambda: pack(number), number)
    line = text.partition("\n")[0]
    yield _attempt(lambda: pack(line), line)
    if kind != PROGRAM_OR_WORDS or not is_script(text):
        yield _attempt(lambda: pack(text), text)


def _packing(key: str) -> "Callable[[object], bytes | None]":
    return (lambda said: keys.setting(key, said)) if key in SETTINGS else keys.lines_of
