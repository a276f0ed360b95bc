"""A program started through a chain-loading command finds the process as it would through Debian's C command."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemontools import Commands
from inheritance import facts, started

PATH = b"PATH=/usr/bin:/bin"
ENVIRONMENTS = {
    "locale": [PATH, b"LANG=C.UTF-8", b"HOME=/"],
    "none": [],
    "no locale": [b"B=1", PATH, b"A=2"],
    "legacy locale": [b"LC_CTYPE=C", PATH, b"LANG=C"],
    "empty locale": [PATH, b"LC_CTYPE=", b"A=1"],
    "unknown locale": [PATH, b"LC_CTYPE=xx_YY", b"LANG=yy_ZZ.EUC-JP"],
    "locale twice": [b"LC_CTYPE=POSIX", PATH, b"LC_CTYPE=C.UTF-8", b"LC_CTYPE=C"],
    "the locale Python would choose": [PATH, b"LC_CTYPE=C.UTF-8"],
    "all locale": [PATH, b"LC_ALL=C", b"LC_CTYPE=C"],
    "twice": [b"UID=1", b"A=1", b"A=2", b"UID=2", PATH, b"PATH=/nonexistent", b"A=3", b"GID=1"],
    "malformed": [b"NAME", b"A=1", b"", b"=", b"=x", PATH, b"=y=z", b"A", b"UID", b"A=1"],
    "bytes": [b"\xe4\xff=\x80\xfe", PATH, b"A=\xed\xa0\x80\n\r", b"a.b%c=d", b"X=" + bytes(range(1, 256))],
    "for Python": [b"PYTHONHOME=/x", b"PYTHONPATH=/x", b"PYTHONUTF8=0", b"PYTHONCOERCECLOCALE=warn", PATH, b"PWD=/x"],
}

SLEEP = [b"/bin/sleep", b"1000", b"0"]
COMMANDS = {
    "envdir": [b"e", *SLEEP],
    "envuidgid": [b"mail", *SLEEP],
    "setuidgid": [b"mail", *SLEEP],
    "softlimit": [b"-o", b"99", b"-c0", b"-s=", *SLEEP],
    "setlock": [b"lock", *SLEEP],
    "pgrphack": SLEEP,
    "fghack": SLEEP,
}


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.remove()


@pytest.fixture
def place(commands: Commands) -> Path:
    """A directory to work in, with something for envdir to set, to change, and to remove."""
    place = commands.root / "w\udce4"
    files = {
        b"A": b"new",
        b"A2": b"x\0y\n",
        b"REMOVED": b"",
        b"B": b"",
        b"P=Q": b"z",
        b"LC_CTYPE2": b"C",
        b"\xff": b"\xfe",
    }
    if not place.exists():
        (place / "e").mkdir(parents=True)
        for name, content in files.items():
            (place / "e" / os.fsdecode(name)).write_bytes(content)
        (place / "lock").touch()
        for path in (place, place / "e"):
            path.chmod(0o777)
    return place


Compare = Callable[..., dict[str, object]]


@pytest.fixture
def same(commands: Commands, place: Path) -> Compare:
    """Compares what follows our command and the C one; gives the facts of ours."""

    def compare(name: str, arguments: list[bytes], **order: object) -> dict[str, object]:
        if name == "setuidgid" and os.geteuid() != 0:
            pytest.fail("setuidgid needs root: run the tests as root (in a container, for example)")
        found = []
        for directory in (commands.ours, commands.debian):
            with started(directory / name, arguments, place, **order) as pid:
                found.append(facts(pid))
        ours, expected = found
        for what, value in expected.items():
            assert ours[what] == value, what
        return ours

    return compare


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", COMMANDS)
def test_environment_is_the_same_in_order_and_bytes(name: str, environment: str, same: Compare) -> None:
    same(name, COMMANDS[name], environment=[entry.hex() for entry in ENVIRONMENTS[environment]])


@pytest.mark.parametrize("name", COMMANDS)
def test_ignored_and_blocked_signals_stay_so(name: str, same: Compare) -> None:
    hup, interrupt, usr1, real_time = signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, 40
    found = same(name, COMMANDS[name], ignored=[hup, interrupt], blocked=[usr1, signal.SIGTERM, real_time])
    assert b"SigIgn:\t%016x" % (1 << hup - 1 | 1 << interrupt - 1) in found["status"]  # type: ignore[operator]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_default_of_every_signal_is_kept(name: str, same: Compare) -> None:
    found = same(name, COMMANDS[name])
    assert b"SigIgn:\t%016x" % 0 in found["status"]  # type: ignore[operator]


@pytest.mark.parametrize("name", COMMANDS)
def test_signals_the_interpreter_ignores_become_the_default(name: str, commands: Commands, place: Path) -> None:
    """The one thing that cannot be known: whether they were ignored before. The C commands keep them ignored."""
    ignored = [signal.SIGPIPE, signal.SIGXFSZ]
    with started(commands.ours / name, COMMANDS[name], place, ignored=ignored) as pid:
        assert b"SigIgn:\t%016x" % 0 in facts(pid)["status"]  # type: ignore[operator]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("closed", "opened"),
    [([], [4, 5, 9]), ([0], []), ([1], []), ([0, 1], [3]), ([0, 1, 2], []), ([2], [7])],
    ids=lambda numbers: ",".join(map(str, numbers)) or "-",
)
def test_descriptors_are_the_same(name: str, closed: list[int], opened: list[int], same: Compare) -> None:
    same(name, COMMANDS[name], closed=closed, open=opened)


@pytest.mark.parametrize("name", COMMANDS)
def test_arguments_are_the_same_bytes(name: str, same: Compare) -> None:
    words = [b"", b"\xff\xfe", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe3\x81\x82", bytes(range(1, 256)), b"-x", b""]
    arguments = [*COMMANDS[name][: -len(SLEEP)], b"/bin/sh", b"-c", b"exec /bin/sleep 1000", *words]
    for locale in (b"LC_ALL=C", b"LC_ALL=C.UTF-8", b"LC_ALL=en_US.ISO-8859-1"):
        same(name, arguments, environment=[locale.hex(), PATH.hex()])


def test_the_program_is_found_on_the_path_of_the_start(same: Compare) -> None:
    found = same("envuidgid", [b"mail", b"sleep", b"1000"], environment=[PATH.hex(), b"PATH=/nonexistent".hex()])
    assert found["cmdline"] == b"sleep\x001000\0"
