"""svc options dir ...: tells the supervise in each dir what to do.

-u: up, -d: down, -o: once, -x: exit. Signals: -p STOP, -c CONT, -h HUP, -a ALRM, -i INT, -t TERM, -k KILL. Options may
be combined. `dir` may be the bare name of a service. Services of the pyinit that runs here know more letters. Those of
daemontools-encore: -q QUIT, -1 USR1, -2 USR2, -w WINCH. And -l: what their `reload-signal` says.
"""

import posix
from errno import ENXIO

from pyinit import report
from pyinit.formats.control import LETTERS, LETTERS_OF_PYINIT, usage_of
from pyinit.getopt import BadOption, parse_options
from pyinit.system import files
from pyinit.view.names import find, is_answered_for, is_pyinit_here, is_supervised_here, state_of

PROG = b"svc"


def main(argv: list[bytes]) -> int:
    """Write the letters, each once, in the order they were first given. Trouble with one directory is a warning.

    The exit code is 1 if one of them is a name that the pyinit here should have.
    """
    known = _letters_for(argv[1:])
    try:
        options, names = parse_options(argv[1:], known)
    except BadOption as bad:
        report.say(argv[0].rpartition(b"/")[2], bad.message)
        report.write(usage_of(known) + b"\n")
        return report.USAGE
    letters = b"".join(dict.fromkeys(letter for letter, _ in options))
    troubled = [name for name in names if not _command(name, letters)]
    return 1 if any(map(is_answered_for, troubled)) else 0


def _letters_for(words: list[bytes]) -> bytes:
    """The letters that count: those of the C program, unless all that is to be commanded is the pyinit's here."""
    try:
        parse_options(words, LETTERS)
        return LETTERS
    except BadOption:
        if not is_pyinit_here():
            return LETTERS
    try:
        _, names = parse_options(words, LETTERS_OF_PYINIT)
    except BadOption:
        return LETTERS_OF_PYINIT
    return LETTERS_OF_PYINIT if names and all(map(is_supervised_here, names)) else LETTERS


def _command(name: bytes, letters: bytes) -> bool:
    """Write the letters to one service; False if there was trouble, which has been told."""
    try:
        path = find(name)
        posix.close(files.open_directory(path))
        directory = files.open_directory(state_of(path))
    except OSError as error:
        report.warn(PROG, b"unable to chdir to " + name, error)
        return False
    try:
        control = posix.open(b"supervise/control", posix.O_WRONLY | posix.O_NONBLOCK, dir_fd=directory)
    except OSError as error:
        if error.errno == ENXIO:
            report.warn(PROG, b"unable to control %b: supervise not running" % name)
        else:
            report.warn(PROG, b"unable to control " + name, error)
        return False
    try:
        posix.set_blocking(control, True)
        posix.write(control, letters)
    except OSError as error:
        report.warn(PROG, b"error writing commands to " + name, error)
        return False
    finally:
        posix.close(control)
        posix.close(directory)
    return True
