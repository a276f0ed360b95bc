"""What a service tells by sd_notify(3): lines NAME=VALUE in one datagram. Pure.

Names that mean nothing here are ignored, as systemd ignores those that it does not know. So are values that cannot be.
"""

LONGEST = 4096
"""Bytes of a datagram; a longer one is ignored, as by systemd."""

LONGEST_STATUS = 256
"""Bytes of a status that are kept."""

MOST_DIGITS = 18
MICROSECONDS = 1e6


class Notice:
    """One datagram. `is_alive`: WATCHDOG=1. `is_sick`: WATCHDOG=trigger. `status`: None without one.

    `main_pid`: of MAINPID, 0 without. `extension`: seconds of EXTEND_TIMEOUT_USEC, 0 without.
    """

    __slots__ = ("extension", "is_alive", "is_ready", "is_reloading", "is_sick", "is_stopping", "main_pid", "status")

    def __init__(self) -> None:
        self.is_ready = self.is_stopping = self.is_reloading = self.is_alive = self.is_sick = False
        self.status: bytes | None = None
        self.main_pid = 0
        self.extension = 0.0


def read_notice(datagram: bytes) -> Notice:
    """What a datagram says. Of several lines with one name the last holds."""
    said = {name: value for name, is_set, value in (line.partition(b"=") for line in datagram.split(b"\n")) if is_set}
    notice = Notice()
    notice.is_ready = said.get(b"READY") == b"1"
    notice.is_stopping = said.get(b"STOPPING") == b"1"
    notice.is_reloading = said.get(b"RELOADING") == b"1"
    notice.is_alive = said.get(b"WATCHDOG") == b"1"
    notice.is_sick = said.get(b"WATCHDOG") == b"trigger"
    if b"STATUS" in said:
        notice.status = said[b"STATUS"][:LONGEST_STATUS]
    notice.main_pid = _number(said.get(b"MAINPID", b""))
    notice.extension = _number(said.get(b"EXTEND_TIMEOUT_USEC", b"")) / MICROSECONDS
    return notice


def socket_address(value: bytes) -> bytes:
    """The address that a value of NOTIFY_SOCKET means: an `@` stands for the NUL of an abstract one."""
    return b"\0" + value[1:] if value.startswith(b"@") else value


def socket_name(address: bytes) -> bytes:
    """The value of NOTIFY_SOCKET for an address; the mirror of `socket_address`."""
    return b"@" + address[1:] if address.startswith(b"\0") else address


def _number(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) <= MOST_DIGITS else 0
