"""A shell script as a list of its commands.

This is no shell. Words are split as a shell splits them (POSIX, Shell Command Language, 2.3). Nothing is expanded:
quotes and expansions stay in the words as they are written.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OPENING = frozenset((b"if", b"then", b"elif", b"else", b"while", b"until", b"do", b"!", b"{", b"time"))
"""Reserved words that a command may follow."""

CONTINUED = (b"&&", b"||", b"|")
"""Operators behind which a newline ends nothing."""

DEEPEST = 50
"""How many quotes and parentheses are followed into each other; nobody writes so many."""

EXPANDED = (b"$", b"`", b"*", b"?", b"[", b"~", b"{", b"\\")
"""Bytes with which the shell may make another word of a word."""


class ShellCommand:
    """A command: its words as they are written, and what stands before and behind it: `;`, `&&`, a newline."""

    __slots__ = ("after", "before", "words")

    def __init__(self, words: list[bytes], before: bytes, after: bytes) -> None:
        self.words = words
        self.before = before
        self.after = after

    @property
    def core(self) -> list[bytes]:
        """The words without reserved words, assignments and redirections."""
        words = list(self.words)
        while words and (words[0] in OPENING or _is_assignment(words[0])):
            del words[0]
        core = []
        is_target = False
        for word in words:
            if is_target:
                is_target = False
            elif _is_redirection(word):
                is_target = word[-1:] in (b"<", b">", b"|")
            else:
                core.append(word)
        return core

    @property
    def becomes(self) -> bool:
        """Whether it is `exec` with a program."""
        core = self.core
        return core[:1] == [b"exec"] and len(core) > 1


def _is_assignment(word: bytes) -> bool:
    name, is_set, _ = word.partition(b"=")
    return bool(is_set) and name.replace(b"_", b"a").isalnum()


def _is_redirection(word: bytes) -> bool:
    operator = word.lstrip(b"0123456789&")
    return operator[:1] in (b"<", b">") and operator[:2] not in (b"<(", b">(")


def literal(word: bytes) -> bytes | None:
    """The word without its quotes; None where the shell might make another one of it."""
    quote = word[:1] if len(word) > 1 and word[:1] in (b"'", b'"') and word[-1:] == word[:1] else b""
    if quote:
        word = word[1:-1]
    if b"'" in word or b'"' in word or (quote != b"'" and any(sign in word for sign in EXPANDED)):
        return None
    return word


def split_script(text: bytes) -> list[ShellCommand]:
    """The commands of a script, in order."""
    return list(_Splitter(text).commands())


class _Splitter:
    """Splits a script. `_documents`: the ends of the here-documents that begin behind this line."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._documents: list[bytes] = []

    def commands(self) -> "Iterator[ShellCommand]":
        """Each command that has words."""
        words: list[bytes] = []
        before = b"\n"
        while self._at < len(self._text):
            if operator := self._operator():
                if words:
                    yield ShellCommand(words, before, operator)
                    words = []
                    before = operator
                elif operator != b"\n" or before not in CONTINUED:
                    before = operator
                if operator == b"\n":
                    self._skip_documents()
            elif not self._skip_blank():
                words.append(self._word())
        if words:
            yield ShellCommand(words, before, b"\n")

    def _operator(self) -> bytes:
        pair = self._text[self._at : self._at + 2]
        if pair not in (b"&&", b"||", b";;"):
            pair = pair[:1] if pair[:1] in (b"\n", b";", b"|", b"(", b")") or (pair[:1] == b"&" != pair[1:]) else b""
            pair = b"" if self._text.startswith(b"&>", self._at) else pair
        self._at += len(pair)
        return pair

    def _skip_blank(self) -> bool:
        """Go over white space, a newline that is continued, or a comment; whether there was one."""
        start = self._at
        if self._text.startswith(b"\\\n", start):
            self._at += 2
        elif self._text[start] in b" \t\r":
            self._at += 1
        elif self._text.startswith(b"#", start):
            self._at = self._find(b"\n", start)
        return self._at > start

    def _find(self, what: bytes, start: int) -> int:
        found = self._text.find(what, start)
        return len(self._text) if found < 0 else found

    def _word(self) -> bytes:
        """The word that begins here. Notes the end of a here-document that it asks for."""
        text, start = self._text, self._at
        while self._at < len(text):
            here, so_far = text[self._at : self._at + 1], text[start : self._at]
            is_redirected = so_far[-1:] in (b"<", b">")
            if here in (b" ", b"\t", b"\n", b"\r", b";", b")"):
                break
            if here in (b"|", b"(") and not is_redirected:
                break
            if here == b"&" and not is_redirected and (so_far or not text.startswith(b"&>", self._at)):
                break
            if here in (b"<", b">") and not is_redirected and so_far.strip(b"0123456789&"):
                break
            self._skip_part(0)
        word = text[start : self._at].replace(b"\\\n", b"")
        before, is_document, end = word.partition(b"<<")
        if is_document and end[:1] != b"<" and not before.strip(b"0123456789"):
            while not end.strip(b"-") and self._text[self._at : self._at + 1] in (b" ", b"\t"):
                self._at += 1
            end = end.lstrip(b"-") or self._word()
            self._documents.append(end.translate(None, b"'\"\\"))
            word = b"<<" + end
        return word

    def _skip_part(self, depth: int) -> None:
        """Go over one byte, or over all that quotes, braces and parentheses hold together."""
        text = self._text
        here = text[self._at : self._at + 1]
        is_opening = text[self._at : self._at + 2] in (b"$(", b"${", b"<(", b">(")
        if here == b"\\":
            self._at += 2
        elif here in (b"'", b"`"):
            self._at = self._find(here, self._at + 1) + 1
        elif depth < DEEPEST and (here == b'"' or is_opening):
            close = b'"' if here == b'"' else b"}" if text[self._at + 1 : self._at + 2] == b"{" else b")"
            self._at += 1 + is_opening
            while self._at < len(text) and text[self._at : self._at + 1] != close:
                if here == b'"' and text.startswith(b"'", self._at):
                    self._at += 1
                else:
                    self._skip_part(depth + 1)
            self._at += 1
        else:
            self._at += 1

    def _skip_documents(self) -> None:
        for end in self._documents:
            while self._at < len(self._text):
                stop = self._find(b"\n", self._at)
                line = self._text[self._at : stop]
                self._at = stop + 1
                if line.lstrip(b"\t") == end:
                    break
        self._documents = []
