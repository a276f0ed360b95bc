"""svc options dir ...: tells the supervise in each dir what to do."""

import posix
from errno import ENXIO

from pyinit import report
from pyinit.formats.control import HELP, LETTERS
from pyinit.getopt import BadOption, parse_options
from pyinit.system import files
from pyinit.view.names import find, state_of

PROG = b"svc"


def main(argv: list[bytes]) -> int:
    """Write the letters, each once, in the order they were first given. Trouble with one directory is a warning."""
    try:
        options, names = parse_options(argv[1:], LETTERS)
    except BadOption as bad:
        report.say(argv[0].rpartition(b"/")[2], bad.message)
        report.write(HELP + b"\n")
        return report.USAGE
    letters = b"".join(dict.fromkeys(letter for letter, _ in options))
    for name in names:
        _command(name, letters)
    return 0


def _command(name: bytes, letters: bytes) -> None:
    try:
        path = find(name)
        posix.close(files.open_directory(path))
        directory = files.open_directory(state_of(path))
    except OSError as error:
        return report.warn(PROG, b"unable to chdir to " + name, error)
    try:
        control = posix.open(b"supervise/control", posix.O_WRONLY | posix.O_NONBLOCK, dir_fd=directory)
    except OSError as error:
        if error.errno == ENXIO:
            return report.warn(PROG, b"unable to control %b: supervise not running" % name)
        return report.warn(PROG, b"unable to control " + name, error)
    try:
        posix.set_blocking(control, True)
        posix.write(control, letters)
    except OSError as error:
        report.warn(PROG, b"error writing commands to " + name, error)
    finally:
        posix.close(control)
        posix.close(directory)
