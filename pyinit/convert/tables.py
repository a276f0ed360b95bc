"""The table of one service -> the files of its directory, or what is wrong with it."""

from difflib import get_close_matches

from pyinit.convert import keys
from pyinit.convert.readers import contradictions, why_bad
from pyinit.convert.run_text import Change, program_of_script, program_of_words, shell_word
from pyinit.services.definition.definition import PROGRAM, PROGRAM_OR_WORDS, SETTINGS
from pyinit.services.definition.words import LONGEST_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Table = dict[str, object]
    Path = tuple[str, ...]


class Files:
    """The files of a directory by their path in it. `programs`: the paths of those that are executable.

    `folders` are directories, in the order in which they are made.
    """

    __slots__ = ("contents", "folders", "programs")

    def __init__(self) -> None:
        self.contents: dict[bytes, bytes] = {}
        self.folders: list[bytes] = []
        self.programs: set[bytes] = set()


class Mistake(Exception):
    """What is wrong: `path` is the service, its key and what is below, `reason` why."""

    def __init__(self, path: "Path", reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


def files_of(name: str, table: object) -> "tuple[Files, list[Mistake]]":
    """The files of a service, and all mistakes in its table. With a mistake the files mean nothing."""
    reading = _Reading(name)
    try:
        if not is_name(name):
            raise ValueError("cannot be the name of a service")
        reading.read(_table(table), (name,), b"", keys.KEYS)
        if not reading.mistakes:
            reading.compare()
    except ValueError as error:
        reading.mistakes.append(Mistake((name,), str(error)))
    return reading.files, reading.mistakes


def is_name(name: str) -> bool:
    """Whether a directory of a service can have this name."""
    is_file = name and "/" not in name and "\0" not in name and len(name.encode()) <= LONGEST_NAME
    return bool(is_file) and not name.startswith(".")


def _table(value: object) -> "Table":
    if not isinstance(value, dict):
        raise ValueError("has to be a table")
    return value


def nearest(name: str, known: "Collection[str]") -> str:
    """What a message says behind the name of an unknown key."""
    near = get_close_matches(name, sorted(known), 1)
    return f"unknown key: is {near[0]} meant?" if near else "unknown key"


class _Reading:
    """One service while its table is read."""

    __slots__ = ("_name", "files", "mistakes")

    def __init__(self, name: str) -> None:
        self._name = name
        self.files = Files()
        self.mistakes: list[Mistake] = []

    def read(self, table: "Table", path: "Path", folder: bytes, known: "Collection[str]") -> None:
        """The table of a service, or of its logger: `folder` is empty or `log/`."""
        for key in table:
            if key not in known:
                self._mistake((*path, key), nearest(key, known))
        if "run" not in table:
            self._mistake(path, "has no run")
        change = self._change(table, path)
        for key, value in table.items():
            try:
                self._take(key, value, path, folder, change)
            except ValueError as error:
                self._mistake((*path, key), str(error))

    def _take(self, key: str, value: object, path: "Path", folder: bytes, change: Change) -> None:
        if key == "run":
            self._program(folder + b"run", value, change)
        elif key in keys.FILES:
            self._file(folder + key.encode(), keys.FILES[key](value))
        elif key == "env":
            self._environment(_table(value), (*path, key), folder)
        elif key == "log" and not folder:
            self._log(_table(value), (*path, key))
        elif key in SETTINGS and not folder:
            self._setting(key, value)

    def _mistake(self, path: "Path", reason: str) -> None:
        self.mistakes.append(Mistake(path, reason))

    def _file(self, name: bytes, content: bytes | None) -> None:
        if content is not None:
            self.files.contents[name] = content

    def _program(self, name: bytes, value: object, change: Change | None = None) -> None:
        if isinstance(value, list):
            content = program_of_words([keys.text_of(word, "a list of strings") for word in value], change)
        else:
            content = program_of_script(keys.text_of(value, "a script, or a list of words"), change)
        self.files.contents[name] = content
        self.files.programs.add(name)

    def _change(self, table: "Mapping[str, object]", path: "Path") -> Change:
        """What `umask`, `dir`, `user` and `limits` put before `run`."""
        change = Change()
        for key in ("umask", "dir", "user", "limits"):
            if key not in table:
                continue
            value = table[key]
            try:
                if key == "umask":
                    change.lines.append(b"umask %b\n" % keys.mask(value))
                elif key == "dir":
                    change.lines.append(b"cd %b || exit 111\n" % shell_word(keys.path(value)))
                elif key == "user":
                    change.chain += [b"setuidgid", keys.account(value)]
                elif words := self._limits(value, (*path, key)):
                    change.chain += [b"softlimit", *words]
            except ValueError as error:
                self._mistake((*path, key), str(error))
        return change

    def _limits(self, value: object, path: "Path") -> list[bytes]:
        good = {}
        for name, number in _table(value).items():
            try:
                keys.limit(number)
                good[name] = number
                if name not in keys.LIMIT_LETTERS:
                    raise ValueError(nearest(name, keys.LIMIT_LETTERS))
            except ValueError as error:
                self._mistake((*path, name), str(error))
        return keys.limits(good)

    def _environment(self, table: "Table", path: "Path", folder: bytes) -> None:
        self.files.folders.append(folder + b"env")
        for name, value in table.items():
            try:
                self._file(b"%benv/%b" % (folder, name.encode()), keys.env_file(name, value))
            except ValueError as error:
                self._mistake((*path, name), str(error))

    def _log(self, table: "Table", path: "Path") -> None:
        self.files.folders.append(b"log")
        if "run" in table:
            for key in ("script", "fold"):
                if key in table:
                    self._mistake((*path, key), "means nothing beside run")
            self.read({key: table[key] for key in table if key not in ("script", "fold")}, path, b"log/", keys.LOG_KEYS)
            return
        for key, value in table.items():
            try:
                if key not in keys.LOG_KEYS:
                    raise ValueError(nearest(key, keys.LOG_KEYS))
                if key not in keys.LOG_FILES:
                    raise ValueError("only beside run")
                content = keys.flag(value) if key == "fold" else _one_line(value)
                self._file(b"log/" + key.encode(), content)
            except ValueError as error:
                self._mistake((*path, key), str(error))

    def _setting(self, key: str, value: object) -> None:
        kind, name = SETTINGS[key], key.encode()
        is_program = isinstance(value, list) or (isinstance(value, str) and is_script(value))
        if kind == PROGRAM or (kind == PROGRAM_OR_WORDS and is_program):
            self._program(name, value)
            return
        content = keys.setting(key, value)
        if content is not None and (why := why_bad(key, content)):
            raise ValueError(why + (keys.NO_PROGRAM if kind == PROGRAM_OR_WORDS else ""))
        self._file(name, content)

    def compare(self) -> None:
        """What is wrong with files that are good by themselves, beside each other."""
        for key, reason in contradictions(self.files.contents, self.files.programs):
            self._mistake((self._name, key), reason)


def is_script(text: str) -> bool:
    """Whether a string where text and a program are allowed is a program: it has a `#!`, or more than one line."""
    return text.startswith("#!") or "\n" in text.removesuffix("\n")


def _one_line(value: object) -> bytes:
    text = keys.lines_of(value)
    if text.count(b"\n") > 1:
        raise ValueError("has to be one line")
    return text
