"""djb's star patterns, and the lines that a run of `+` and `-` actions selects. Pure.

In a pattern every byte but `*` stands for itself. A `*` at the end matches the rest of the line. A `*` before a byte c
skips to the next c, and never comes back for a later one (daemontools 0.76 `match.c`).
So the rest of a pattern after some text is again a pattern: `advance` computes it. A block carries one label, so its
label is matched once, and the block is then searched as it came, unstamped.

Nothing backtracks, so a regular expression (a possessive `[^c]*` for a star before c) matches exactly the lines that
`advance` accepts. The tests prove it. `re` is imported only to search more than one line.
"""

from pyinit.logs.multilog.lines import WINDOW, long_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from re import Pattern

    from pyinit.logs.multilog.script import Rule

IN_LABELS = b"@0123456789abcdef"


def advance(pattern: bytes, text: bytes) -> bytes | None:
    """The rest of the pattern after the text is consumed; None if no continuation can match."""
    at = 0
    while True:
        star = pattern.find(b"*")
        literal = pattern if star < 0 else pattern[:star]
        here = text[at : at + len(literal)]
        if not literal.startswith(here):
            return None
        if len(here) < len(literal):
            return pattern[len(here) :]
        at += len(literal)
        if star < 0:
            return b"" if at == len(text) else None
        pattern = pattern[star:]
        if pattern == b"*":
            return b"*"
        at = text.find(pattern[1:2], at)
        if at < 0:
            return pattern
        pattern = pattern[1:]


def matches(pattern: bytes, line: bytes) -> bool:
    """Whether the pattern matches the whole line, which has no newline and at most 1000 bytes."""
    return advance(pattern, line) in (b"", b"*")


def expression(pattern: bytes) -> bytes | None:
    """The regular expression (MULTILINE) that matches the same whole lines as the pattern.

    None if the pattern matches no line: lines have no newline in them.
    """
    if b"\n" in pattern:
        return None
    parts = []
    for index in range(len(pattern)):
        byte = pattern[index]
        if byte != 42:
            parts.append(b"\\x%02x" % byte)
        elif index + 1 == len(pattern):
            parts.append(b".*")
        else:
            parts.append(b"[^\\x%02x\\n]*+" % pattern[index + 1])
            if pattern[index + 1] == 42:  # the star found is not consumed: the next one in the pattern starts at it
                parts.append(b"(?=\\*)")
    return b"".join(parts) + b"$"


class Selection:
    """The lines that the `+` and `-` actions before a place in a script select.

    The last rule that matches decides; if none does, the line is selected.
    """

    __slots__ = ("_is_label_free", "_key", "_program", "_rules")

    def __init__(self, rules: "Sequence[Rule]") -> None:
        self._rules = tuple(rules)
        self._key: tuple[bytes | None, ...] | None = None
        """What the label left of each pattern, for `_program`."""
        self._program: Program
        self._is_label_free = all(_skips_labels(rule.pattern) for rule in rules)

    def selects(self, line: bytes, label: bytes) -> bool:
        """Whether the line, given without its newline, is selected: by its first 1000 bytes, label included."""
        window = (label + line)[:WINDOW]
        for rule in reversed(self._rules):
            if matches(rule.pattern, window):
                return rule.selects
        return True

    def lines(self, text: bytes, start: int, stop: int, label: bytes) -> bytes:
        """The selected ones of the whole lines text[start:stop], matched as if the label were in front of each.

        If `start` is not 0, the byte before it is a newline.
        """
        if text.find(b"\n", start) == stop - 1:
            line = text[start:stop]
            return line if self.selects(line[:-1], label) else b""
        return self._program_for(label).lines(text, start, stop, WINDOW - len(label))

    def last(self, text: bytes, start: int, stop: int, label: bytes) -> bytes:
        """The last selected line, or nothing. Searches from the end: one line first, then in growing steps."""
        if text.find(b"\n", start) < stop - 1:
            stop = self._program_for(label).last_stop(text, start, stop)
        step = 1
        while stop > start:
            begin = text.rfind(b"\n", start, max(stop - step, start)) + 1 or start
            chosen = self.lines(text, begin, stop, label)
            if chosen:
                return chosen[chosen.rfind(b"\n", 0, -1) + 1 :]
            stop, step = begin, step * 64
        return b""

    def _program_for(self, label: bytes) -> "Program":
        """The compiled form for lines with this label. The last one is kept: hardly any pattern depends on the time."""
        key: tuple[bytes | None, ...] = (b"",) if self._is_label_free else self._rest(label)
        if key != self._key:
            self._key, self._program = key, Program(self._rules, self._rest(label))
        return self._program

    def _rest(self, label: bytes) -> tuple[bytes | None, ...]:
        return tuple(advance(rule.pattern, label) for rule in self._rules)


def _skips_labels(pattern: bytes) -> bool:
    """Whether the pattern skips every label alike: it begins with a star that stops at no byte of a label."""
    return pattern == b"*" or (pattern[:1] == b"*" and pattern[1] not in IN_LABELS)


def needle(pattern: bytes) -> bytes:
    """The longest text without a space that is in every line that the pattern matches; b"" if there is none.

    It counts the newline before the line if the pattern begins with text. A search for it can skip its whole length on
    a byte that it does not contain. Spaces are in most lines and would stop the search.
    """
    first, *others = pattern.replace(b"*", b" ").split(b" ")
    return max([b"\n" + first if first else b"", *others], key=len)


class Program:
    """Rules as one regular expression. It matches the exceptions; every other line has the default fate."""

    __slots__ = ("_default", "_exceptions", "_is_open", "_match", "_needle", "_search")

    def __init__(self, rules: "Sequence[Rule]", patterns: "Sequence[bytes | None]") -> None:
        """`patterns`: the rest of each rule's pattern after the label."""
        self._default, self._is_open = True, False
        exceptions: bytes | None = None
        self._needle = b""
        """In every exception, the newline before it included; b"" if unknown."""
        for rule, pattern in zip(rules, patterns, strict=True):
            if pattern == b"*":
                self._default, exceptions, self._is_open = rule.selects, None, not rule.selects
                continue
            this = None if pattern is None else expression(pattern)
            if pattern is None or this is None:
                continue
            if rule.selects != self._default:
                self._needle = needle(pattern) if exceptions is None else b""
                exceptions = this if exceptions is None else b"(?:%b|%b)" % (this, exceptions)
                self._is_open = self._is_open and pattern.endswith(b"*")
            elif exceptions is not None:
                exceptions = b"(?:(?!%b)%b)" % (this, exceptions)
                self._is_open = False
        self._exceptions = exceptions
        self._match: Pattern[bytes] | None = None

    def last_stop(self, text: bytes, start: int, stop: int) -> int:
        """The end of the last line of text[start:stop] that may be selected; `start` if none may."""
        return stop if self._default else self._last_exception(text, start, stop)

    def lines(self, text: bytes, start: int, stop: int, window: int) -> bytes:
        """The selected lines of text[start:stop], judged by the first `window` bytes of each."""
        end = self._last_exception(text, start, stop)
        rest = text[end:stop] if self._default else b""
        if end == start:
            return rest
        match = self._match or self._compile()
        if self._is_open:
            found = self._find(match, text, start, end)
            if found and max(map(len, found)) > window + 1:
                return self._one_by_one(match, text[start:end], window)
            return b"".join(found)[1:] + b"\n" if found else b""
        text = text[start:end]
        if long_line(text, 0, window) >= 0:
            return self._one_by_one(match, text, window) + rest
        text = b"\n" + text[:-1]
        kept = self._search.sub(b"", text) if self._default else b"".join(self._search.findall(text))
        return kept[1:] + b"\n" + rest if kept else rest

    def _last_exception(self, text: bytes, start: int, stop: int) -> int:
        """The end of the last line of text[start:stop] that may be an exception; `start` if none may be."""
        if self._exceptions is None:
            return start
        if not self._needle:
            return stop
        found = text.rfind(self._needle, start, stop)
        if found < 0:  # the first line has no newline before it in the searched range
            is_first = self._needle[:1] == b"\n" and text.startswith(self._needle[1:], start, stop)
            return text.find(b"\n", start, stop) + 1 if is_first else start
        return text.find(b"\n", found + 1, stop) + 1

    def _compile(self) -> "Pattern[bytes]":
        """Compile on first use only: loading `re` takes as long as a search of megabytes."""
        import re

        exceptions = self._exceptions or b""
        self._search = re.compile(b"\n" + exceptions, re.MULTILINE)
        self._match = re.compile(exceptions, re.MULTILINE)
        return self._match

    def _find(self, match: "Pattern[bytes]", text: bytes, start: int, stop: int) -> list[bytes]:
        """The exceptions, each with the newline before it: so the search jumps from one candidate to the next.

        It looks at whole lines. That finds all of an open program: if the beginning of a line matches, the line does.
        """
        found = []
        if start == 0:
            start = text.index(b"\n") + 1
            if match.match(text, 0, start - 1):
                found.append(b"\n" + text[: start - 1])
        return found + self._search.findall(text, start - 1, stop - 1)

    def _one_by_one(self, match: "Pattern[bytes]", text: bytes, window: int) -> bytes:
        """The selected lines, if some are longer than the window."""
        lines = text.split(b"\n")[:-1]
        return b"".join([line + b"\n" for line in lines if (match.match(line, 0, window) is None) == self._default])
