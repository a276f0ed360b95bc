"""The line of each key of a TOML text, which tomllib does not tell.

The scanner takes the text for well formed: tomllib has read it before. So it only looks for where keys, strings, arrays
and inline tables end. What a key means, quotes and escapes, tomllib says.
"""

import tomllib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Path = tuple[str, ...]

BLANK = " \t\r\n"
QUOTES = "\"'"


def line_numbers(text: str) -> "dict[Path, int]":
    """The line of each key and of each table, the first line of all being 1.

    A key is the path to it: `("web", "env", "TZ")`. A key that is said more than once has its first line. Keys in
    tables that are values of an array are left out: they have no path.
    """
    scanner = _Scanner(text)
    scanner.read_document()
    return scanner.found


def line_of(path: "Sequence[str]", lines: "dict[Path, int]") -> int:
    """The line of a key, or else of the nearest table around it that has one; 1 for none."""
    for length in range(len(path), 0, -1):
        if line := lines.get(tuple(path[:length])):
            return line
    return 1


class _Scanner:
    """A place in a text, and what was found before it."""

    __slots__ = ("_at", "_counted", "_line", "_text", "found")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1
        self.found: dict[Path, int] = {}

    def read_document(self) -> None:
        """Read all of it."""
        table: Path = ()
        while self._skip_blank():
            if self._text[self._at] != "[":
                self._read_pair(table, True)
                continue
            is_array = self._text.startswith("[[", self._at)
            self._at += 1 + is_array
            table = self._read_key((), True)
            self._at += 1 + is_array

    def _skip_blank(self, others: str = "") -> bool:
        """Go past white space, comments and these other characters; False at the end of the text."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                self._at = self._after("\n")
            elif self._text[self._at] in BLANK or self._text[self._at] in others:
                self._at += 1
            else:
                return True
        return False

    def _after(self, end: str) -> int:
        """The place behind the next `end`, or the end of the text."""
        found = self._text.find(end, self._at)
        return len(self._text) if found < 0 else found + len(end)

    def _read_key(self, table: "Path", is_named: bool) -> "Path":
        """The path of the key that begins here, dotted or not. Its end is before `=` or `]`."""
        start = self._at
        while self._text[self._at] not in "=]":
            if self._text[self._at] in QUOTES:
                self._skip_string()
            else:
                self._at += 1
        value = tomllib.loads(self._text[start : self._at] + "=0")
        path = table
        self._line += self._text.count("\n", self._counted, start)
        self._counted = start
        while isinstance(value, dict):
            ((name, value),) = value.items()
            path = (*path, name)
            if is_named:
                self.found.setdefault(path, self._line)
        return path

    def _read_pair(self, table: "Path", is_named: bool) -> None:
        path = self._read_key(table, is_named)
        self._at += 1
        self._skip_value(path, is_named)

    def _skip_value(self, path: "Path", is_named: bool) -> None:
        """Go past a value; keys of an inline table are found."""
        self._skip_blank()
        first = self._text[self._at]
        if first in QUOTES:
            self._skip_string()
        elif first in "[{":
            self._at += 1
            while self._skip_blank(",") and self._text[self._at] not in "]}":
                if first == "[":
                    self._skip_value((), False)
                else:
                    self._read_pair(path, is_named)
            self._at += 1
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._at += 1

    def _skip_string(self) -> None:
        """Go past a string of any of the four kinds."""
        quote = self._text[self._at]
        is_long = self._text.startswith(quote * 3, self._at)
        end = quote * 3 if is_long else quote
        self._at += len(end)
        while not self._text.startswith(end, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(end)
        for _ in range(2 if is_long else 0):  # a long string may end in quotes of its own
            self._at += self._text.startswith(quote, self._at)
