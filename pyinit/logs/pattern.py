"""djb's star patterns, and the lines that a run of `+` and `-` actions selects. Pure.

In a pattern every byte stands for itself but `*`: at the end it matches the rest of the line; before a byte c it
skips to the first c at or after the place reached, without ever coming back for a later one (`match.c` of daemontools
0.76). So what is left of a pattern after some text is again a pattern: `advance` computes it. That settles the label in
front of each line of a block once for the block, and the block is then searched as it came, unstamped.

Nothing backtracks, so the regular expression of a pattern (`[^c]*` possessive for a star before c) matches exactly what
`advance` accepts; the tests prove it. `re` is imported when the first block of more than one line is to be selected.
"""

from pyinit.logs.lines import WINDOW, long_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from re import Pattern

    from pyinit.logs.script import Rule

IN_LABELS = b"@0123456789abcdef"
KEPT_PROGRAMS = 64
LAST_STEP = 4096


def advance(pattern: bytes, text: bytes) -> bytes | None:
    """What is left of the pattern when text has been consumed; None when no continuation can match."""
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
    """The regular expression (MULTILINE) that matches, from a line's beginning to its end, what the pattern does.

    None if that is nothing: lines have no newline in them.
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
    """What the `+` and `-` actions before a place in a script select.

    The last rule that matches decides; with none the line is selected.
    """

    __slots__ = ("_is_label_free", "_programs", "_rules")

    def __init__(self, rules: "Sequence[Rule]") -> None:
        self._rules = tuple(rules)
        self._programs: dict[tuple[bytes | None, ...], Program] = {}
        self._is_label_free = all(_skips_labels(rule.pattern) for rule in rules)

    def selects(self, line: bytes, label: bytes) -> bool:
        """Whether the line, given without its newline, is selected: by its first 1000 bytes, label included."""
        window = (label + line)[:WINDOW]
        for rule in reversed(self._rules):
            if matches(rule.pattern, window):
                return rule.selects
        return True

    def lines(self, text: bytes, label: bytes) -> bytes:
        """Those of the whole lines `text` that are selected; each is to be thought of with the label in front."""
        if text.find(b"\n") == len(text) - 1:
            return text if self.selects(text[:-1], label) else b""
        return self._program(label).lines(text, WINDOW - len(label))

    def last(self, text: bytes, label: bytes) -> bytes:
        """The last line of text that is selected, or nothing: searched from the end, in growing steps."""
        stop, step = len(text), LAST_STEP
        if not self._program(label).can_select(text):
            return b""
        while stop > 0:
            start = text.rfind(b"\n", 0, max(stop - step, 0)) + 1
            chosen = self.lines(text[start:stop], label)
            if chosen:
                return chosen[chosen.rfind(b"\n", 0, -1) + 1 :]
            stop, step = start, step * 4
        return b""

    def _program(self, label: bytes) -> "Program":
        """The compiled form for lines with this label; hardly any pattern depends on what the time is."""
        key: tuple[bytes | None, ...] = (b"",) if self._is_label_free else self._rest(label)
        program = self._programs.get(key)
        if not program:
            if len(self._programs) == KEPT_PROGRAMS:
                self._programs.clear()
            program = self._programs[key] = Program(self._rules, self._rest(label))
        return program

    def _rest(self, label: bytes) -> tuple[bytes | None, ...]:
        return tuple(advance(rule.pattern, label) for rule in self._rules)


def _skips_labels(pattern: bytes) -> bool:
    """Whether the pattern goes through every label alike: it begins with a star that stops at none of its digits."""
    return pattern == b"*" or (pattern[:1] == b"*" and pattern[1] not in IN_LABELS)


class Program:
    """Rules as one regular expression: of the exceptions from what happens to a line that matches none of it."""

    __slots__ = ("_default", "_match", "_needed", "_search")

    def __init__(self, rules: "Sequence[Rule]", patterns: "Sequence[bytes | None]") -> None:
        """`patterns` are what the label left of those of the rules."""
        self._default = True
        exceptions: bytes | None = None
        needed: set[int] | None = None
        for rule, pattern in zip(rules, patterns, strict=True):
            if pattern == b"*":
                self._default, exceptions, needed = rule.selects, None, None
                continue
            this = None if pattern is None else expression(pattern)
            if pattern is None or this is None:
                continue
            if rule.selects != self._default:
                needed = set(pattern) if needed is None else needed & set(pattern)
                exceptions = this if exceptions is None else b"(?:%b|%b)" % (this, exceptions)
            elif exceptions is not None:
                exceptions = b"(?:(?!%b)%b)" % (this, exceptions)
        self._needed = bytes(needed or ()).replace(b"*", b"")
        """Bytes that every exception has. To see that one is missing costs nearly nothing: memchr."""
        self._match: Pattern[bytes] | None = None
        if exceptions is not None:
            import re

            self._match = re.compile(exceptions, re.MULTILINE)
            self._search = re.compile(b"\\n" + exceptions, re.MULTILINE)

    def has_exceptions(self, text: bytes) -> bool:
        """Whether any of the lines of text can be an exception; True where that is not known without matching."""
        return self._match is not None and all(byte in text for byte in self._needed)

    def can_select(self, text: bytes) -> bool:
        """Whether any of the lines of text can be selected."""
        return self._default or self.has_exceptions(text)

    def lines(self, text: bytes, window: int) -> bytes:
        """The selected lines of text; only the first `window` bytes of a line are looked at."""
        if self._match is None or not self.has_exceptions(text):
            return text if self._default else b""
        parts = []
        start = 0
        while start < len(text):
            stop = long_line(text, start, window)
            if stop < 0:
                stop = len(text)
            if start < stop:
                parts.append(self._short(text[start:stop]))
            start = stop
            if stop < len(text):
                start = text.index(b"\n", stop + window) + 1
                if (self._match.match(text, stop, stop + window) is None) == self._default:
                    parts.append(text[stop:start])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _short(self, text: bytes) -> bytes:
        """The same for lines that are no longer than the window. Lines begin, here, with their newline.

        That is what lets the search jump from one newline to the next, or from one candidate to the next.
        """
        text = b"\n" + text[:-1]
        found = self._search.sub(b"", text) if self._default else b"".join(self._search.findall(text))
        return found[1:] + b"\n" if found else b""
