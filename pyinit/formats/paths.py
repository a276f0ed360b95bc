"""Names on disk that several programs must agree about. Pure.

The runtime directory is where PID 1 leaves what others read, and where services whose own directory is read-only have
their state. There is no one place that can be written in every container, so there is a list of candidates.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOGS = b"/var/log/services"
"""The container's log directory, unless PYINIT_LOG_DIR names another: one log directory for each service in it."""

READY = b"ready"
"""In the runtime directory, while every service that should be up has been up once."""

STARTING, STOPPING = b"starting", b"stopping"
"""How PID 1 is before it is ready, and when all are going down. The table of services says so."""

COUNTERS = b"logs"
"""In the runtime directory: the counters of the log collector, see `counters.py`."""

SERVICES = b"services"
"""In the runtime directory: the table of services, see `services.py`."""

LOCK = b"lock"
"""In the runtime directory: flocked by PID 1 while it lives, and by that the sign that a pyinit runs here."""

UNPACKED = b"unpacked"
"""In the runtime directory: the directories of services that `pyinit -f` made of one file."""

FILES = frozenset((READY, COUNTERS, LOCK, UNPACKED, SERVICES))
"""Names in the runtime directory that are no service's."""


def runtime_directories(environment: "Mapping[bytes, bytes]", uid: int) -> list[bytes]:
    """Where the runtime directory of a PID 1 of this user may be; the first that can be used is taken."""
    named = environment.get(b"PYINIT_STATE", b"")
    own = [b"/dev/shm/pyinit-%d" % uid, b"/tmp/pyinit-%d" % uid]
    return [*([named] if named.startswith(b"/") else []), b"/run/pyinit", *own]


def state_name(name: bytes) -> bytes:
    """The directory below the runtime directory for the state of service `name`, or of `name/log`.

    A service with the name of a file there gets a leading dot. No service has one of its own, so no two meet.
    """
    return b"." + name if name.partition(b"/")[0] in FILES else name


def pack_lock(pid: int, service_dir: bytes) -> bytes:
    """The content of the lock file: the pid, a space, and the absolute path of the service directory."""
    return b"%d %b" % (pid, service_dir)


def unpack_lock(content: bytes) -> tuple[int, bytes]:
    """The pid and the service directory. Raises ValueError where it is not whole."""
    pid, is_whole, service_dir = content.partition(b" ")
    if not is_whole or not pid.isdigit():
        raise ValueError("not a lock file")
    return int(pid), service_dir
