"""Tells who started this process how it is, by sd_notify(3). Loaded only where NOTIFY_SOCKET is set."""

from _socket import AF_UNIX, MSG_DONTWAIT, SOCK_DGRAM, socket

from pyinit.formats.notice import socket_address


def tell(value: bytes, message: bytes) -> None:
    """Send a message to the socket that the value of NOTIFY_SOCKET names. Raises OSError; waits for nothing."""
    sending = socket(AF_UNIX, SOCK_DGRAM)
    try:
        sending.sendto(message, MSG_DONTWAIT, socket_address(value))
    finally:
        sending.close()
