"""`pyinit unpack FILE DIR`, and what process 1 has a forked child do for `-f FILE`."""

from pyinit.convert.planting import is_there, plant, remove
from pyinit.convert.positions import line_of
from pyinit.convert.source import NotToml, Source, described, read_source
from pyinit.convert.tables import Files, Mistake, is_name
from pyinit.report import reason, say
from pyinit.services.definition.reading import REFUSED

PROG = b"pyinit"
FOUND, TROUBLE = 1, 111
FATAL, WARNING = b"fatal: ", b"warning: "


def unpack_once(path: bytes, top: bytes) -> int:
    """Write the services of the file into `top`: all of them, or nothing. The exit code; mistakes are said."""
    source = _read(path)
    if not isinstance(source, Source):
        return FOUND if isinstance(source, NotToml) else TROUBLE
    for name in list(source.services):
        if is_there(b"%b/%b" % (top, name)):
            source.refuse(name, f"{top.decode(errors='replace')} has one of that name")
    if _tell(path, source):
        return FOUND
    try:
        plant(source.services, top)
    except OSError as error:
        say(PROG, FATAL + _unwritten(top, error))
        return TROUBLE
    return 0


def unpack_anew(path: bytes, place: bytes, service_dir: bytes) -> int:
    """Replace `place` by the services of the file, for this boot. The exit code is 0, or 111 where nothing can boot.

    A service with mistakes gets a directory that only says the first of them: process 1 refuses it, with that reason.
    One that the service directory has, too, is left out, which is said once.
    """
    source = _read(path)
    if not isinstance(source, Source):
        return TROUBLE
    services = dict(source.services)
    for name in source.names:
        if is_name(name) and is_there(b"%b/%b" % (service_dir, name.encode())):
            where = described(path, line_of((name,), source.lines), Mistake((name,), "refused"))
            say(PROG, WARNING + where + b": %b has one of that name, which is taken" % service_dir)
            services.pop(name.encode(), None)
        elif name.encode() not in services and is_name(name):
            services[name.encode()] = _refusal(path, name, source)
    for line, mistake in source.mistakes:
        if not is_name(mistake.path[0]):
            say(PROG, WARNING + described(path, line, mistake))
    remove(place)
    try:
        plant(services, place)
    except OSError as error:
        say(PROG, FATAL + _unwritten(place, error))
        return TROUBLE
    return 0


def _read(path: bytes) -> "Source | NotToml | OSError":
    """The services of the file, or why there are none, which has been said."""
    try:
        return read_source(path)
    except NotToml as trouble:
        say(PROG, FATAL + _not_toml(path, trouble))
        return trouble
    except OSError as error:
        say(PROG, FATAL + _unreadable(path, error))
        return error


def _refusal(path: bytes, name: str, source: Source) -> Files:
    """A directory whose service process 1 refuses, for the first of its mistakes; the others are said now."""
    files = Files()
    (line, first), *others = (found for found in source.mistakes if found[1].path[0] == name)
    for number, mistake in others:
        say(PROG, WARNING + described(path, number, mistake))
    where = b"%b:%d" % (path.rpartition(b"/")[2], line)
    what = ": ".join(filter(None, (".".join(first.path[1:]), first.reason)))
    if name in source.critical:
        files.contents[b"critical"] = source.critical[name]
    files.contents[REFUSED.encode()] = where + b"\n" + what.encode()
    return files


def _tell(path: bytes, source: Source) -> bool:
    """Say all mistakes; whether there was any."""
    for line, mistake in source.mistakes:
        say(PROG, FATAL + described(path, line, mistake))
    return bool(source.mistakes)


def _not_toml(path: bytes, trouble: NotToml) -> bytes:
    where = b"%b:%d" % (path, trouble.line) if trouble.line else path
    return b"%b: not TOML: %b" % (where, trouble.reason.encode())


def _unreadable(path: bytes, error: OSError) -> bytes:
    hint = b": a directory of services is for PYINIT_SERVICE_DIR or -d" if isinstance(error, IsADirectoryError) else b""
    return b"unable to read services %b: %b%b" % (path, reason(error), hint)


def _unwritten(top: bytes, error: OSError) -> bytes:
    path = error.filename if isinstance(error.filename, bytes) else top
    return b"unable to write %b: %b" % (path, reason(error))
