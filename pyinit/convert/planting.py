"""Writes directories of services: all of them, or nothing.

They are made in a directory beside, whose name begins with a dot, and renamed into their place one by one. So nobody
who looks at the services sees one that is not whole. Modes are set as by hand, whatever the umask is.
"""

import posix
from _stat import S_ISDIR
from errno import EEXIST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyinit.convert.tables import Files

PROGRAM_MODE, FILE_MODE, FOLDER_MODE = 0o755, 0o644, 0o755
NEW_FLAGS = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC


def plant(services: "Mapping[bytes, Files]", top: bytes) -> None:
    """Write the directories of these services into `top`, which is made if it is missing.

    Raises OSError, with nothing of this call left; its `filename` is the path in trouble. Nothing in `top` is replaced.
    """
    is_new = not is_there(top)
    staging = b"%b/.unpacking-%d" % (top, posix.getpid())
    placed: list[bytes] = []
    try:
        if is_new:
            _make_folder(top)
        _make_folder(staging)
        for name, files in services.items():
            _write(files, b"%b/%b" % (staging, name))
        for name in services:
            place = b"%b/%b" % (top, name)
            if is_there(place):
                raise OSError(EEXIST, "", place)
            posix.rename(b"%b/%b" % (staging, name), place)
            placed.append(place)
        posix.rmdir(staging)
    except OSError:
        for path in (*placed, staging):
            remove(path)
        if is_new:
            _forgiving(posix.rmdir, top)
        raise


def is_there(path: bytes) -> bool:
    """Whether anything has this name, a link that leads nowhere included."""
    try:
        posix.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _make_folder(path: bytes) -> None:
    posix.mkdir(path, FOLDER_MODE)
    posix.chmod(path, FOLDER_MODE)


def _write(files: "Files", top: bytes) -> None:
    _make_folder(top)
    for folder in files.folders:
        _make_folder(b"%b/%b" % (top, folder))
    for name, content in files.contents.items():
        write_file(b"%b/%b" % (top, name), content, PROGRAM_MODE if name in files.programs else FILE_MODE)


def write_file(path: bytes, content: bytes, mode: int) -> None:
    """Make a file. Raises OSError with the path."""
    file_fd = posix.open(path, NEW_FLAGS, mode)
    try:
        while content:
            content = content[posix.write(file_fd, content) :]
        posix.fchmod(file_fd, mode)
    except OSError as error:
        error.filename = path
        raise
    finally:
        posix.close(file_fd)


def remove(path: bytes) -> None:
    """Remove a file, or a directory with all that is in it. No link is followed. What cannot be removed stays."""
    try:
        is_folder = S_ISDIR(posix.lstat(path).st_mode)
    except OSError:
        return
    if not is_folder:
        _forgiving(posix.unlink, path)
        return
    try:
        names = posix.listdir(path)
    except OSError:
        names = []
    for name in names:
        remove(b"%b/%b" % (path, name))
    _forgiving(posix.rmdir, path)


def _forgiving(function: "Callable[[bytes], None]", path: bytes) -> None:
    try:
        function(path)
    except OSError:
        pass
