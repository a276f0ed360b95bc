"""`python -m pyinit launchers`: makes what pip installed start as quickly as what an image has.

pip writes its interpreter, without options, into the first line of a launcher. With -IS behind it that is
isolated and does without site, which is a quarter of the start of a command.
"""

import posix
import sys

from pyinit.report import TROUBLE, warn

PROG = b"launchers"
OPTIONS = b" -IS"


def quicken(names: "frozenset[str]") -> int:
    """Add the options to the launchers beside this interpreter; returns the exit code."""
    directory = sys.executable.rpartition("/")[0].encode()
    code = 0
    for name in sorted(names):
        path = b"%b/%b" % (directory, name.encode())
        try:
            _quicken(path)
        except OSError as error:
            warn(PROG, b"unable to change " + path, error)
            code = TROUBLE
    return code


def _quicken(path: bytes) -> None:
    """Write beside, then rename."""
    with open(path, "rb") as file:
        first, newline, body = file.read().partition(b"\n")
    if first.endswith(OPTIONS):
        return
    beside = path + b".new"
    with open(beside, "wb") as file:
        file.write(first + OPTIONS + newline + body)
    posix.chmod(beside, posix.stat(path).st_mode & 0o7777)
    posix.rename(beside, path)
