"""A service directory -> its Definition, from one listing: only files that are there are opened.

What a file says was written by others. Each is opened without waiting, checked to be a regular file, and read up to
LONGEST bytes. A file that cannot be used is a trouble of the definition, never an error of the reader.
`policy_files.py` reads those that say something of the service's life.
"""

import posix
from _stat import S_ISDIR, S_ISREG

from pyinit.report import reason
from pyinit.services.definition.definition import HAS_NUL, LONGEST, PLAIN, SETTINGS, Definition, LogDefinition
from pyinit.services.life.policy import AS_DAEMONTOOLS
from pyinit.services.trouble import WANTING
from pyinit.system import files

REFUSED = ".refused"
"""Left by `pyinit -f` in the directory of a service with mistakes: where the first is, and on a second line what."""

WITHOUT_SETTINGS = frozenset(("down", "env", "log", "secrets"))
KNOWN = WITHOUT_SETTINGS.union(SETTINGS)
READ, READ_WITHOUT_SETTINGS = KNOWN | {REFUSED}, WITHOUT_SETTINGS | {REFUSED}
"""What is looked for in a directory, with the files of a service's life and without them."""

LISTING = posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC

KNOWN_IN_LOG = frozenset(("fold", "run", "script", "user"))


def read_definition(directory_fd: int, has_settings: bool = True) -> Definition:
    """What the directory says. Raises OSError when it cannot be read for want of descriptors or memory.

    `has_settings`: the files that say something of the service's life count, too.
    """
    known = READ if has_settings else READ_WITHOUT_SETTINGS
    try:
        list_fd = posix.open(".", LISTING, dir_fd=directory_fd)
    except PermissionError:
        names = _ask_for(known, directory_fd)
    else:
        try:
            names = known.intersection(posix.listdir(list_fd))
        finally:
            posix.close(list_fd)
    if not names:
        return PLAIN
    troubles: list[tuple[bytes, bytes]] = []
    log = _read_log(directory_fd, troubles) if "log" in names else None
    policy, refusal = AS_DAEMONTOOLS, None
    if not names <= READ_WITHOUT_SETTINGS:
        from pyinit.services.definition.policy_files import read_policy

        policy, refusal = read_policy(names, directory_fd, log is not None and log.brings_logger, troubles)
    if REFUSED in names:
        where, _, what = files.read_bounded(REFUSED.encode(), directory_fd, LONGEST).partition(b"\n")
        refusal = where, what
        troubles.append(refusal)
    return Definition(
        is_down="down" in names and _exists(b"down", directory_fd, troubles),
        has_env="env" in names,
        has_secrets="secrets" in names,
        log=log,
        troubles=tuple(troubles),
        policy=policy,
        refusal=refusal,
    )


def _ask_for(known: "frozenset[str]", directory_fd: int) -> "frozenset[str]":
    """Those of the known names that are in a directory that may be searched, but not read."""
    return frozenset(name for name in known if not files.is_missing(name.encode(), directory_fd))


def read_as_supervise(directory_fd: int) -> Definition:
    """What the C supervise asks: whether there is a `down`, of any type. Raises OSError."""
    return Definition(is_down=True) if files.exists(b"down", directory_fd) else PLAIN


def read_log_as_svscan(name: bytes, parent_fd: int) -> LogDefinition | None:
    """What the C svscan asks: a `log` of any type has a logger. Raises OSError."""
    return LogDefinition(brings_logger=True) if files.exists(name + b"/log", parent_fd) else None


def _exists(name: bytes, directory_fd: int, troubles: "list[tuple[bytes, bytes]]") -> bool:
    """Whether stat finds it; a file that cannot be asked about counts as there. A link that leads nowhere is told."""
    try:
        if files.exists(name, directory_fd):
            return True
        if not files.is_missing(name, directory_fd):
            troubles.append((name, b"a link that leads nowhere"))
        return False
    except OSError as error:
        troubles.append((name, reason(error)))
        return True


def _read_log(directory_fd: int, troubles: "list[tuple[bytes, bytes]]") -> LogDefinition | None:
    try:
        if not S_ISDIR(posix.stat(b"log", dir_fd=directory_fd).st_mode):
            troubles.append((b"log", b"not a directory"))
            return None
        log_fd = files.open_directory(b"log", directory_fd)
    except OSError as error:
        _tell_unreadable(error, troubles)
        return None
    try:
        names = _list_log(log_fd)
        if "run" in names and _is_program(b"run", log_fd, troubles):
            return LogDefinition(brings_logger=True)
        lines = {"script": b"", "user": b""}
        for name in names.intersection(lines):
            lines[name] = _first_line(name.encode(), log_fd, directory_fd, troubles)
        return LogDefinition(script=lines["script"], user=lines["user"], is_multiline="fold" in names)
    except OSError as error:
        _tell_unreadable(error, troubles)
        return None
    finally:
        posix.close(log_fd)


def _list_log(log_fd: int) -> "frozenset[str]":
    """The known names in `log`. They are listed, too: asked for, a name is hidden by a call that fails."""
    try:
        list_fd = posix.open(".", LISTING, dir_fd=log_fd)
    except PermissionError:
        return _ask_for(KNOWN_IN_LOG, log_fd)
    try:
        return KNOWN_IN_LOG.intersection(posix.listdir(list_fd))
    finally:
        posix.close(list_fd)


def _tell_unreadable(error: OSError, troubles: "list[tuple[bytes, bytes]]") -> None:
    """The container logs a service whose `log` cannot be read. What is only WANTING is raised: it will be there."""
    if error.errno in WANTING:
        raise error
    troubles.append((b"log", reason(error)))


def _is_program(name: bytes, log_fd: int, troubles: "list[tuple[bytes, bytes]]") -> bool:
    """Whether it could be run as a logger; if it never can, the container logs the service. Raises OSError."""
    try:
        mode = posix.stat(name, dir_fd=log_fd).st_mode
    except FileNotFoundError as error:
        why = reason(error)
    else:
        if S_ISREG(mode):
            return True
        why = b"is a directory" if S_ISDIR(mode) else b"not a regular file"
    troubles.append((b"log/" + name, why))
    return False


def _first_line(name: bytes, log_fd: int, directory_fd: int, troubles: "list[tuple[bytes, bytes]]") -> bytes:
    """The first line of a file in `log`, without the white space around it."""
    from pyinit.system.beneath import open_beneath

    try:
        content = files.read_regular(open_beneath(name, log_fd, directory_fd), LONGEST)
        line = content.partition(b"\n")[0].strip()
        if b"\0" not in line:
            return line
        why = HAS_NUL
    except OSError as error:
        why = reason(error)
    troubles.append((b"log/" + name, why))
    return b""
