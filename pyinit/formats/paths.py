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


def runtime_directories(environment: "Mapping[bytes, bytes]", uid: int) -> list[bytes]:
    """Where the runtime directory of a PID 1 of this user may be; the first that can be used is taken."""
    named = environment.get(b"PYINIT_STATE", b"")
    own = [b"/dev/shm/pyinit-%d" % uid, b"/tmp/pyinit-%d" % uid]
    return [*([named] if named.startswith(b"/") else []), b"/run/pyinit", *own]
