"""What is wrong inside the files of a service directory: shell scripts, and the ends of lines everywhere."""

import posix
from _stat import S_ISREG

from pyinit.report import reason
from pyinit.services.definition.definition import LONGEST, PROGRAM, PROGRAM_OR_WORDS, SETTINGS
from pyinit.services.definition.findings import Finding
from pyinit.services.definition.programs import HEAD, shell_of
from pyinit.services.definition.scripts import accounts, asks_as_runit, lacks_exec
from pyinit.services.definition.shell import split_script
from pyinit.system import files
from pyinit.system.brief import run_briefly
from pyinit.system.user import is_account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyinit.services.definition.shell import ShellCommand

SHELL_SECONDS = 5.0
"""How long `sh -n` may take over a script."""

OF_PROGRAMS = tuple(name.encode() for name, kind in SETTINGS.items() if kind in (PROGRAM, PROGRAM_OR_WORDS))
OF_WORDS = tuple(name.encode() for name, kind in SETTINGS.items() if kind != PROGRAM)

CR = b"lines end in CR LF"


def is_executable(name: bytes, directory: int) -> bool:
    """Whether it is a file that somebody may execute."""
    try:
        mode = posix.stat(name, dir_fd=directory).st_mode
    except OSError:
        return False
    return S_ISREG(mode) and bool(mode & 0o111)


def of_script(name: bytes, directory: int, path: bytes | None, stays: bool) -> "Iterator[Finding]":
    """What is wrong inside a shell script; nothing for another program. `stays`: it is to become its last command."""
    try:
        text = files.read_bounded(name, directory, LONGEST)
    except OSError as error:
        if is_executable(name, directory) and shell_of(_head(name, directory), path):
            yield Finding(name, reason(error) + b": its content is not checked", b"not-checked")
        return
    shell = shell_of(text, path)
    if not shell:
        return
    if number := line_with_cr(text):
        yield Finding(name, b"line %d ends in CR LF" % number, b"carriage-return")
        return
    wrong = list(_of_syntax(name, text, shell))
    yield from wrong or _of_commands(name, split_script(text), stays)


def _head(name: bytes, directory: int) -> bytes:
    """The beginning of a program; empty where it cannot be read."""
    try:
        return files.read(name, directory, HEAD)
    except OSError:
        return b""


def _of_commands(name: bytes, commands: "list[ShellCommand]", stays: bool) -> "Iterator[Finding]":
    for program, account in dict.fromkeys(accounts(commands)):
        if not is_account(account):
            yield Finding(name, b"%b: unknown account %b" % (program, account), b"unknown-account")
    if stays and lacks_exec(commands):
        yield Finding(name, b"the last command does not replace the shell: exec it", b"no-exec")
    if name == b"finish" and asks_as_runit(commands):
        text = b"compares $1 with -1, as in runit: here it is 256 after a signal"
        yield Finding(name, text, b"finish-arguments")


def _of_syntax(name: bytes, text: bytes, shell: bytes) -> "Iterator[Finding]":
    try:
        answer = run_briefly([shell, b"-n"], text, SHELL_SECONDS)
    except OSError as error:
        yield Finding(name, b"the interpreter %b can't be used: %b" % (shell, reason(error)), b"no-interpreter")
        return
    if not answer or answer[0] < 0:
        yield Finding(name, b"%b -n came to no end: its content is not checked" % shell, b"not-checked")
    elif answer[0]:
        said = answer[1].partition(b"\n")[0].removeprefix(shell + b": ")
        yield Finding(name, b"%b -n: %b" % (shell, said), b"shell-syntax")


def line_with_cr(text: bytes) -> int:
    """The number of the first line that ends in CR, 0 if none does."""
    lines = text.split(b"\n")
    return next((number for number, line in enumerate(lines, 1) if line.endswith(b"\r")), 0)


def of_line_ends(directory: int) -> "Iterator[Finding]":
    """CR at the end of a line of a file that is no program. A file that cannot be read is told by its reader."""
    for name in (*OF_WORDS, b"secrets", b"log/script", b"log/user"):
        if name in OF_PROGRAMS and is_executable(name, directory):
            continue
        try:
            text = files.read_bounded(name, directory, LONGEST)
        except OSError:
            continue
        if line_with_cr(text):
            yield Finding(name, CR, b"carriage-return")
