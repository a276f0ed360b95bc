"""Programs of a service directory, as text: from a script or from words, with what is to be changed before them. Pure.

What a `run` can do for itself it does: the user and the limits are commands in front of the program, as by hand.
"""

SHELL = b"#!/bin/sh\n"

PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")
"""Bytes that the shell takes literally wherever they are in a word that is no command."""

LONGEST_WORD = 131071
"""Bytes of one argument of a program (MAX_ARG_STRLEN of execve(2), less the NUL)."""

QUOTE, SPACE = b"' "

NO_CHAIN = "begins with #!, so nothing can be put in front of it: leave that line out, or write a list"


class Change:
    """What is changed before a program: `lines` of shell, then `chain`, words of commands that run the next one."""

    __slots__ = ("chain", "lines")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.chain: list[bytes] = []


def shell_word(word: bytes) -> bytes:
    """A word for the shell: itself if it is plain, else in single quotes."""
    if word and PLAIN.issuperset(word):
        return word
    return b"'" + word.replace(b"'", b"'\\''") + b"'"


def program_of_words(argv: "list[bytes]", change: "Change | None" = None) -> bytes:
    """The program that becomes argv. Raises ValueError."""
    if not argv or not argv[0]:
        raise ValueError("names no program")
    if argv[0].startswith(b"-"):
        raise ValueError("begins with -: a program has to be named first")
    change = change or Change()
    return SHELL + b"".join(change.lines) + _exec(change.chain + argv)


def program_of_script(text: bytes, change: "Change | None" = None) -> bytes:
    """The program of a shell script. One that begins with `#!` is taken as it is. Raises ValueError."""
    if not text.strip():
        raise ValueError("empty")
    if text.startswith(b"#!"):
        if change and (change.lines or change.chain):
            raise ValueError(NO_CHAIN)
        return text
    change = change or Change()
    if not change.chain:
        return SHELL + b"".join(change.lines) + text + (b"" if text.endswith(b"\n") else b"\n")
    script = text.removesuffix(b"\n")
    if len(script) > LONGEST_WORD:
        raise ValueError(f"longer than {LONGEST_WORD} bytes: put it into a file, and write a list")
    return SHELL + b"".join(change.lines) + _exec([*change.chain, b"/bin/sh", b"-c", script])


def _exec(words: "list[bytes]") -> bytes:
    if any(b"\0" in word for word in words):
        raise ValueError("has a NUL byte")
    return b"exec " + b" ".join(map(shell_word, words)) + b"\n"


def words_of(content: bytes) -> "list[bytes] | None":
    """The argv that `program_of_words` would make this program of, None where there is none."""
    line = content.removeprefix(SHELL + b"exec ").removesuffix(b"\n")
    if len(line) + len(SHELL) + 6 != len(content):
        return None
    words = [b""]
    place = 0
    while place < len(line):
        end = line.find(b"'", place + 1) if line[place] == QUOTE else -1
        if end > 0:
            words[-1] += line[place + 1 : end]
            place = end
        elif line[place] == SPACE:
            words.append(b"")
        elif line.startswith(b"\\'", place):
            words[-1] += b"'"
            place += 1
        else:
            words[-1] += line[place : place + 1]
        place += 1
    try:
        return words if program_of_words(words) == content else None
    except ValueError:
        return None
