"""What a program finds when it is started: read of a program that sleeps at the end of a chain of commands."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from waiting import until

STARTER = """
import ctypes, json, os, signal, sys
order = json.load(sys.stdin)
for number in range(1, 65):
    if number not in (9, 19, 32, 33):
        signal.signal(number, signal.SIG_IGN if number in order["ignored"] else signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, order["blocked"])
os.chdir(bytes.fromhex(order["directory"]))
os.umask(0o027)
null = os.open("/dev/null", os.O_RDONLY)
for number in range(3):
    os.dup2(null, number)
os.closerange(3, 100)
for number in order["open"]:
    os.dup2(0, number)
for number in order["closed"]:
    os.close(number)
pointers = lambda strings: (ctypes.c_char_p * (len(strings) + 1))(*map(bytes.fromhex, strings), None)
ctypes.CDLL(None).execve(bytes.fromhex(order["program"]), pointers(order["argv"]), pointers(order["environment"]))
os._exit(99)
"""
"""Becomes a program with exactly this environment, these signals and descriptors; argument lists as hex."""


FIELDS = rb"Umask|Uid|Gid|Groups|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt|Cap\w+|NoNewPrivs|Seccomp|Threads"
STATUS = re.compile(rb"^(?:" + FIELDS + rb"):.*$", re.MULTILINE)


def without_internal(line: bytes) -> bytes:
    """Signals 32 and 33 are the C library's own: its posix_spawn, as make uses it, leaves them ignored."""
    name, tab, mask = line.partition(b"\t")
    return b"%b\t%016x" % (name, int(mask, 16) & ~(3 << 31)) if name == b"SigIgn:" and tab else line


def facts(pid: int) -> dict[str, object]:
    """What /proc says of a process, without what differs from run to run."""
    process = Path(f"/proc/{pid}")
    numbers = (process / "stat").read_bytes().rpartition(b")")[2].split()
    leads = {name: int(numbers[at]) == pid for name, at in (("group", 2), ("session", 3))}
    descriptors = {}
    for link in sorted((process / "fd").iterdir(), key=lambda link: int(link.name)):
        flags = re.search(rb"flags:\s*(\d+)", (process / "fdinfo" / link.name).read_bytes())
        target = re.sub(r"\[\d+\]", "[]", os.readlink(link))
        descriptors[int(link.name)] = (target, flags[1] if flags else b"", stat.S_IFMT(link.stat().st_mode))
    return {
        "environ": (process / "environ").read_bytes().split(b"\0"),
        "cmdline": (process / "cmdline").read_bytes(),
        "directory": os.readlink(process / "cwd"),
        "descriptors": descriptors,
        "status": [without_internal(line) for line in STATUS.findall((process / "status").read_bytes())],
        "limits": (process / "limits").read_bytes(),
        "leads": leads,
        "nice": numbers[16:17],
    }


def sleeper(pid: int) -> int:
    """The pid of the program at the end of the chain, a child of fghack's; 0 as long as it does not sleep."""
    for candidate in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        process = Path(f"/proc/{candidate}")
        is_it = (process / "cmdline").read_bytes().startswith((b"/bin/sleep\0", b"sleep\0"))
        if is_it and (process / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"S":  # not still loading
            return candidate
    return 0


@contextlib.contextmanager
def started(command: Path, arguments: list[bytes], place: Path, **order: object) -> Iterator[int]:
    """Start a command as ordered; gives the pid of the sleeper at the end of the chain."""
    argv = [bytes(command.name, "ascii"), *arguments]
    words = {"program": os.fsencode(command).hex(), "directory": os.fsencode(place).hex()}
    defaults: dict[str, object] = {"ignored": [], "blocked": [], "open": [], "closed": [], "environment": []}
    order = {**defaults, **words, "argv": [word.hex() for word in argv], **order}
    process = subprocess.Popen([sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()
        last = until(lambda: process.poll() is not None or sleeper(process.pid), f"{command} to run its program")
        assert process.poll() is None, f"{command} ended with {process.returncode}"
        yield last
        os.kill(last, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
