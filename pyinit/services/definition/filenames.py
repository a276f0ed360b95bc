"""Names in a service directory that mean nothing here, though somebody may think so."""

import posix

from pyinit.services.definition.findings import Finding
from pyinit.services.definition.reading import KNOWN, KNOWN_IN_LOG
from pyinit.system import files
from pyinit.system.process import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

S6, S6_RC, RUNIT, ENCORE, NOSH = b"s6", b"s6-rc", b"runit", b"daemontools-encore", b"nosh"

FOREIGN = {
    b"bundle": S6_RC,
    b"conf": RUNIT,
    b"config": RUNIT,
    b"consumer-for": S6_RC,
    b"contents": S6_RC,
    b"contents.d": S6_RC,
    b"control": RUNIT,
    b"data": S6,
    b"dependencies": S6_RC,
    b"dependencies.d": S6_RC,
    b"flag-newpidns": S6,
    b"instance": S6,
    b"instances": S6,
    b"lock-fd": S6,
    b"max-death-tally": S6,
    b"nosetsid": S6,
    b"notify": ENCORE,
    b"options": ENCORE,
    b"pipeline-name": S6_RC,
    b"producer-for": S6_RC,
    b"start": ENCORE,
    b"stop": ENCORE,
    b"template": S6,
    b"up": S6_RC,
    b"wanted-by": NOSH,
}
"""Files of other supervisors, by name, and whose they are. Those that have a meaning here are not told."""

PROGRAMS = ("run",)
EXTENSIONS = (b"sh", b"bash", b"dash", b"py", b"pl", b"rb", b"txt")

CLOSE = 0.85
"""How much alike two names are, by difflib's measure, when one of them is taken for a slip: a letter in five or so."""

SHORT = 3
"""Names of so many letters resemble too many others: only their case and their extension are looked at."""


def names_in(name: bytes, directory: int) -> list[bytes]:
    """The names in a directory; none where it cannot be listed."""
    try:
        list_fd = posix.open(name, files.READ_FLAGS | posix.O_DIRECTORY, dir_fd=directory)
    except OSError:
        return []
    try:
        return [encoded(text) for text in posix.listdir(list_fd)]
    finally:
        posix.close(list_fd)


def of_names(names: "Collection[bytes]") -> "Iterator[Finding]":
    """Hints at names in a service directory."""
    known = {name.encode() for name in (*KNOWN, *PROGRAMS)}
    for name in sorted(names):
        if name in FOREIGN and name not in known:
            yield Finding(name, b"a file of %b, which means nothing here" % FOREIGN[name], b"foreign-file")
        elif near := meant(name, known, names):
            yield _misspelt(name, near)


def of_log_names(names: "Collection[bytes]") -> "Iterator[Finding]":
    """Hints at names in the directory `log` of a service."""
    known = {name.encode() for name in KNOWN_IN_LOG}
    for name in sorted(names):
        if near := meant(name, known, names):
            yield _misspelt(b"log/" + name, near)
        elif name == b"config":
            yield Finding(b"log/config", b"a file of svlogd (runit), which means nothing here", b"foreign-file")
        elif b"run" in names and name in known - {b"run"}:
            yield Finding(b"log/" + name, b"not read, as there is a log/run", b"unread-file")


def _misspelt(path: bytes, near: bytes) -> Finding:
    return Finding(path, b"means nothing here: is %b meant?" % near, b"misspelt-file")


def meant(name: bytes, known: "Collection[bytes]", present: "Collection[bytes]") -> bytes:
    """The known name that is probably meant, and is not there itself; empty if there is none."""
    if name in known or name.startswith(b"."):
        return b""
    low = name.lower().replace(b"_", b"-")
    stem, _, extension = low.rpartition(b".")
    near = low if low in known else stem if extension in EXTENSIONS and stem in known else b""
    if not near:
        from difflib import get_close_matches

        long = [each.decode("latin-1") for each in known if len(each) > SHORT]
        near = next((each.encode("latin-1") for each in get_close_matches(low.decode("latin-1"), long, 1, CLOSE)), b"")
    return b"" if near in present else near
