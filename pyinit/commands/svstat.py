"""svstat [dir ...]: prints how each service is; without arguments, all of the service directory.

svstat -v [dir ...]: the same, and what became of each service's lines in the built-in log.
svstat --ready: whether every service that should be up has been up since the container started (exit 0, else 1).
"""

import posix
from errno import EACCES, ENOENT, ENXIO
from time import time

from pyinit.report import reason
from pyinit.services.control import DOWN, UP
from pyinit.services.directory import is_down
from pyinit.services.names import find, listed, state_of
from pyinit.services.place import is_ready, known
from pyinit.services.status import Status
from pyinit.services.status import unpack as unpack_status
from pyinit.system import files


def main(argv: list[bytes]) -> int:
    """One line a service, all written at the end."""
    if argv[1:] == [b"--ready"]:
        return 0 if is_ready(posix.environ) else 1
    tells_logs = argv[1:2] == [b"-v"]
    operands = argv[2:] if tells_logs else argv[1:]
    named = [(name, find(name)) for name in operands] if operands else [(path, path) for path in listed()]
    accounts = _accounts() if tells_logs else {}
    now = int(time())
    output = b"".join(
        b"%b: %b%b\n" % (name, _line(path, now), accounts.get(path.rstrip(b"/").rpartition(b"/")[2], b""))
        for name, path in named
    )
    while output:
        output = output[posix.write(1, output) :]
    return 0


def _accounts() -> dict[bytes, bytes]:
    """What to say of the log of each service that the logging process has counted."""
    from pyinit.logs.accounts import FILE, unpack

    for place in known(posix.environ):
        try:
            accounts = unpack(files.read(place + FILE))
        except (OSError, ValueError):
            continue
        return {
            name: b"; log: %d lines, %d bytes, %d deselected, %d dropped, blocked %.1f seconds"
            % (a.lines_in, a.bytes_in, a.deselected, a.dropped, a.blocked)
            for name, a in accounts.items()
        }
    return {}


def _line(path: bytes, now: int) -> bytes:
    """What follows the name: the first trouble met, else the state."""
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
    posix.close(posix.open(path + b"/supervise/ok", files.WRITE_FLAGS))


def _closed(error: OSError) -> bytes:
    if error.errno == ENXIO:
        return b"supervise not running"
    return b"unable to open supervise/ok: " + reason(error)


def _state(path: bytes, normally_down: bool, now: int) -> bytes:
    try:
        descriptor = posix.open(path + b"/supervise/status", files.READ_FLAGS)
    except OSError as error:
        return b"unable to open supervise/status: " + reason(error)
    try:
        return _words(unpack_status(posix.read(descriptor, 64)), normally_down, now)
    except OSError as error:
        return b"unable to read supervise/status: " + reason(error)
    except ValueError:
        return b"unable to read supervise/status: bad format"
    finally:
        posix.close(descriptor)


def _words(status: Status, normally_down: bool, now: int) -> bytes:
    seconds = max(0, now - status.since // 1_000_000_000)
    words = b"up (pid %d) %d seconds" % (status.pid, seconds) if status.pid else b"down %d seconds" % seconds
    if status.pid and normally_down:
        words += b", normally down"
    if not status.pid and not normally_down:
        words += b", normally up"
    if status.pid and status.paused:
        words += b", paused"
    if not status.pid and status.want == UP:
        words += b", want up"
    if status.pid and status.want == DOWN:
        words += b", want down"
    return words
