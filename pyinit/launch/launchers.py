"""`python -m pyinit launchers`: makes what pip installed start as quickly as what an image has.

pip writes its interpreter, without options, into the first line of each launcher. With -IS behind it the interpreter is
isolated and does without site, which is a quarter of the start of a command. And pip makes each launcher a file of its
own. As links of one file they are known to each other, so that in a chain one calls the next (chain.py).
"""

import posix
import sys

from pyinit.report import TROUBLE, warn

PROG = b"launchers"
OPTIONS = b" -IS"


def quicken(names: list[str]) -> int:
    """Change the launchers beside this interpreter; returns the exit code. One that cannot be changed stays."""
    directory = sys.executable.rpartition("/")[0].encode()
    kept: dict[bytes, bytes] = {}
    code = 0
    for name in names:
        path = b"%b/%b" % (directory, name.encode())
        try:
            content = _quickened(path)
            _replace(path, content, kept.setdefault(content, path))
        except OSError as error:
            warn(PROG, b"unable to change " + path, error)
            code = TROUBLE
    return code


def _quickened(path: bytes) -> bytes:
    """The launcher with the options in its first line."""
    with open(path, "rb") as file:
        first, newline, body = file.read().partition(b"\n")
    return first.removesuffix(OPTIONS) + OPTIONS + newline + body


def _replace(path: bytes, content: bytes, same: bytes) -> None:
    """Make the file, or a link to the one that is the `same`, beside it; then rename."""
    beside = path + b".new"
    if same == path:
        with open(beside, "wb") as file:
            file.write(content)
        posix.chmod(beside, posix.stat(path).st_mode & 0o7777)
    elif posix.stat(same).st_ino == posix.stat(path).st_ino:
        return  # to rename one link over another of the same file does nothing
    else:
        posix.link(same, beside)
    posix.rename(beside, path)
