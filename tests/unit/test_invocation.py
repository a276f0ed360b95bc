"""Command lines and variables, in three dialects."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.init.dialects import BadUsage, read_options, split_words
from pyinit.init.options import Options
from pyinit.init.reactions import FORWARD, IGNORE, STOP, SUSPEND, Reaction
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


def test_tini() -> None:
    found = asked("/sbin/tini -s -g -w -vv -p KILL -e 3 -e 143 -- a -b")
    assert (found.dialect, found.command, found.service_dir) == (b"tini", [b"a", b"-b"], None)
    assert (found.subreaper, found.to_group, found.tells_reaped, found.parent_death) == (True, True, True, 9)
    assert found.remapped == {3, 143}
    assert found.verbosity == 2
    assert found.not_run == (127, 126, 1)


def test_tini_has_its_own_variables_and_defaults() -> None:
    assert not asked("tini a").subreaper
    assert asked("tini a").verbosity == 0
    found = asked("tini a", TINI_SUBREAPER="", TINI_KILL_PROCESS_GROUP="", TINI_VERBOSITY="3")
    assert (found.subreaper, found.to_group, found.verbosity) == (True, True, 2)
    assert asked("tini a", TINI_VERBOSITY="much").verbosity < 1
    ours = asked("tini a", PYINIT_SERVICE_DIR="/a", PYINIT_KILL_PROCESS_GROUP="1", PYINIT_VERBOSITY="9")
    assert (ours.service_dir, ours.to_group, ours.verbosity) == (None, False, 0)


@pytest.mark.parametrize("line", ["tini", "tini --", "tini -x a", "tini --help a", "tini -e 256 a", "tini -p NOPE a"])
def test_wrong_use_of_tini(line: str) -> None:
    assert bad(line)[0] == 1


def test_options_of_tini_may_follow_operands() -> None:
    found = asked("tini sh -g -- -c x")
    assert (found.command, found.to_group) == ([b"sh", b"-c", b"x"], True)
    assert bad("tini sh -c x")[0] == 1


def test_what_tini_tells() -> None:
    assert asked("tini --version").asks == b"version"
    assert asked("tini -h").asks == b"help"
    assert asked("tini -l").asks == b"license"


# --- dumb-init


def test_dumb_init() -> None:
    found = asked("dumb-init -v -r 15:3 --rewrite 2:0 a -b")
    assert (found.dialect, found.command, found.service_dir) == (b"dumb-init", [b"a", b"-b"], None)
    assert (found.leads, found.to_group, found.subreaper, found.verbosity) == (SESSION, True, False, 1)
    assert found.not_run == (2, 2, 2)
    suspend = Reaction(SUSPEND, signal.SIGSTOP)
    assert found.overrides == {15: Reaction(FORWARD, 3), 2: Reaction(IGNORE), signal.SIGTSTP: suspend}


@pytest.mark.parametrize("found", [asked("dumb-init -c a"), asked("dumb-init a", DUMB_INIT_SETSID="0")])
def test_dumb_init_for_a_single_child(found: Options) -> None:
    assert found.leads == NOTHING
    assert not found.to_group
    assert found.overrides == {signal.SIGTSTP: Reaction(SUSPEND, signal.SIGTSTP)}


def test_variables_of_dumb_init() -> None:
    assert asked("dumb-init a", DUMB_INIT_DEBUG="1").verbosity == 1
    assert asked("dumb-init a", DUMB_INIT_DEBUG="0").verbosity == 0
    assert asked("dumb-init a", DUMB_INIT_SETSID="1").leads == SESSION
    assert asked("dumb-init -r 20:18 a").overrides == {20: Reaction(FORWARD, 18)}


@pytest.mark.parametrize(
    "line", ["dumb-init", "dumb-init -x a", "dumb-init -r a", "dumb-init -r 1:99 a", "dumb-init --what a"]
)
def test_wrong_use_of_dumb_init(line: str) -> None:
    assert bad(line)[0] == 1


def test_what_dumb_init_tells() -> None:
    assert asked("dumb-init --version").asks == asked("dumb-init -V").asks == b"version"
    assert asked("dumb-init --help").asks == b"help"


# --- both sides of the border between options and operands


@given(st.lists(st.binary(min_size=1, max_size=4)))
def test_behind_two_dashes_nothing_is_an_option(words: list[bytes]) -> None:
    assert split_words([b"-g", b"--", *words], b"g", b"", {}) == ([(b"g", b"")], words)
