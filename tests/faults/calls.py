"""Which system calls are made to fail, with which errors, and how one is named: by what it was about."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from machine import ROOT

ERRORS = {
    "access": "EIO",
    "chdir": "EACCES",
    "clone": "EAGAIN",
    "clone3": "ENOSYS",  # the C library tries clone next
    "close": "EIO",
    "dup": "EMFILE",
    "dup2": "EMFILE",
    "dup3": "EMFILE",
    "epoll_create1": "EMFILE",
    "epoll_ctl": "ENOMEM",
    "epoll_wait": "ENOMEM",
    "faccessat2": "EIO",
    "fchdir": "EACCES",
    "fchmod": "EPERM",
    "fcntl": "ENOMEM",
    "flock": "ENOLCK",
    "fstat": "ENOMEM",
    "fsync": "EIO",
    "ftruncate": "EIO",
    "getdents64": "EIO",
    "ioctl": "EIO",
    "kill": "EPERM",
    "linkat": "ENOSPC",
    "lseek": "EIO",
    "mkdir": "ENOSPC",
    "mkdirat": "ENOSPC",
    "mknodat": "ENOSPC",
    "newfstatat": "ENOMEM",
    "openat": "EMFILE",
    "pipe2": "EMFILE",
    "poll": "ENOMEM",
    "prctl": "EPERM",
    "prlimit64": "EPERM",
    "pwrite64": "ENOSPC",
    "read": "EIO",
    "readlink": "EIO",
    "readlinkat": "EIO",
    "recvfrom": "ENOMEM",
    "recvmsg": "ENOMEM",
    "rename": "ENOSPC",
    "renameat": "ENOSPC",
    "rmdir": "EIO",
    "rt_sigaction": "EINVAL",
    "rt_sigprocmask": "EINVAL",
    "sendmsg": "ENOBUFS",
    "sendto": "ENOBUFS",
    "shutdown": "ENOTCONN",
    "socketpair": "EMFILE",
    "statfs": "EIO",
    "symlinkat": "ENOSPC",
    "unlink": "EIO",
    "unlinkat": "EIO",
    "vfork": "EAGAIN",
    "wait4": "ENOMEM",
    "write": "ENOSPC",
}
"""The calls that are made to fail, each with an error that it may have."""

NO_ERRORS = {"exit_group", "geteuid", "getpid", "getppid", "gettid", "getuid", "rt_sigreturn", "umask"}
"""Calls that cannot fail."""

MEMORY = {"brk", "mmap", "mprotect", "mremap", "munmap"}
"""Left out: the interpreter makes them wherever it likes, and answers for them itself."""

BY_PATH = re.compile(r"\w*(open|access|mk|stat|readlink|rename|rmdir|unlink|link|chdir|chmod)")
"""Calls whose first text is a path."""

CALL = re.compile(r"^(\w+)\((.*)")
DESCRIPTOR = re.compile(r"\b\d+<(.*?)>(?=[,) ]|$)")
WORD = re.compile(r"\b(?:F_[A-Z_]+|EPOLL_CTL_[A-Z]+|SIG_[A-Z]+)\b|(?<=, )SIG[A-Z]+\b")
LAUNCHER = re.compile(r'^openat\(AT_FDCWD\S* "[^"]*bin/pyinit", O_RDONLY\|O_CLOEXEC\|O_PATH')
"""The first call of our launcher; the calls before it are the interpreter's."""

INJECTED = "(INJECTED)"
"""How strace marks a call that it made to fail."""


@dataclass
class Fault:
    """In a phase a call fails, the one that `when` says: counted from the start of the process or the attachment."""

    phase: str
    call: str
    when: str
    about: str = ""
    error: str = field(default="")

    def __post_init__(self) -> None:
        self.error = self.error or ERRORS[self.call]

    @property
    def options(self) -> list[str]:
        """Of strace."""
        return ["-y", "-e", "trace=" + self.call, "-e", f"inject={self.call}:error={self.error}:when={self.when}"]


def about(line: str, top: Path) -> str:
    """What a call was about, from its line in a trace: words, and the name of the file, without what varies."""
    match = CALL.match(line)
    assert match, line
    call, rest = match.groups()
    given, _, result = re.sub(r"AT_FDCWD<.*?>", "AT_FDCWD", rest).rpartition(" = ")
    words = [] if call == "rt_sigaction" else WORD.findall(given)
    fds = DESCRIPTOR.findall(given)
    path = fds[-1] if fds and call == "epoll_ctl" else fds[0] if fds else ""
    if BY_PATH.match(call) and (named := re.search(r'"([^"]*)"', given)) and named[1]:
        path = named[1] if named[1].startswith("/") else path and f"{path}/{named[1]}"
    if not path and (made := DESCRIPTOR.findall(result)):
        path = made[0]
    return " ".join([*words, short(path, top)]).strip()


def short(path: str, top: Path) -> str:
    """A name for a file that says what it is, and does not vary from run to run."""
    if not path.startswith("/"):
        kind = re.match(r"(?:anon_inode:\[)?(\w+)", path)
        return {"UNIX": "socket", "eventpoll": ""}.get(kind[1], kind[1].lower()) if kind else ""
    path = str(Path(path)).replace(f"{ROOT}/bin/..", str(ROOT))
    if re.search(r"\.pyc?(\.\d+)?$", path):
        return "a module"
    if path.endswith(".so") or "lib-dynload" in path:
        return "an extension module"
    path = path.replace(sys.base_prefix, "PYTHON").replace(str(top), "").replace(str(ROOT), "CHECKOUT").lstrip("/")
    return re.sub(r"@[0-9a-f]{24}\.\w|\b\d+\b", "N", path)


def faults(phase: str, lines: list[str], top: Path) -> Iterator[Fault]:
    """The faults of a phase, from its trace: of the calls that are alike, the first two and the last fail."""
    counts: dict[str, int] = {}
    alike: dict[tuple[str, str], list[int]] = {}
    is_ours = phase != "start"  # before our launcher everything is the interpreter's
    for line in lines:
        match = CALL.match(line)
        if not match:
            continue
        call = match[1]
        counts[call] = counts.get(call, 0) + 1
        if LAUNCHER.match(line):
            is_ours = phase != "interpreter"
        is_known = call in ERRORS or phase != "interpreter"  # a new call of ours is to be put into the table
        if is_ours and is_known and call not in NO_ERRORS | MEMORY:
            alike.setdefault((call, about(line, top)), []).append(counts[call])
    if phase not in ("interpreter", "start"):
        yield Fault(phase, "epoll_wait", "1..20", "20 times")
    for (call, what), numbers in sorted(alike.items()):
        for number in sorted({*numbers[:2], numbers[-1]}):
            yield Fault(phase, call, str(number), what)
