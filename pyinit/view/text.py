"""What svstat prints: a line a service in daemontools' words, and what became of the lines of its log.

Read from the service's files alone: `supervise/ok`, `supervise/status`, `down`, and the counters in the runtime
directory. Source: svstat.c of daemontools 0.76.
"""

import posix
from errno import EACCES, ENOENT, ENXIO
from time import time

from pyinit.formats.control import DOWN, UP
from pyinit.formats.status import LENGTH, USUAL, unpack
from pyinit.report import reason, shown
from pyinit.system import files
from pyinit.view.names import find, state_of
from pyinit.view.running import known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.formats.counters import Counters

NOT_RUNNING = b"supervise not running"


class CannotTell(Exception):
    """The state of a service cannot be told: `message` says why, in place of the state."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message


def status_lines(names: list[bytes], untold: "list[bytes] | None" = None) -> list[bytes]:
    """`NAME: how it is` for each name, all as of one moment. A name whose state cannot be told is added to `untold`."""
    now = int(time())
    lines = []
    for name in names:
        try:
            words = _state(name, now)
        except CannotTell as cannot:
            words = cannot.message
            if untold is not None:
                untold.append(name)
        lines.append(b"%b: %b" % (shown(name), words))
    return lines


def counter_words(names: list[bytes]) -> list[bytes]:
    """`; log: ...` for each name whose lines the collector has counted, empty for the others."""
    said = {
        service: b"; log: %d lines, %d bytes; written %d lines, %d bytes; " % counts.amounts()
        + b"%d deselected, %d dropped, blocked %.1f seconds" % (counts.deselected, counts.dropped, counts.blocked)
        for service, counts in line_counters().items()
    }
    return [said.get(name.rstrip(b"/").rpartition(b"/")[2], b"") for name in names]


def line_counters() -> "dict[bytes, Counters]":
    """What the collector has counted of each service's lines; nothing where no collector has."""
    from pyinit.formats import counters

    for directory in known(posix.environ):
        try:
            return counters.unpack(files.read_bounded(directory + counters.FILE, None, counters.LONGEST))
        except (OSError, ValueError):
            continue
    return {}


def _state(name: bytes, now: int) -> bytes:
    """What follows the name. Raises CannotTell.

    The usual service has its state beside it and no file `down`. There may be a thousand of them, so no more is asked
    for. Any other is looked at again, by the steps that can say what the trouble is.
    """
    path = find(name)
    try:
        if name and files.is_missing(path + b"/down"):
            _knock(path)
            return _words(_read_status(_open_status(path)), False, now)
    except (OSError, ValueError):
        pass
    return _state_or_trouble(path, now)


def _state_or_trouble(path: bytes, now: int) -> bytes:
    """Ask for one thing after the other, as the C program does, for the state; CannotTell says the first trouble met.

    Only here is the state looked for in a runtime directory.
    """
    try:
        directory = files.open_directory(path)
    except OSError as error:
        raise CannotTell(b"unable to chdir: " + reason(error)) from None
    try:
        normally_down = files.exists(b"down", directory)
    except OSError as error:
        raise CannotTell(b"unable to stat down: " + reason(error)) from None
    finally:
        posix.close(directory)
    try:
        path = _supervised(path)
    except OSError as error:
        is_left = error.errno == ENXIO
        raise CannotTell(NOT_RUNNING if is_left else b"unable to open supervise/ok: " + reason(error)) from None
    try:
        status = _open_status(path)
    except OSError as error:
        raise CannotTell(b"unable to open supervise/status: " + reason(error)) from None
    try:
        return _words(_read_status(status), normally_down, now)
    except OSError as error:
        raise CannotTell(b"unable to read supervise/status: " + reason(error)) from None
    except ValueError:
        raise CannotTell(b"unable to read supervise/status: bad format") from None


def _supervised(path: bytes) -> bytes:
    """Where the state of the service is that a supervise holds. Raises OSError: ENXIO if none does."""
    try:
        _knock(path)
        return path
    except OSError as error:
        if error.errno not in (ENOENT, EACCES, ENXIO) or (state := state_of(path)) == path:
            raise
    _knock(state)
    return state


def _knock(path: bytes) -> None:
    """Raise OSError unless a supervise holds `ok` open: a FIFO without a reader cannot be opened for writing."""
    posix.close(posix.open(path + b"/supervise/ok", files.WRITE_FLAGS))


def _open_status(path: bytes) -> int:
    return posix.open(path + b"/supervise/status", files.READ_FLAGS)


def _read_status(status: int) -> bytes:
    """The bytes of the open file, which is closed."""
    try:
        return posix.read(status, LENGTH)
    finally:
        posix.close(status)


def _words(content: bytes, normally_down: bool, now: int) -> bytes:
    """What a status says. ValueError if it is none."""
    pid, is_paused, want, since = unpack(content)
    seconds = max(0, now - since // 1_000_000_000)
    if not pid:
        normally = b"" if normally_down else b", normally up"
        return b"down %d seconds%b%b" % (seconds, normally, b", want up" if want == UP else b"")
    words = b"up (pid %d) %d seconds" % (pid, seconds)
    if content[16:] == USUAL and not normally_down:
        return words
    if normally_down:
        words += b", normally down"
    if is_paused:
        words += b", paused"
    if want == DOWN:
        words += b", want down"
    return words
