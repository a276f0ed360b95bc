"""`pyinit unpack FILE DIR`, and what process 1 has a forked child do for `-f FILE`."""

from pyinit.convert.planting import FILE_MODE, is_there, plant, remove, write_file
from pyinit.convert.source import NotToml, Source, described, read_source
from pyinit.report import reason, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.convert.tables import Mistake

PROG = b"pyinit"
FOUND, TROUBLE = 1, 111
FATAL, WARNING = b"fatal: ", b"warning: "

REFUSED = b".refused"
"""In the directory of unpacked services: the names of those that were refused, a NUL behind each."""


def unpack_once(path: bytes, top: bytes) -> int:
    """Write the services of the file into `top`: all of them, or nothing. The exit code; mistakes are said."""
    try:
        source = read_source(path)
    except NotToml as trouble:
        say(PROG, FATAL + _not_toml(path, trouble))
        return FOUND
    except OSError as error:
        say(PROG, FATAL + _unreadable(path, error))
        return TROUBLE
    for name in list(source.services):
        if is_there(b"%b/%b" % (top, name)):
            source.refuse(name, f"{top.decode(errors='replace')} has one of that name")
    if _tell(path, source, FATAL):
        return FOUND
    try:
        plant(source.services, top)
    except OSError as error:
        say(PROG, FATAL + _unwritten(top, error))
        return TROUBLE
    return 0


def unpack_anew(path: bytes, place: bytes, service_dir: bytes) -> int:
    """Replace `place` by the services of the file, for this boot. The exit code is 0, or 111 where nothing can boot.

    A service with a mistake is left out, and so is one that the service directory has, too. That is said once.
    """
    try:
        source = read_source(path)
    except NotToml as trouble:
        say(PROG, FATAL + _not_toml(path, trouble))
        return TROUBLE
    except OSError as error:
        say(PROG, FATAL + _unreadable(path, error))
        return TROUBLE
    bad = list(dict.fromkeys(mistake.path[0] for _, mistake in source.mistakes))
    for name in list(source.services):
        if is_there(b"%b/%b" % (service_dir, name)):
            source.refuse(name, f"refused: {service_dir.decode(errors='replace')} has one of that name, which is taken")
    _tell(path, source, WARNING)
    remove(place)
    try:
        plant(source.services, place)
        write_file(place + b"/" + REFUSED, b"".join(name.encode() + b"\0" for name in bad), FILE_MODE)
    except OSError as error:
        say(PROG, FATAL + _unwritten(place, error))
        return TROUBLE
    return 0


def _tell(path: bytes, source: Source, kind: bytes) -> bool:
    """Say all mistakes; whether there was any."""
    told: list[tuple[int, Mistake]] = source.mistakes
    for line, mistake in told:
        say(PROG, kind + described(path, line, mistake))
    return bool(told)


def _not_toml(path: bytes, trouble: NotToml) -> bytes:
    where = b"%b:%d" % (path, trouble.line) if trouble.line else path
    return b"%b: not TOML: %b" % (where, trouble.reason.encode())


def _unreadable(path: bytes, error: OSError) -> bytes:
    hint = b": a directory of services is for PYINIT_SERVICE_DIR or -d" if isinstance(error, IsADirectoryError) else b""
    return b"unable to read services %b: %b%b" % (path, reason(error), hint)


def _unwritten(top: bytes, error: OSError) -> bytes:
    path = error.filename if isinstance(error.filename, bytes) else top
    return b"unable to write %b: %b" % (path, reason(error))
