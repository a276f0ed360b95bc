"""`python -m pyinit launchers`: makes what pip installed start as quickly as what an image has.

pip writes its interpreter, without options, into the first line of a launcher. With -IS behind it that is
isolated and does without site, which is a quarter of the start of a command. And a launcher looks where an image has
the package; told where pip has put it, it does not have to look elsewhere.
"""

import posix
import sys

from pyinit.report import TROUBLE, warn

PROG = b"launchers"
OPTIONS = b" -IS"
PLACE = b'place = root + "/lib/pyinit"\n'
"""How a launcher says where it looks first."""


def quicken(names: "frozenset[str]") -> int:
    """Tell the launchers beside this interpreter the options, and the place of this package; returns the exit code."""
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
    body = body.replace(PLACE, b"place = %a\n" % __file__.removesuffix("/pyinit/launchers.py"))
    beside = path + b".new"
    with open(beside, "wb") as file:
        file.write(first + OPTIONS + newline + body)
    posix.chmod(beside, posix.stat(path).st_mode & 0o7777)
    posix.rename(beside, path)
