"""A page as its reader types it: files that it shows, commands, and the output that it promises. Pure.

What a page promises is compared word for word, but for what differs from run to run:

    (pid 8), 8:M        any number; within one block the same number for the same, and another for another
    12 seconds, 0.013s  any number; also 0m0.127s
    15:02:53.310        any time of day; 28 Nov 2026 and 2026-11-28 any date; so the output of `date`
    @4000000069...      any TAI64N label (24 digits)
    3f1c... (12 or 64)  any hexadecimal identifier, behind sha256: too
    ...                 alone on its line any lines, none as well; in a line any text
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

FENCE = re.compile(r"^(<!-- slow -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACED = re.compile(r"^# ((?:[\w.-]+/)+[\w.-]+|Dockerfile|[\w-]+\.\w+)$")

EXAMPLE = re.compile(r"^    \$ .*\n(?:    .*\n)*", re.MULTILINE)

VARIES = re.compile(
    r"""
    (?P<lines>^\.\.\.\n) | (?P<text>\.\.\.)
    | (?<=\(pid\ )(?P<pid>\d+)(?=\)) | \b(?P<leader>\d+)(?=:[A-Z]\ )
    | (?P<span>\b(?:\d+m)?\d+(?:\.\d+)?(?=s\b|\ seconds\b))
    | (?P<stamp>\b[A-Z][a-z]{2}\ [A-Z][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d\ [A-Z]+\ \d{4}\b)
    | (?P<clock>(?<![\d:])\d\d:\d\d:\d\d(?:\.\d+)?)
    | (?P<day>\b\d\d?\ [A-Z][a-z]{2}\ \d{4}\b) | (?P<date>\b\d{4}-\d\d-\d\d(?!\d))
    | (?P<label>(?<=@)[0-9a-f]{24}\b) | (?P<id>\b(?:[0-9a-f]{64}|(?=\d*[a-f])[0-9a-f]{12})\b)
    """,
    re.MULTILINE | re.VERBOSE,
)
ANY = {
    "lines": r"(?:.*\n)*?",
    "text": r".*",
    "span": r"(?:\d+m)?\d+(?:\.\d+)?",
    "stamp": r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [A-Z]+ \d{4}",
    "clock": r"\d\d:\d\d:\d\d(?:\.\d+)?",
    "day": r"\d\d?\ [A-Z][a-z]{2}\ \d{4}",
    "date": r"\d{4}-\d\d-\d\d",
    "label": r"[0-9a-f]{24}",
    "id": r"[0-9a-f]{12,64}",
}


@dataclass(frozen=True)
class File:
    """A file that the page shows: its first comment line names it. It is executable if it begins with `#!`."""

    line: int
    name: str
    content: str


@dataclass(frozen=True)
class Script:
    """A block of commands without their output: each has to succeed."""

    line: int
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a console block, and the output that the page promises."""

    line: int
    text: str
    output: str


@dataclass(frozen=True)
class Session:
    """A console block. It takes many seconds if a comment before it says `slow`."""

    line: int
    commands: list[Command] = field(default_factory=list)
    is_slow: bool = False


Block = File | Script | Session


def blocks(page: str) -> Iterator[Block]:
    """What a reader does with a page, from its head to its end.

    Blocks in other languages than sh and console are files if they name one, and are only read otherwise. So is a
    script without a name: an example.
    """
    for found in FENCE.finditer(page):
        slow, language, text = found.groups()
        line = page.count("\n", 0, found.start(2)) + 2
        if name := _name(text):
            yield File(line, name, text)
        elif language == "console":
            yield Session(line, list(_commands(text, line)), slow is not None)
        elif language == "sh" and not text.startswith("#!"):
            yield Script(line, text)


def examples(page: str) -> Iterator[Session]:
    """The sessions of a page of the manual: indented, with `$ ` before the first command."""
    for found in EXAMPLE.finditer(page):
        line = page.count("\n", 0, found.start()) + 1
        text = "".join(row.removeprefix("    ") for row in found[0].splitlines(keepends=True))
        yield Session(line, list(_commands(text, line)))


def _name(text: str) -> str | None:
    """The file that a block says it is, in a comment in its first line, or in the second after `#!`."""
    first, _, rest = text.partition("\n")
    found = PLACED.match(rest.partition("\n")[0] if first.startswith("#!") else first)
    return found[1] if found else None


def _commands(text: str, line: int) -> Iterator[Command]:
    """The commands of a console block; one that ends with a backslash goes on in the next line."""
    command, output, start, goes_on = "", "", line, False
    for number, row in enumerate(text.splitlines(), line):
        if goes_on:
            command += "\n" + row
        elif row.startswith("$ "):
            if command:
                yield Command(start, command, output)
            command, output, start = row.removeprefix("$ "), "", number
        else:
            output += row + "\n"
        goes_on = command.endswith("\\") and not output
    if command:
        yield Command(start, command, output)


def matches(promised: str, said: str, pids: Mapping[str, str]) -> dict[str, str] | None:
    """None if `said` is not what the page promised; else the process ids of the page and the real ones.

    `pids` holds those that earlier commands of the block have shown.
    """
    pattern, end, seen = "", 0, set()
    for found in VARIES.finditer(promised):
        pattern += re.escape(promised[end : found.start()])
        kind, end = str(found.lastgroup), found.end()
        if kind in ANY:
            pattern += ANY[kind]
        elif found[0] in pids:
            pattern += pids[found[0]]
        else:
            pattern += f"(?P=p{found[0]})" if found[0] in seen else rf"(?P<p{found[0]}>\d+)"
            seen.add(found[0])
    real = re.fullmatch(pattern + re.escape(promised[end:]), said)
    if real is None:
        return None
    known = {**pids, **{name[1:]: pid for name, pid in real.groupdict().items()}}
    return known if len(set(known.values())) == len(known) else None


READS = r"svstat|svlog|svok|mailq|cat|head|tail|ls|ps|stat|test|sh -c '(?:cat|head|tail|tai64nlocal|grep|ls)"
LOOKS = re.compile(rf"docker (logs|ps|top|inspect|exec (-u \S+ )?\S+ ({READS}))(?= |$)")


def is_look(command: str) -> bool:
    """Whether the command changes nothing, so that a reader may give it again and again until it shows the thing."""
    return LOOKS.match(command) is not None


def rename(page: str, names: tuple[str, ...], prefix: str) -> str:
    """The page with other names for its containers, images and volumes, so that nothing of that name is touched."""
    for name in names:
        page = re.sub(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])", prefix + name, page)
    return page
