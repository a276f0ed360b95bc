"""svc options dir ...: tells the supervise in each dir what to do.

-u: up, -d: down, -o: once, -x: exit. Signals: -p STOP, -c CONT, -h HUP, -a ALRM, -i INT, -t TERM, -k KILL. Options may
be combined. `dir` may be the bare name of a service.
"""

import posix
from errno import ENXIO

from pyinit import report
from pyinit.formats.control import HELP, LETTERS
from pyinit.getopt import BadOption, parse_options
from pyinit.system import files
from pyinit.view.names import find, is_answered_for, state_of

PROG = b"svc"


def main(argv: list[bytes]) -> int:
    """Write the letters, each once, in the order they were first given. Trouble with one directory is a warning.

    The exit code is 1 if one of them is a name that the pyinit here should have.
    """
    try:
        options, names = parse_options(argv[1:], LETTERS)
    except BadOption as bad:
        report.say(argv[0].rpartition(b"/")[2], bad.message)
        report.write(HELP + b"\n")
        return report.USAGE
    letters = b"".join(dict.fromkeys(letter for letter, _ in options))
    troubled = [name for name in names if not _command(name, letters)]
    return 1 if any(map(is_answered_for, troubled)) else 0


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
