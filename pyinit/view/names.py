"""How a person names a service: by a path, as daemontools has it, or by its bare name in the service directory."""

import posix

from pyinit.system import files

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
    """Where `supervise/` of the service at `path` is in use: there, or else in PID 1's own place.

    A service whose directory can't be written keeps its state under its name in a place of PID 1's (place.py), whatever
    an image was built with in `supervise/`. A place that is not in use is better than nothing.
    """
    name = name_in_directory(path)
    if _is_held(path) or not name:
        return path
    from pyinit.services.runtime import known

    places = [path, *(b"%b/%b" % (place, name) for place in known(posix.environ))]
    for is_it in _is_held, _has_state:
        for there in places:
            if is_it(there):
                return there
    return path


def _is_held(path: bytes) -> bool:
    """Whether a supervise holds the state in `path`."""
    try:
        posix.close(posix.open(path + b"/supervise/ok", files.WRITE_FLAGS))
    except OSError:
        return False
    return True


def _has_state(path: bytes) -> bool:
    return _is_there(path + b"/supervise/ok")


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
    paths = []
    for name in names:
        path = b"%b/%b" % (top, name)
        if _is_there(path + b"/."):
            paths.append(path)
            if _is_there(state_of(path + b"/log") + b"/supervise"):
                paths.append(path + b"/log")
    return paths


def _is_there(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True
