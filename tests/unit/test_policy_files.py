"""The files that say something of a service's life, each by itself and together -> Policy, or a refusal."""

import os
import posix
import tempfile
from collections.abc import Callable
from errno import EIO, EMFILE, ENFILE, ENOMEM
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGQUIT, SIGTERM, Signals

import pytest
from descriptors import open_in
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.definition.asking import QUESTIONS
from pyinit.services.definition.definition import LONGEST, SETTINGS, Definition
from pyinit.services.definition.policy_files import PARSERS
from pyinit.services.definition.reading import read_definition
from pyinit.services.life.policy import (
    ALWAYS,
    AS_DAEMONTOOLS,
    GROUP,
    MIXED,
    NEVER,
    ON_FAILURE,
    PROCESS,
    WITHOUT_CODE,
    Backoff,
    Outcomes,
    Policy,
)

PROGRAM = "#!/bin/sh\nexit 0\n"


def make(directory: Path, **files: str) -> Path:
    """A service directory. `notification_fd` stands for notification-fd; text that begins with `#!` is executable."""
    directory.mkdir(exist_ok=True)
    for name, content in {"run": PROGRAM, **files}.items():
        path = directory / name.replace("__", "/").replace("_", "-")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o755 if content.startswith("#!") else 0o644)
    return directory


def define(directory: Path, has_settings: bool = True) -> Definition:
    directory_fd = os.open(directory, os.O_PATH)
    before = open_in()
    try:
        return read_definition(directory_fd, has_settings)
    finally:
        assert open_in() == before
        os.close(directory_fd)


def policy_of(directory: Path) -> Policy:
    definition = define(directory)
    assert (definition.refusal, definition.troubles) == (None, ())
    return definition.policy


def refusal_of(directory: Path) -> tuple[bytes, bytes]:
    definition = define(directory)
    assert definition.refusal
    assert definition.refusal in definition.troubles
    return definition.refusal


def plain(value: object) -> object:
    """A value of a policy as something that can be compared and printed."""
    if isinstance(value, Outcomes):
        return (set(value.codes), set(value.signals))
    if isinstance(value, Backoff):
        return (value.base, value.cap, value.reset)
    return value


@pytest.mark.parametrize(
    ("name", "content", "field", "value"),
    [
        ("type", "longrun\n", "is_oneshot", False),
        ("type", "oneshot # once", "is_oneshot", True),
        ("needs", "# both\ndb redis\n\ncache # later\ndb\n", "needs", (b"db", b"redis", b"cache")),
        ("needs", "", "needs", ()),
        ("after", "db", "after", (b"db",)),
        ("before", "web", "before", (b"web",)),
        ("timeout_up", "1500", "timeout_up", 1.5),
        ("timeout_up", "2s", "timeout_up", 2.0),
        ("timeout_up", "0", "timeout_up", 0.0),
        ("timeout_finish", "0", "timeout_finish", 0.0),
        ("timeout_finish", "1m", "timeout_finish", 60.0),
        ("timeout_kill", "3000\n", "timeout_kill", 3.0),
        ("timeout_kill", "0", "timeout_kill", 0.0),
        ("restart", "always", "restart", ALWAYS),
        ("restart", "on-failure", "restart", ON_FAILURE),
        ("restart", "never except 1", "restart", NEVER),
        ("restart", "always except 1, 101-102,SIGINT # these", "exceptions", ({1, 101, 102}, {SIGINT})),
        ("success", "0,143\n# and\nTERM", "success", ({0, 143}, {SIGTERM})),
        ("backoff", "1s", "backoff", (1.0, 1.0, 1.0)),
        ("backoff", "1 30", "backoff", (1.0, 30.0, 30.0)),
        ("backoff", "500ms 1m 10s", "backoff", (0.5, 60.0, 10.0)),
        ("max_restarts", "5", "max_restarts", (5, None)),
        ("max_restarts", "0 1m", "max_restarts", (0, 60.0)),
        ("critical", "", "critical", WITHOUT_CODE),
        ("critical", "# yes\n", "critical", WITHOUT_CODE),
        ("critical", "0", "critical", 0),
        ("critical", "255\n", "critical", 255),
        ("down_signal", "SIGINT", "down_signal", SIGINT),
        ("reload_signal", "3", "reload_signal", SIGQUIT),
        ("kill_mode", "process", "kill_mode", PROCESS),
        ("kill_mode", "mixed", "kill_mode", MIXED),
        ("kill_mode", "group", "kill_mode", GROUP),
        ("finish", PROGRAM, "has_finish", True),
    ],
)
def test_what_a_file_says(tmp_path: Path, name: str, content: str, field: str, value: object) -> None:
    policy = policy_of(make(tmp_path / "web", **{name: content}))
    assert plain(getattr(policy, field)) == value
    changed = {
        slot for slot in Policy.__slots__ if plain(getattr(policy, slot)) != plain(getattr(AS_DAEMONTOOLS, slot))
    }
    expected = {field} | ({"restart"} if "except" in content or "oneshot" in content else set())
    assert changed <= expected | ({"exceptions"} if "except" in content else set()), "and nothing else"


def test_what_no_file_says(tmp_path: Path) -> None:
    policy = policy_of(make(tmp_path / "web", needs="db"))
    assert policy is not AS_DAEMONTOOLS
    assert (policy.down_signal, policy.reload_signal, policy.timeout_kill) == (SIGTERM, SIGHUP, None)
    assert (policy.timeout_up, policy.timeout_finish, policy.critical) == (0.0, 5.0, None)
    assert (policy.restart, plain(policy.success), policy.backoff) == (ALWAYS, ({0}, set()), None)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("type", "bundle", "not longrun or oneshot: bundle"),
        ("type", "", "empty"),
        ("type", "oneshot longrun", "not one word: oneshot longrun"),
        ("needs", "db\n../x", "not a name of a service: ../x"),
        ("after", ".", "not a name of a service: ."),
        ("before", "a/b", "not a name of a service: a/b"),
        ("ready", "later", "not a kind of readiness: later"),
        ("notification_fd", "2", "not a number from 3 to 65535: 2"),
        ("timeout_up", "-1", "not a duration: -1"),
        ("timeout_up", "", "empty"),
        ("timeout_up", "1s 2s", "not a duration: 1s 2s"),
        ("timeout_finish", "soon", "not a duration: soon"),
        ("timeout_kill", "1y", "not a duration: 1y"),
        ("restart", "", "empty"),
        ("restart", "sometimes", "not always or on-failure or never: sometimes"),
        ("restart", "always but 1", "not except: but"),
        ("restart", "always except", "no exit code and no signal"),
        ("restart", "always except 300", "not a number from 0 to 255: 300"),
        ("success", "", "no exit code and no signal"),
        ("success", "zero", "zero is not a signal"),
        ("backoff", "", "empty"),
        ("backoff", "1 2 3 4", "not BASE [CAP [RESET]]: 1 2 3 4"),
        ("backoff", "0", "has to be longer than 0: 0"),
        ("backoff", "2s 1s", "the longest delay is shorter than the first: 2s 1s"),
        ("max_restarts", "", "empty"),
        ("max_restarts", "x", "not a number from 0 to 1000000: x"),
        ("max_restarts", "5 1m 2", "not N [D]: 5 1m 2"),
        ("max_restarts", "5 0", "has to be longer than 0: 0"),
        ("critical", "256", "not a number from 0 to 255: 256"),
        ("critical", "1 2", "not an exit code: 1 2"),
        ("finish", "exit 0", "not executable"),
        ("down_signal", "SIGNAL", "SIGNAL is not a signal"),
        ("down_signal", "", "empty"),
        ("reload_signal", "HUP INT", "not a signal: HUP INT"),
        ("kill_mode", "all", "not process or mixed or group: all"),
        ("health", "maybe", "not check or port or unix or http or watchdog: maybe"),
        ("ready", "check", "check: file does not exist"),
        ("health", "check", "check: file does not exist"),
        ("timer", "every 1h", "for a oneshot only"),
        ("timer", "@daily", "not five fields and not every D: @daily"),
        ("needs", "a\0b", "has a NUL byte"),
    ],
)
def test_bad_content_refuses_the_service(tmp_path: Path, name: str, content: str, reason: str) -> None:
    directory = make(tmp_path / "web", **{name: content})
    assert refusal_of(directory) == (name.replace("_", "-").encode(), reason.encode())
    assert len(define(directory).troubles) == 1


def test_every_file_is_read_in_one_way_only() -> None:
    assert set(SETTINGS) == {*PARSERS, *QUESTIONS, "check", "finish", "restart"}
    fields = {field for field, _ in (*PARSERS.values(), *QUESTIONS.values())} | {"restart", "exceptions", "has_finish"}
    assert fields == set(Policy.__slots__)


# --- together


def kind_of(policy: Policy) -> bytes | None:
    return policy.readiness.kind if policy.readiness else None


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"needs": "db"}, None),
        ({"check": PROGRAM}, b"check"),
        ({"notification_fd": "3"}, b"fd"),
        ({"notification_fd": "3", "check": PROGRAM}, b"fd"),
        ({"ready": "up", "check": PROGRAM}, None),
        ({"ready": "port 80", "check": PROGRAM}, b"port"),
        ({"ready": "check every 5s", "check": PROGRAM}, b"check"),
        ({"ready": "fd 3", "notification_fd": "3"}, b"fd"),
        ({"ready": "log up", "log__script": "t ./main"}, b"log"),
    ],
)
def test_when_a_start_counts_as_ready(tmp_path: Path, files: dict[str, str], kind: bytes | None) -> None:
    assert kind_of(policy_of(make(tmp_path / "web", **files))) == kind


@pytest.mark.parametrize("ready", ["up", "fd 4", "notify", "port 80"])
def test_two_ways_to_be_ready_are_one_too_many(tmp_path: Path, ready: str) -> None:
    directory = make(tmp_path / "web", ready=ready, notification_fd="3")
    assert refusal_of(directory) == (b"notification-fd", b"ready says something else")


def test_one_mistake_is_told_once(tmp_path: Path) -> None:
    assert define(make(tmp_path / "a", ready="x", notification_fd="3")).troubles == (
        (b"ready", b"not a kind of readiness: x"),
    )
    assert define(make(tmp_path / "b", type="x", timer="every 1h")).troubles == (
        (b"type", b"not longrun or oneshot: x"),
    )


def test_a_log_that_somebody_else_reads_cannot_tell(tmp_path: Path) -> None:
    directory = make(tmp_path / "web", ready="log up", log__run=PROGRAM)
    assert refusal_of(directory) == (b"ready", b"log/run reads what the service writes")


def test_a_check_that_is_no_program_is_told_and_nothing_else(tmp_path: Path) -> None:
    definition = define(make(tmp_path / "web", check="exit 0"))
    assert (definition.refusal, definition.troubles) == (None, ((b"check", b"not executable"),))
    assert definition.policy.readiness is None


@pytest.mark.parametrize("name", ["ready", "health"])
def test_a_check_that_is_asked_for_has_to_be_a_program(tmp_path: Path, name: str) -> None:
    directory = make(tmp_path / "web", check="exit 0", **{name: "check"})
    assert refusal_of(directory) == (name.encode(), b"check: not executable")


def test_a_health_that_can_be_run_is_a_program(tmp_path: Path) -> None:
    health = policy_of(make(tmp_path / "web", health=PROGRAM)).health
    assert health
    assert (health.kind, health.every, health.failures) == (b"health", 30.0, 3)
    health = policy_of(make(tmp_path / "web", health="port 80 every 5s")).health
    assert health
    assert (health.kind, health.every) == (b"port", 5.0)
    health = policy_of(make(tmp_path / "web", health="check", check=PROGRAM)).health
    assert health
    assert health.kind == b"check"


@pytest.mark.parametrize("mode", [0o100, 0o010, 0o001])
def test_who_may_run_a_program_does_not_matter(tmp_path: Path, mode: int) -> None:
    directory = make(tmp_path / "web", finish="exit 0")
    (directory / "finish").chmod(0o600 | mode)
    assert policy_of(directory).has_finish


def test_a_oneshot_is_not_started_again_unless_it_says_so(tmp_path: Path) -> None:
    policy = policy_of(make(tmp_path / "web", type="oneshot", timer="0 4 * * * zone UTC"))
    assert (policy.is_oneshot, policy.restart) == (True, NEVER)
    assert policy.timer
    assert policy.timer.zone == b"UTC"
    assert policy_of(make(tmp_path / "web", restart="on-failure")).restart == ON_FAILURE


def test_the_first_bad_file_is_the_reason_and_all_are_told(tmp_path: Path) -> None:
    definition = define(make(tmp_path / "web", kill_mode="x", needs="/", down_signal="INT", log__script="a\0"))
    assert definition.refusal == (b"needs", b"not a name of a service: /")
    assert sorted(definition.troubles) == [
        (b"kill-mode", b"not process or mixed or group: x"),
        (b"log/script", b"has a NUL byte"),
        (b"needs", b"not a name of a service: /"),
    ]
    assert definition.policy.down_signal == SIGINT, "the others count"


def test_a_refused_service_is_as_critical_as_it_says(tmp_path: Path) -> None:
    assert define(make(tmp_path / "a", needs="/", critical="7")).policy.critical == 7
    assert define(make(tmp_path / "b", needs="/")).policy.critical is None
    assert define(make(tmp_path / "c", critical="x")).policy.critical == 1
    (make(tmp_path / "d") / "critical").symlink_to("/etc/passwd")
    definition = define(tmp_path / "d")
    assert (definition.refusal, definition.policy.critical) == (
        (b"critical", b"a link that leads outside the directory"),
        1,
    )


def test_files_in_log_refuse_nothing(tmp_path: Path) -> None:
    definition = define(make(tmp_path / "web", needs="db", log__script="a\0", log__user="b\0"))
    assert definition.refusal is None
    assert len(definition.troubles) == 2


def test_another_dialect_knows_none_of_them(tmp_path: Path) -> None:
    directory = make(tmp_path / "web", down="", secrets="A", log__script="t", critical="x", finish=PROGRAM)
    definition = define(directory, has_settings=False)
    assert (definition.policy, definition.refusal, definition.troubles) == (AS_DAEMONTOOLS, None, ())
    assert (definition.is_down, definition.has_secrets, definition.log is not None) == (True, True, True)


# --- what a file may be


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def long(path: Path) -> None:
    path.write_bytes(b"a " * LONGEST)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        (fifo, "not a regular file"),
        (folder, "not a regular file"),
        (device, "not a regular file"),
        (long, f"longer than {LONGEST} bytes"),
        (loop, "symbolic link loop"),
        (nowhere, "a link that leads nowhere"),
    ],
)
@pytest.mark.parametrize("name", ["type", "needs", "restart", "health", "finish"])
def test_what_is_no_text(tmp_path: Path, name: str, put: Callable[[Path], None], reason: str) -> None:
    directory = make(tmp_path / "web")
    put(directory / name)
    if name == "finish" and put is long:
        reason = "not executable"
    assert refusal_of(directory) == (name.encode(), reason.encode())


def test_text_follows_links_inside_and_programs_any(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    directory = make(tmp_path / "web", inner__text="db")
    (directory / "needs").symlink_to("inner/text")
    for name in ("finish", "check", "health"):
        (directory / name).symlink_to(program)
    policy = policy_of(directory)
    assert (policy.needs, policy.has_finish, kind_of(policy)) == ((b"db",), True, b"check")
    assert policy.health
    assert policy.health.kind == b"health"
    (directory / "after").symlink_to("/etc/hostname")
    assert refusal_of(directory) == (b"after", b"a link that leads outside the directory")


def test_a_text_may_be_as_long_as_is_allowed(tmp_path: Path) -> None:
    assert policy_of(make(tmp_path / "web", needs="db".ljust(LONGEST))).needs == (b"db",)
    assert refusal_of(make(tmp_path / "web", needs="db".ljust(LONGEST + 1)))[0] == b"needs"


def test_a_file_that_is_removed_meanwhile_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make(tmp_path / "web", down_signal="INT")
    real = posix.listdir
    monkeypatch.setattr(posix, "listdir", lambda fd: [*real(fd), "needs", "restart"])
    policy = policy_of(directory)
    assert (policy.down_signal, policy.needs, policy.restart) == (SIGINT, (), ALWAYS)


@pytest.mark.parametrize("number", [EMFILE, ENFILE, ENOMEM])
@pytest.mark.parametrize("call", ["open", "stat"])
def test_a_want_of_descriptors_is_no_bad_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    directory_fd = os.open(make(tmp_path / "web", needs="db", finish=PROGRAM), os.O_PATH)
    real: Callable[..., object] = getattr(posix, call)

    def refuse(name: object, *more: object, **named: object) -> object:
        if name in (b"needs", b"finish"):
            raise OSError(number, "")
        return real(name, *more, **named)

    monkeypatch.setattr(posix, call, refuse)
    with pytest.raises(OSError, match=f"Errno {number}"):
        read_definition(directory_fd)
    monkeypatch.undo()
    os.close(directory_fd)


def test_any_other_error_is_one_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make(tmp_path / "web", needs="db", check=PROGRAM)
    real = posix.stat

    def refuse(name: object, **named: int) -> os.stat_result:
        if name == b"check":
            raise OSError(EIO, "")
        return real(name, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(posix, "stat", refuse)
    definition = define(directory)
    assert (definition.refusal, definition.troubles) == (None, ((b"check", b"input/output error"),))


# --- costs

EVERYTHING = {
    "type": "longrun",
    "needs": "db",
    "after": "db",
    "before": "web",
    "ready": "fd 3",
    "notification_fd": "3",
    "check": PROGRAM,
    "timeout_up": "1s",
    "restart": "always",
    "success": "0",
    "backoff": "1s",
    "max_restarts": "5 1m",
    "critical": "",
    "finish": PROGRAM,
    "timeout_finish": "1s",
    "down_signal": "INT",
    "reload_signal": "HUP",
    "timeout_kill": "1s",
    "kill_mode": "mixed",
    "health": PROGRAM,
}
"""All files that a longrun may have at once."""


def test_all_files_cost_one_listing_and_one_look_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name.replace("_", "-") for name in EVERYTHING} == set(SETTINGS) - {"timer"}
    directory = make(tmp_path / "web", **EVERYTHING)
    policy_of(directory)
    asked: list[tuple[str, object]] = []

    def note(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object, **named: object) -> object:
            asked.append((name, arguments[0]))
            return call(*arguments, **named)

        return noted

    directory_fd = os.open(directory, os.O_PATH)
    for name in ("listdir", "stat", "access", "open", "readlink"):
        monkeypatch.setattr(posix, name, note(name, getattr(posix, name)))
    read_definition(directory_fd)
    monkeypatch.undo()
    os.close(directory_fd)
    programs = {"check", "finish", "health"}
    looks = [("stat" if name in programs else "open", name.encode()) for name in SETTINGS if name != "timer"]
    assert asked[0] == ("open", ".")
    assert asked[1][0] == "listdir"
    assert sorted(asked[2:], key=str) == sorted(looks, key=str)


# --- whatever is in them

PIECES = st.sampled_from(
    ["up", "fd", "3", "1s", "always", "except", "0", "every", "TERM", "db", "/", "#", "\n", "group"]
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(SETTINGS)),
        st.tuples(
            st.binary(max_size=50) | st.lists(PIECES, max_size=5).map(lambda pieces: " ".join(pieces).encode()),
            st.sampled_from([0o644, 0o755]),
        ),
        min_size=1,
    )
)
def test_whatever_is_in_them_it_is_a_policy_or_a_refusal(files: dict[str, tuple[bytes, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, (content, mode) in files.items():
            (directory / file).write_bytes(content)
            (directory / file).chmod(mode)
        definition = define(directory)
    assert isinstance(definition.policy, Policy)
    assert {file.decode() for file, _ in definition.troubles} <= set(files)
    assert all(0 < len(reason) < 200 for _, reason in definition.troubles)
    told = [trouble for trouble in definition.troubles if trouble[0] != b"check"]
    assert definition.refusal == (told[0] if told else None)


ENDS = st.tuples(st.sets(st.integers(0, 255), max_size=5), st.sets(st.integers(1, 31), max_size=3)).filter(any)
SECONDS = st.integers(1, 10**6)


@given(ENDS, ENDS, st.lists(SECONDS, min_size=1, max_size=3), st.integers(0, 10**6), SECONDS, st.integers(0, 255))
def test_a_policy_is_what_it_was_made_of(
    success: tuple[set[int], set[int]],
    exceptions: tuple[set[int], set[int]],
    delays: list[int],
    count: int,
    within: int,
    code: int,
) -> None:
    def listed(ends: tuple[set[int], set[int]]) -> str:
        return ",".join([*map(str, sorted(ends[0])), *(Signals(number).name for number in sorted(ends[1]))])

    delays[:2] = sorted(delays[:2])
    with tempfile.TemporaryDirectory() as name:
        policy = policy_of(
            make(
                Path(name),
                success=listed(success),
                restart=f"on-failure except {listed(exceptions)}",
                backoff=" ".join(f"{seconds}s" for seconds in delays),
                max_restarts=f"{count} {within}",
                critical=str(code),
            )
        )
    assert plain(policy.success) == success
    assert (policy.restart, plain(policy.exceptions)) == (ON_FAILURE, exceptions)
    base, cap, reset = (*delays, *[delays[-1]] * (3 - len(delays)))
    assert plain(policy.backoff) == (base, cap, reset)
    assert (policy.max_restarts, policy.critical) == ((count, within), code)
