"""djb's star patterns, and the lines that a run of `+` and `-` actions selects. Pure.

In a pattern every byte stands for itself but `*`: at the end it matches the rest of the line; before a byte c it
skips to the first c at or after the place reached, without ever coming back for a later one (`match.c` of daemontools
0.76). So what is left of a pattern after some text is again a pattern: `advance` computes it. That settles the label in
front of each line of a block once for the block, and the block is then searched as it came, unstamped.

Nothing backtracks, so the regular expression of a pattern (`[^c]*` possessive for a star before c) matches exactly what
`advance` accepts; the tests prove it. `re` is imported where more than one line has to be looked at.
"""

from pyinit.logs.multilog.lines import WINDOW, long_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from re import Pattern

    from pyinit.logs.multilog.script import Rule

IN_LABELS = b"@0123456789abcdef"
KEPT_PROGRAMS = 64

HOPS = 8
LONG = 512
"""Lines of so many bytes, HOPS of them together, are gone through one by one sooner than searched."""


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

    def lines(self, text: bytes, start: int, stop: int, label: bytes) -> bytes:
        """Those of the whole lines text[start:stop] that are selected; think of each with the label in front.

        Where `start` is not 0, the byte before it is a newline.
        """
        if text.find(b"\n", start) == stop - 1:
            line = text[start:stop]
            return line if self.selects(line[:-1], label) else b""
        return self._program(label).lines(text, start, stop, WINDOW - len(label))

    def last(self, text: bytes, start: int, stop: int, label: bytes) -> bytes:
        """The last line that is selected, or nothing: searched from the end, a line first, then in growing steps."""
        if text.find(b"\n", start) < stop - 1:
            stop = self._program(label).last_stop(text, start, stop)
        step = 1
        while stop > start:
            begin = text.rfind(b"\n", start, max(stop - step, start)) + 1 or start
            chosen = self.lines(text, begin, stop, label)
            if chosen:
                return chosen[chosen.rfind(b"\n", 0, -1) + 1 :]
            stop, step = begin, step * 64
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


def needle(pattern: bytes) -> bytes:
    """The longest text without a space that is in every line that the pattern matches, or b"".

    The newline before the line counts, where the line's beginning is known. Without spaces, because a search skips
    as many bytes as it looks for when it meets one that is not among them, and most text is full of spaces.
    """
    first, *others = pattern.replace(b"*", b" ").split(b" ")
    return max([b"\n" + first if first else b"", *others], key=len)


def last_beginning(word: bytes, text: bytes, start: int, stop: int) -> int:
    """Where the last of the whole lines text[start:stop] that begins with the word does so; -1 for none.

    Goes from newline to newline, which is memchr's work, for as long as lines are long.
    """
    is_long = True
    while is_long:
        far = stop - HOPS * LONG
        for _ in range(HOPS):
            stop = text.rfind(b"\n", start, stop - 1) + 1 or start
            if text.startswith(word, stop):
                return stop
            if stop == start:
                return -1
        is_long = stop <= far
    found = text.rfind(b"\n" + word, start, stop)
    if found < 0 and text.startswith(word, start):  # no newline is before it
        return start
    return found + 1 or -1


class Program:
    """Rules as one regular expression: of the exceptions from what happens to a line that matches none of it."""

    __slots__ = ("_default", "_exceptions", "_is_open", "_match", "_needed", "_needle", "_search")

    def __init__(self, rules: "Sequence[Rule]", patterns: "Sequence[bytes | None]") -> None:
        """`patterns` are what the label left of those of the rules."""
        self._default, self._is_open = True, False
        exceptions: bytes | None = None
        needed: set[int] = set()
        self._needle = b""
        """What is in every exception, the newline before it included."""
        for rule, pattern in zip(rules, patterns, strict=True):
            if pattern == b"*":
                self._default, exceptions, self._is_open = rule.selects, None, not rule.selects
                continue
            this = None if pattern is None else expression(pattern)
            if pattern is None or this is None:
                continue
            if rule.selects != self._default:
                needed = set(pattern) if exceptions is None else needed & set(pattern)
                self._needle = needle(pattern) if exceptions is None else b""
                exceptions = this if exceptions is None else b"(?:%b|%b)" % (this, exceptions)
                self._is_open = self._is_open and pattern.endswith(b"*")
            elif exceptions is not None:
                exceptions = b"(?:(?!%b)%b)" % (this, exceptions)
                self._is_open = False
        self._needed = bytes(needed).replace(b"*", b"")
        """Bytes that every exception has. To see that one is missing costs nearly nothing: memchr."""
        self._exceptions = exceptions
        self._match: Pattern[bytes] | None = None

    def last_stop(self, text: bytes, start: int, stop: int) -> int:
        """Where the last line of text[start:stop] ends that may be selected; `start` if none may."""
        return stop if self._default else self._last_exception(text, start, stop)

    def lines(self, text: bytes, start: int, stop: int, window: int) -> bytes:
        """The selected lines of text[start:stop]; only the first `window` bytes of a line are looked at."""
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
        """Where the last line of text[start:stop] ends that may be an exception; `start` if none may be."""
        if self._exceptions is None or any(byte not in text for byte in self._needed):
            return start
        if self._needle[:1] == b"\n":
            begin = last_beginning(self._needle[1:], text, start, stop)
        elif self._needle:
            begin = text.rfind(self._needle, start, stop)
        else:
            return stop
        return start if begin < 0 else text.find(b"\n", begin, stop) + 1

    def _compile(self) -> "Pattern[bytes]":
        """Only where there is more than one line to look at: loading `re` takes as long as searching megabytes."""
        import re

        exceptions = self._exceptions or b""
        self._search = re.compile(b"\n" + exceptions, re.MULTILINE)
        self._match = re.compile(exceptions, re.MULTILINE)
        return self._match

    def _find(self, match: "Pattern[bytes]", text: bytes, start: int, stop: int) -> list[bytes]:
        """The exceptions, each with the newline before it: so the search jumps from one candidate to the next.

        Whole lines are looked at. For open programs that finds all: if the beginning of a line matches, the line does.
        """
        found = []
        if start == 0:
            start = text.index(b"\n") + 1
            if match.match(text, 0, start - 1):
                found.append(b"\n" + text[: start - 1])
        return found + self._search.findall(text, start - 1, stop - 1)

    def _one_by_one(self, match: "Pattern[bytes]", text: bytes, window: int) -> bytes:
        """Where lines are longer than what may be looked at."""
        lines = text.split(b"\n")[:-1]
        return b"".join([line + b"\n" for line in lines if (match.match(line, 0, window) is None) == self._default])
