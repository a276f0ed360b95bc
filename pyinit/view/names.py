"""How a person names a service: by a path, as daemontools has it, or by its bare name in the service directory.

And where the state of a service so named is: beside it, or in the runtime directory of its PID 1.
"""

import posix

from pyinit.formats import paths
from pyinit.system import files
from pyinit.view.running import known, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.view.running import Running

DEFAULT = b"/service"

_here: "list[Running | None]" = []
"""The pyinit that runs here, or None, once that has been asked: a command may be given a thousand names."""

_names: "dict[bytes, dict[tuple[int, int], bytes]]" = {}
"""The services of a service directory by identity, once they have been listed: `svstat *` asks for each."""


def service_directory() -> bytes:
    """`$PYINIT_SERVICE_DIR`, else the one of the pyinit that runs here, else /service."""
    if named := posix.environ.get(b"PYINIT_SERVICE_DIR"):
        return named
    found = _running_here()
    return found.service_dir if found and found.service_dir else DEFAULT


def _running_here() -> "Running | None":
    if not _here:
        _here.append(running(posix.environ))
    return _here[0]


def is_bare(name: bytes) -> bool:
    """Whether it is a name to be looked up: `web` or `web/log`, not `./web` or `/etc/sv/web`."""
    return name[:1] not in (b"/", b"") and name not in (b".", b"..") and not name.startswith((b"./", b"../"))


def find(name: bytes) -> bytes:
    """The path meant by `name`. Where a pyinit runs, its service of that name comes first: `root` in `/` is no /root.

    Elsewhere it is the name itself, unless nothing is there and the service directory has one of that name. `web/log`
    is looked up like `web`. A path (`./web`, `/etc/sv/web`) is never looked up.
    """
    if not is_bare(name) or (not _running_here() and _is_there(name)):
        return name
    for top in _directories():
        there = b"%b/%b" % (top, name)
        if _is_there(there):
            return there
    return name


def _directories() -> list[bytes]:
    """The service directory, and that of the services that a pyinit has unpacked, if one runs here."""
    top = service_directory()
    found = _running_here()
    unpacked = b"%b/%b" % (found.directory, paths.UNPACKED) if found else top
    return [top] if unpacked == top else [top, unpacked]


def state_of(path: bytes) -> bytes:
    """The directory whose `supervise/` holds the state of the service at `path`.

    That is `path` itself, or NAME in a runtime directory: PID 1 keeps the state there if it cannot write beside the
    service. A state that a supervise holds comes first. One without a supervise is better than none.
    """
    if _is_held(path):
        return path
    name = name_of(path)
    if not name:
        return path
    state = paths.state_name(name)
    places = [path, *(b"%b/%b" % (directory, state) for directory in known(posix.environ))]
    for is_it in _is_held, _has_state:
        for there in places:
            if is_it(there):
                return there
    return path


def name_of(path: bytes) -> bytes:
    """`web` or `web/log` for a path that leads to this service of the service directory; empty for others.

    However it leads there: from the working directory, or past the link that the service directory has.
    """
    return _name_below(service_directory(), path)


def _name_below(directory: bytes, path: bytes) -> bytes:
    """The same for any service directory."""
    top = directory.rstrip(b"/") + b"/"
    name = path.removeprefix(top).rstrip(b"/")
    if path.startswith(top) and name and not {b"", b".", b".."}.intersection(name.split(b"/")):
        return name
    if not (key := _key(path)):
        return b""
    if top not in _names:
        _names[top] = _services(top)
    services = _names[top]
    if key in services:
        return services[key]
    above = services.get(_key(path + b"/..") or (0, 0), b"")
    return above + b"/log" if above and key == _key(b"%b%b/log" % (top, above)) else b""


def _services(top: bytes) -> dict[tuple[int, int], bytes]:
    """The name of each directory in the service directory, by its identity."""
    try:
        names = sorted(posix.listdir(top), reverse=True)
    except OSError:
        return {}
    keys = ((_key(top + name), name) for name in names if not name.startswith(b"."))
    return {key: name for key, name in keys if key}


def is_answered_for(name: bytes) -> bool:
    """Whether a pyinit that runs here should have a service so named: a bare name, or a path in its directory."""
    found = _running_here()
    return found is not None and (is_bare(name) or bool(name_of(name)) or _is_inside(name, found.service_dir))


def is_supervised_here(name: bytes) -> bool:
    """Whether the pyinit that runs here supervises the directory so named, or would: there may be none."""
    found = _running_here()
    if found is None:
        return False
    path = find(name)
    if not _is_there(path + b"/."):
        return is_answered_for(name)
    service, _, rest = _name_below(found.service_dir, path).partition(b"/")
    return bool(service) and rest in (b"", b"log")


def is_pyinit_here() -> bool:
    """Whether a pyinit runs here."""
    return _running_here() is not None


def _is_inside(path: bytes, service_dir: bytes) -> bool:
    """Whether the path, or as much of it as exists, lies below this directory."""
    top = _key(service_dir)
    if _key(path) == top:
        return False
    while not (key := _key(path)) and path.strip(b"/"):
        path = path.rstrip(b"/").rpartition(b"/")[0] or (b"/" if path.startswith(b"/") else b".")
    while key and top and key != top:
        path += b"/.."
        before, key = key, _key(path)
        if key == before:
            return False
    return bool(key) and key == top


def listed() -> list[bytes]:
    """The paths of all services and, after each, of its log if that is supervised; none without a directory."""
    found = []
    for top in _directories():
        try:
            names = sorted(name for name in posix.listdir(top) if not name.startswith(b"."))
        except OSError:
            continue
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


def _key(path: bytes) -> tuple[int, int] | None:
    """What a directory is known by, whatever it is called; None for anything else."""
    try:
        found = posix.stat(path + b"/." if path else path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_there(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True
