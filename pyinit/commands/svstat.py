"""svstat [dir ...]: prints how each service is; without arguments, all of the service directory.

svstat -v [dir ...]: the same, and what became of each service's lines in the built-in log.
svstat --ready: whether every service that should be up has been up since the container started (exit 0, else 1).
"""

import posix
from time import time

from pyinit.formats.status import LENGTH, USUAL, unpack
from pyinit.report import reason
from pyinit.system import files

KNOCKING = files.WRITE_FLAGS
"""Opened so, `ok` is there only while a supervise has it open."""


def main(argv: list[bytes]) -> int:
    """One line a service, all written at the end."""
    if argv[1:] == [b"--ready"]:
        from pyinit.services.runtime import is_ready

        return 0 if is_ready(posix.environ) else 1
    tells_logs = argv[1:2] == [b"-v"]
    names = (argv[2:] if tells_logs else argv[1:]) or _listed()
    now = int(time())
    lines = [b"%b: %b" % (name, _line(name, now)) for name in names]
    if tells_logs:
        accounts = _accounts()
        lines = [
            line + accounts.get(name.rstrip(b"/").rpartition(b"/")[2], b"")
            for line, name in zip(lines, names, strict=True)
        ]
    output = b"".join([line + b"\n" for line in lines])
    while output:
        output = output[posix.write(1, output) :]
    return 0


def _listed() -> list[bytes]:
    from pyinit.view.names import listed

    return listed()


def _accounts() -> dict[bytes, bytes]:
    """What to say of the log of each service that the logging process has counted."""
    from pyinit.formats.counters import FILE
    from pyinit.formats.counters import unpack as unpack_accounts
    from pyinit.services.runtime import known

    for place in known(posix.environ):
        try:
            accounts = unpack_accounts(files.read(place + FILE))
        except (OSError, ValueError):
            continue
        return {
            name: b"; log: %d lines, %d bytes; written %d lines, %d bytes; " % a.amounts()
            + b"%d deselected, %d dropped, blocked %.1f seconds" % (a.deselected, a.dropped, a.blocked)
            for name, a in accounts.items()
        }
    return {}


def _line(name: bytes, now: int) -> bytes:
    """What follows the name. In the usual case, for a thousand services' sake, nothing is done that need not be."""
    try:
        if name and files.is_missing(name + b"/down"):
            posix.close(posix.open(name + b"/supervise/ok", KNOCKING))
            descriptor = posix.open(name + b"/supervise/status", files.READ_FLAGS)
            content = posix.read(descriptor, LENGTH)
            posix.close(descriptor)
            return _words(content, False, now)
    except (OSError, ValueError):
        pass
    return _closely(name, now)


def _closely(name: bytes, now: int) -> bytes:
    """The first trouble met, asking one thing after the other as the C program does; else the state.

    Here only a name is looked up: one that a supervise is found by as it is means that.
    """
    from errno import EACCES, ENOENT, ENXIO

    from pyinit.services.statedir import is_down
    from pyinit.view.names import find, state_of

    path = find(name)
    try:
        directory = files.open_directory(path)
    except OSError as error:
        return b"unable to chdir: " + reason(error)
    try:
        normally_down = is_down(directory)
    except OSError as error:
        return b"unable to stat down: " + reason(error)
    finally:
        posix.close(directory)
    try:
        _knock(path)
    except OSError as error:
        if error.errno not in (ENOENT, EACCES, ENXIO) or (state := state_of(path)) == path:
            return _closed(error)
        path = state
        try:
            _knock(path)
        except OSError as error:
            return _closed(error)
    return _state(path, normally_down, now)


def _knock(path: bytes) -> None:
    """Raise OSError unless a supervise holds `ok` open."""
    posix.close(posix.open(path + b"/supervise/ok", KNOCKING))


def _closed(error: OSError) -> bytes:
    from errno import ENXIO

    if error.errno == ENXIO:
        return b"supervise not running"
    return b"unable to open supervise/ok: " + reason(error)


def _state(path: bytes, normally_down: bool, now: int) -> bytes:
    try:
        descriptor = posix.open(path + b"/supervise/status", files.READ_FLAGS)
    except OSError as error:
        return b"unable to open supervise/status: " + reason(error)
    try:
        return _words(posix.read(descriptor, LENGTH), normally_down, now)
    except OSError as error:
        return b"unable to read supervise/status: " + reason(error)
    except ValueError:
        return b"unable to read supervise/status: bad format"
    finally:
        posix.close(descriptor)


def _words(content: bytes, normally_down: bool, now: int) -> bytes:
    """What a status says. ValueError if it is none."""
    pid, paused, want, since = unpack(content)
    seconds = max(0, now - since // 1_000_000_000)
    if pid and content[16:] == USUAL and not normally_down:
        return b"up (pid %d) %d seconds" % (pid, seconds)
    from pyinit.formats.control import DOWN, UP

    if not pid:
        normally = b"" if normally_down else b", normally up"
        return b"down %d seconds%b%b" % (seconds, normally, b", want up" if want == UP else b"")
    words = b"up (pid %d) %d seconds" % (pid, seconds)
    if normally_down:
        words += b", normally down"
    if paused:
        words += b", paused"
    if want == DOWN:
        words += b", want down"
    return words
