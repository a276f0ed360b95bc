"""Command lines and variables, in three dialects."""

import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.init.dialects import BadUsage, read_options, split_words
from pyinit.init.dumb_init import DumbInit
from pyinit.init.options import Answer, Options
from pyinit.init.reactions import FORWARD, IGNORE, STOP, SUSPEND, Reaction
from pyinit.init.tini import Tini
from pyinit.system.spawn import GROUP, NOTHING, SESSION


def asked(line: str, **environment: str) -> Options:
    words = [word.encode() for word in line.split()]
    return read_options(words[0], words[1:], {name.encode(): value.encode() for name, value in environment.items()})


def bad(line: str, **environment: str) -> tuple[int, bytes]:
    with pytest.raises(BadUsage) as error:
        asked(line, **environment)
    return error.value.code, error.value.message


# --- pyinit


def test_the_defaults() -> None:
    found = asked("pyinit")
    assert (found.dialect, found.command, found.service_dir) == (b"pyinit", [], b"/service")
    assert (found.stop_timeout, found.verbosity, found.parent_death) == (8.0, 0, 0)
    assert found.subreaper
    assert [found.to_group, found.tells_reaped, found.is_early, found.leads] == [False, False, False, GROUP]
    assert (found.remapped, found.overrides, found.not_run) == (set(), {}, (127, 126, 126))


@pytest.mark.parametrize(
    "line", ["pyinit a -b c", "pyinit -- a -b c", "pyinit -g -- a -b c", "/usr/bin/pyinit -vs a -b c"]
)
def test_options_end_where_the_command_begins(line: str) -> None:
    assert asked(line).command == [b"a", b"-b", b"c"]


def test_a_command_that_looks_like_an_option() -> None:
    assert asked("pyinit -- -g").command == [b"-g"]
    assert asked("pyinit -").command == [b"-"]


def test_every_option() -> None:
    found = asked("pyinit -d /a -E -e 1 -e143 -g -p TERM -r USR1:HUP -r 2:0 -s -v -v -w cmd")
    assert (found.service_dir, found.is_early, found.remapped) == (b"/a", True, {1, 143})
    assert (found.to_group, found.parent_death, found.verbosity, found.tells_reaped) == (True, 15, 2, True)
    assert found.overrides == {10: Reaction(FORWARD, 1), 2: Reaction(IGNORE)}
    assert not asked("pyinit -gc cmd").to_group, "-c undoes -g"


@pytest.mark.parametrize(
    ("line", "attribute", "value"),
    [
        ("pyinit --service-dir /a", "service_dir", b"/a"),
        ("pyinit --service-dir=/a", "service_dir", b"/a"),
        ("pyinit -d/a", "service_dir", b"/a"),
        ("pyinit --early", "is_early", True),
        ("pyinit --rewrite USR1:HUP", "overrides", {10: Reaction(FORWARD, 1)}),
        ("pyinit --rewrite=USR1:HUP", "overrides", {10: Reaction(FORWARD, 1)}),
        ("pyinit --single-child", "to_group", False),
        ("pyinit --verbose", "verbosity", 1),
        ("pyinit --help", "asks", b"help"),
        ("pyinit -h", "asks", b"help"),
        ("pyinit --version", "asks", b"version"),
    ],
)
def test_long_options(line: str, attribute: str, value: object) -> None:
    assert getattr(asked(line), attribute) == value


@pytest.mark.parametrize(
    "line",
    [
        *("pyinit -x", "pyinit --what", "pyinit --verbose=3", "pyinit -d", "pyinit --rewrite", "pyinit -e"),
        *("pyinit -e 256", "pyinit -e -1", "pyinit -e x", "pyinit -p NOPE", "pyinit -r 15", "pyinit -r 15:99"),
    ],
)
def test_wrong_options(line: str) -> None:
    code, message = bad(line)
    assert code == 100
    assert message


DIALECTS: list[dict[str, str]] = [{}, {"PYINIT_DIALECT": ""}, {"PYINIT_DIALECT": "daemontools"}]


def test_variables() -> None:
    found = asked(
        "pyinit",
        PYINIT_SERVICE_DIR="/a",
        PYINIT_STOP_TIMEOUT="2.5",
        PYINIT_VERBOSITY="1",
        PYINIT_KILL_PROCESS_GROUP="",
        PYINIT_SIGNALS="USR1=stop",
    )
    assert (found.service_dir, found.stop_timeout, found.verbosity, found.to_group) == (b"/a", 2.5, 1, True)
    assert found.overrides == {10: Reaction(STOP)}
    assert asked("pyinit", PYINIT_SERVICE_DIR="", PYINIT_STOP_TIMEOUT="", PYINIT_VERBOSITY="").stop_timeout == 8.0
    assert [asked("pyinit", **words).has_settings for words in DIALECTS] == [True, True, False]
    assert asked("pyinit -d /b", PYINIT_SERVICE_DIR="/a").service_dir == b"/b", "an option is stronger"
    assert asked("pyinit -r 10:1", PYINIT_SIGNALS="USR1=stop").overrides == {10: Reaction(FORWARD, 1)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PYINIT_STOP_TIMEOUT", value) for value in ("x", "-1", "nan", "inf", "1e9")),
        *(("PYINIT_VERBOSITY", value) for value in ("x", "-1", "1.5")),
        *(("PYINIT_SIGNALS", value) for value in ("x", "TERM=x", "NOPE=stop")),
        *(("PYINIT_DIALECT", value) for value in ("x", "pyinit", "s6", "DAEMONTOOLS", "daemontools ")),
    ],
)
def test_wrong_variables_are_named(name: str, value: str) -> None:
    code, message = bad("pyinit", **{name: value})
    assert code == 100
    assert message.startswith(b"unable to use " + name.encode())


# --- tini


def answered(line: str, **environment: str) -> Answer:
    with pytest.raises(Answer) as found:
        asked(line, **environment)
    return found.value


def of_tini(line: str, **environment: str) -> tuple[Options, Tini]:
    found = asked(line, **environment)
    assert isinstance(found.manner, Tini)
    return found, found.manner


@pytest.mark.parametrize("name", ["/sbin/tini", "tini-static", "/usr/bin/docker-init"])
def test_tini(name: str) -> None:
    found, manner = of_tini(f"{name} -s -g -w -vv -p SIGKILL -e 3 -e 143 -- a -b")
    assert (found.dialect, found.command, found.service_dir) == (b"tini", [b"a", b"-b"], None)
    assert (found.subreaper, found.to_group, found.tells_reaped, found.parent_death) == (True, True, True, 9)
    assert found.remapped == {3, 143}
    assert (manner.level, manner.tells_reaped, manner.is_subreaper) == (3, True, True)
    assert found.not_run == (127, 126, 1)
    assert (found.clears, found.inherits, found.leads) == (False, True, GROUP)


def test_tini_has_its_own_variables_and_defaults() -> None:
    found, manner = of_tini("tini a")
    assert (found.subreaper, found.to_group, found.hears, manner.level) == (False, False, False, 1)
    found, manner = of_tini("tini a", TINI_SUBREAPER="", TINI_KILL_PROCESS_GROUP="", TINI_VERBOSITY="3")
    assert (found.subreaper, found.to_group, found.hears, manner.level) == (True, True, True, 3)
    found, manner = of_tini("tini a", PYINIT_SERVICE_DIR="/a", PYINIT_KILL_PROCESS_GROUP="1", PYINIT_VERBOSITY="9")
    assert (found.service_dir, found.to_group, manner.level) == (None, False, 1)


@pytest.mark.parametrize(
    ("text", "level"), [("", 0), ("much", 0), (" 2x", 2), ("+2", 2), ("-0", 0), ("-1", 4), ("0", 0)]
)
def test_the_level_of_tini_is_read_as_atoi_does(text: str, level: int) -> None:
    assert of_tini("tini -vvv a", TINI_VERBOSITY=text)[1].level == level


def test_what_is_for_tini_itself() -> None:
    found, _ = of_tini("tini a")
    faults: set[int] = {
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGABRT,
        signal.SIGTRAP,
        signal.SIGSYS,
    }
    assert found.let_through == faults
    assert found.untouched == frozenset[int](faults) | {signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU}


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("tini -x a", b"tini: invalid option -- 'x'"),
        ("/sbin/tini -g -e", b"/sbin/tini: option requires an argument -- 'e'"),
        ("tini --help a", b"tini: invalid option -- '-'"),
        ("tini sh -c x", b"tini: invalid option -- 'c'"),
        ("tini", b"tini (tini version 0.19.0)"),
        ("/a/docker-init --", b"docker-init (tini version 0.19.0)"),
    ],
)
def test_wrong_use_of_tini_is_told_with_its_usage(line: str, first: bytes) -> None:
    found = answered(line)
    assert (found.code, found.fd) == (1, 2)
    assert found.text.startswith(first + b"\n")
    assert (
        b"\nUsage: %b [OPTIONS] PROGRAM -- [ARGS] | --version\n" % line.split(maxsplit=1)[0].rpartition("/")[2].encode()
        in found.text
    )


@pytest.mark.parametrize("value", ["256", "-1", "x", "1x"])
def test_exit_codes_that_tini_refuses(value: str) -> None:
    found = answered(f"tini -e {value} a")
    assert (found.code, found.fd) == (1, 2)
    assert found.text == b"[FATAL tini (%d)] Not a valid option for -e: %b\n" % (os.getpid(), value.encode())


@pytest.mark.parametrize("value", ["NOPE", "KILL", "9", "SIGRTMIN", "sigkill"])
def test_signals_that_tini_refuses(value: str) -> None:
    assert answered(f"tini -p {value} a").text.endswith(b"Not a valid option for -p: %b\n" % value.encode())


def test_options_of_tini_may_follow_operands() -> None:
    found = asked("tini sh -g -- -c x")
    assert (found.command, found.to_group) == ([b"sh", b"-c", b"x"], True)
    found = asked("tini sh -g -c x", POSIXLY_CORRECT="")
    assert (found.command, found.to_group) == ([b"sh", b"-g", b"-c", b"x"], False)


def test_what_tini_tells_of_itself() -> None:
    found = answered("tini --version")
    assert (found.code, found.fd, found.text) == (0, 1, b"tini version 0.19.0\n")
    assert answered("tini --version a").code == 1, "only alone"
    found = answered("/sbin/tini -h")
    assert (found.code, found.fd) == (0, 1)
    assert found.text.startswith(b"tini (tini version 0.19.0)\nUsage: tini [OPTIONS]")
    assert answered("tini -l").code == 0


# --- dumb-init


def of_dumb_init(line: str, **environment: str) -> tuple[Options, DumbInit]:
    found = asked(line, **environment)
    assert isinstance(found.manner, DumbInit)
    return found, found.manner


SUSPENDING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def test_dumb_init() -> None:
    found, manner = of_dumb_init("dumb-init -v -r 15:3 --rewrite 2:0 a -b")
    assert (found.dialect, found.command, found.service_dir) == (b"dumb-init", [b"a", b"-b"], None)
    assert (found.leads, found.to_group, found.subreaper, manner.is_telling) == (SESSION, True, False, True)
    assert found.not_run == (2, 2, 2)
    assert (found.clears, found.farewell) == (False, 3)
    rewritten = {15: Reaction(FORWARD, 3), 2: Reaction(FORWARD, 0)}
    assert found.overrides == rewritten | dict.fromkeys(SUSPENDING, Reaction(SUSPEND, signal.SIGSTOP))
    assert found.untouched == frozenset[int]((signal.SIGCHLD,))


@pytest.mark.parametrize("found", [of_dumb_init("dumb-init -c a"), of_dumb_init("dumb-init a", DUMB_INIT_SETSID="0")])
def test_dumb_init_for_a_single_child(found: tuple[Options, DumbInit]) -> None:
    options, manner = found
    assert (options.leads, options.to_group, options.farewell, manner.leads_session) == (NOTHING, False, 0, False)
    assert options.overrides == {number: Reaction(SUSPEND, number) for number in SUSPENDING}


def test_variables_of_dumb_init() -> None:
    assert of_dumb_init("dumb-init a", DUMB_INIT_DEBUG="1")[1].is_telling
    assert not of_dumb_init("dumb-init a", DUMB_INIT_DEBUG="0")[1].is_telling
    assert asked("dumb-init a", DUMB_INIT_SETSID="1").leads == SESSION
    assert asked("dumb-init -r 20:18 a").overrides[20] == Reaction(SUSPEND, 18)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("dumb-init", b"Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.\n"),
        ("dumb-init -x a", b"dumb-init: invalid option -- 'x'\n"),
        ("dumb-init -r", b"dumb-init: option requires an argument -- 'r'\n"),
        ("/x/dumb-init --what a", b"/x/dumb-init: unrecognized option '--what'\n"),
        ("dumb-init --ver a", b"dumb-init: option '--ver' is ambiguous; possibilities: '--verbose' '--version'\n"),
        ("dumb-init --verbose=1 a", b"dumb-init: option '--verbose' doesn't allow an argument\n"),
        ("dumb-init --rewrite", b"dumb-init: option '--rewrite' requires an argument\n"),
    ],
)
def test_wrong_use_of_dumb_init(line: str, text: bytes) -> None:
    found = answered(line)
    assert (found.code, found.fd, found.text) == (1, 2, text)


@pytest.mark.parametrize(
    "value", ["1:32", "0:1", "32:1", "-1:2", "15", "15:", ":15", "x:y", "USR1:HUP", "1:-1", "1;2", "99999999999:1"]
)
def test_rewritings_that_dumb_init_refuses(value: str) -> None:
    found = answered(f"dumb-init -r {value} a")
    assert (found.code, found.fd) == (1, 2)
    assert found.text.startswith(b"Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.\n")


@pytest.mark.parametrize(("value", "number"), [("1:0", 0), ("1:31", 31), ("+1:+2", 2), ("1:15x", 15)])
def test_rewritings_as_scanf_reads_them(value: str, number: int) -> None:
    assert asked(f"dumb-init --rew={value} a").overrides[1] == Reaction(FORWARD, number)


@pytest.mark.parametrize("option", ["--version", "-V", "--vers"])
def test_the_version_of_dumb_init_goes_to_standard_error(option: str) -> None:
    found = answered(f"dumb-init {option}")
    assert (found.code, found.fd, found.text) == (0, 2, b"dumb-init v1.2.5\n")


def test_the_help_of_dumb_init_goes_to_standard_error() -> None:
    for line in ("/x/dumb-init --help", "/x/dumb-init -h a"):
        found = answered(line)
        assert (found.code, found.fd) == (0, 2)
        assert found.text.startswith(b"dumb-init v1.2.5\nUsage: /x/dumb-init [option] command [[arg] ...]\n")


# --- both sides of the border between options and operands


@given(st.lists(st.binary(min_size=1, max_size=4)))
def test_behind_two_dashes_nothing_is_an_option(words: list[bytes]) -> None:
    assert split_words([b"-g", b"--", *words], b"g", b"", {}) == ([(b"g", b"")], words)
