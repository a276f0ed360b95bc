"""Whether an account could write a log directory, found out without writing. A doubt is no trouble."""

import posix
from _stat import S_ISDIR

from pyinit.report import reason
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.system.user import Oneself, User

WRITE = posix.W_OK | posix.X_OK


def why_unwritable(path: bytes, writer: "User | Oneself", maker: "User | Oneself | None") -> bytes:
    """Why `writer` cannot write the files of a log directory; empty if nothing is known to be in the way.

    A missing directory is made by `maker`, with those on the way to it. If that is None `writer` makes it, and nothing
    on the way to it. This process has to have the right to become either.
    """
    try:
        with writer:
            return _of_present(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        return reason(error)
    parent = path.rstrip(b"/").rpartition(b"/")[0]
    with maker or writer:
        while maker and parent and not _is_present(parent):
            parent = parent.rpartition(b"/")[0]
        parent = parent or (b"/" if path.startswith(b"/") else b".")
        try:
            why = _of_directory(parent)
        except OSError as error:
            why = reason(error)
    return b"it cannot be made in %b: %b" % (parent, why) if why else b""


def could_make(path: bytes) -> bool:
    """Whether this process could make the missing directory, and write in it."""
    from pyinit.system.user import Oneself

    return not why_unwritable(path, Oneself(), Oneself())


def _of_present(path: bytes) -> bytes:
    """The same for a directory that is there. Raises OSError."""
    if why := _of_directory(path):
        return why
    for name in (b"lock", b"current"):
        file = b"%b/%b" % (path, name)
        if _is_present(file) and (why := _of_access(file, posix.W_OK)):
            return b"%b: %b" % (name, why)
    return b""


def _of_directory(path: bytes) -> bytes:
    if not S_ISDIR(posix.stat(path).st_mode):
        return b"not a directory"
    return _of_access(path, WRITE)


def _of_access(path: bytes, mode: int) -> bytes:
    """Why the effective ids have no such access; a sandbox may refuse the question."""
    if not files.CAN_ASK or posix.access(path, mode, effective_ids=True):
        return b""
    is_read_only = posix.statvfs(path).f_flag & posix.ST_RDONLY
    return b"read-only file system" if is_read_only else b"access denied"


def _is_present(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True
