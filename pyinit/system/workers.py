"""A process forked from this one for work of its own, and the socket by which both speak. For PID 1's side.

It is forked, not executed, so that both share pages. The one who starts it keeps what is needed to start it again.
"""

from _socket import AF_UNIX, MSG_DONTWAIT, SOCK_SEQPACKET, socketpair

from pyinit.system.fork import fork, worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Iterator
    from typing import Any

    from pyinit.system.loop import Loop


def start_worker(
    loop: "Loop", prog: bytes, receive: "Callable[[], None]", work: "Callable[..., int]", *arguments: "Any"
) -> "tuple[int, socket]":
    """Fork a process `prog` that runs work(its socket, *arguments); its pid, and our socket, which is the caller's.

    `receive` is called when the socket can be read. Raises OSError and MemoryError; then nothing of it is left.
    """
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    try:
        loop.add_reader(ours.fileno(), receive)
        return fork(worker, prog, theirs.fileno(), work, theirs, *arguments), ours
    except (OSError, MemoryError):
        loop.remove_reader(ours.fileno())
        close_socket(ours)
        raise
    finally:
        close_socket(theirs)


def packets(loop: "Loop", ours: "socket", longest: int) -> "Iterator[bytes]":
    """The packets that have come, each once the one before was taken. At the end of all of them `ours` is not read."""
    while ours.fileno() >= 0:
        try:
            packet = ours.recv(longest, MSG_DONTWAIT)
        except OSError:
            return
        if not packet:
            loop.remove_reader(ours.fileno())
            return
        yield packet


def hang_up(loop: "Loop", ours: "socket") -> None:
    """Wait for the socket no more, and close it: the worker comes to the end of its input."""
    loop.remove_reader(ours.fileno())
    loop.remove_writer(ours.fileno())
    close_socket(ours)


def close_socket(end: "socket") -> None:
    """Close; an error changes nothing (close(2))."""
    try:
        end.close()
    except OSError:
        pass


def end_in_words(outcome: int) -> bytes:
    """How a worker ended."""
    return b"was killed by signal %d" % -outcome if outcome < 0 else b"exited %d" % outcome
