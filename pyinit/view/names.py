"""How a person names a service: by a path, as daemontools has it, or by its bare name in the service directory.

And where the state of a service so named is: beside it, or in the runtime directory of its PID 1.
"""

import posix
from _stat import S_ISDIR

from pyinit.formats import paths
from pyinit.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = b"/service"


def service_directory() -> bytes:
    """`$PYINIT_SERVICE_DIR`, else /service."""
    return posix.environ.get(b"PYINIT_SERVICE_DIR") or DEFAULT


def find(name: bytes) -> bytes:
    """The path meant by `name`: itself, unless nothing is there and the service directory has one of that name.

    `web/log` is looked up like `web`. A path (`./web`, `/etc/sv/web`) is never looked up.
    """
    if name[:1] in (b"/", b"") or name.startswith((b"./", b"../")) or _is_there(name):
        return name
    there = b"%b/%b" % (service_directory(), name)
    return there if _is_there(there) else name


def state_of(path: bytes) -> bytes:
    """The directory whose `supervise/` holds the state of the service at `path`.

    That is `path` itself, or NAME in a runtime directory: PID 1 keeps the state there if it cannot write beside the
    service. A state that a supervise holds comes first. One without a supervise is better than none.
    """
    name = name_in_directory(path)
    if _is_held(path) or not name:
        return path
    places = [path, *(b"%b/%b" % (directory, name) for directory in known(posix.environ))]
    for is_it in _is_held, _has_state:
        for there in places:
            if is_it(there):
                return there
    return path


def known(environment: "Mapping[bytes, bytes]") -> list[bytes]:
    """The runtime directories to look in: those that exist and belong to this user, to PID 1's user, or to root.

    One that others can write is left out: they could have put anything there.
    """
    uids = [posix.geteuid()]
    try:
        uids.append(posix.stat(b"/proc/1").st_uid)
    except OSError:
        pass
    found = []
    for path in dict.fromkeys(path for uid in uids for path in paths.runtime_directories(environment, uid)):
        try:
            status = posix.lstat(path)
        except OSError:
            continue
        if S_ISDIR(status.st_mode) and status.st_uid in (*uids, 0) and not status.st_mode & 0o022:
            found.append(path)
    return found


def is_ready(environment: "Mapping[bytes, bytes]") -> bool:
    """Whether a PID 1 has left its ready file in a runtime directory; in $PYINIT_STATE, if that is one."""
    directories = known(environment)
    if (named := environment.get(b"PYINIT_STATE", b"")) in directories:
        directories = [named]
    return any(_is_there(b"%b/%b" % (directory, paths.READY)) for directory in directories)


def name_in_directory(path: bytes) -> bytes:
    """`web` or `web/log` for a path in the service directory; empty for others."""
    top = service_directory().rstrip(b"/") + b"/"
    name = path.removeprefix(top).rstrip(b"/")
    return name if path.startswith(top) and name and b".." not in name.split(b"/") else b""


def listed() -> list[bytes]:
    """The paths of all services and, after each, of its log if that is supervised; none without the directory."""
    top = service_directory()
    try:
        names = sorted(name for name in posix.listdir(top) if not name.startswith(b"."))
    except OSError:
        return []
    found = []
    for name in names:
        path = b"%b/%b" % (top, name)
        if _is_there(path + b"/."):
            found.append(path)
            if _is_there(state_of(path + b"/log") + b"/supervise"):
                found.append(path + b"/log")
    return found


def _is_held(path: bytes) -> bool:
    """Whether a supervise holds the state in `path`: a FIFO can be opened for writing only while it has a reader."""
    try:
        posix.close(posix.open(path + b"/supervise/ok", files.WRITE_FLAGS))
    except OSError:
        return False
    return True


def _has_state(path: bytes) -> bool:
    return _is_there(path + b"/supervise/ok")


def _is_there(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True
