"""What `ready`, `notification-fd`, `health` and `timer` say."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.definition.asking import health, notification_fd, ready, timer
from pyinit.services.life.health import Health, Timer
from pyinit.services.life.readiness import Readiness


def reason_of(parse: Callable[[bytes], object], content: bytes) -> str:
    try:
        parse(content)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("content", "kind", "text", "number", "every", "seconds"),
    [
        (b"fd 3", b"fd", b"", 3, 1.0, 0.0),
        (b"fd 65535\n", b"fd", b"", 65535, 1.0, 0.0),
        (b"notify", b"notify", b"", 0, 1.0, 0.0),
        (b"log ready to accept # connections\nmore", b"log", b"ready to accept # connections", 0, 1.0, 0.0),
        (b" log \t a  b \r\n", b"log", b"a  b", 0, 1.0, 0.0),
        (b"log log", b"log", b"log", 0, 1.0, 0.0),
        (b"port 8080", b"port", b"127.0.0.1", 8080, 1.0, 0.0),
        (b"port [::1]:80 every 200ms # soon", b"port", b"::1", 80, 0.2, 0.0),
        (b"port localhost:80 every 3", b"port", b"localhost", 80, 3.0, 0.0),
        (b"unix run/php.sock", b"unix", b"run/php.sock", 0, 1.0, 0.0),
        (b"unix /run/php.sock every 2s", b"unix", b"/run/php.sock", 0, 2.0, 0.0),
        (b"file every every 2s", b"file", b"every", 0, 2.0, 0.0),
        (b"check", b"check", b"", 0, 1.0, 0.0),
        (b"check every 5s", b"check", b"", 0, 5.0, 0.0),
        (b"after 1.5", b"after", b"", 0, 1.0, 1.5),
        (b"after 0", b"after", b"", 0, 1.0, 0.0),
    ],
)
def test_ready(content: bytes, kind: bytes, text: bytes, number: int, every: float, seconds: float) -> None:
    found = ready(content)
    assert found
    assert (found.kind, found.text, found.number) == (kind, text, number)
    assert (found.every, found.seconds) == (every, seconds)


def test_paths_may_be_as_long_as_the_kernel_takes() -> None:
    for content, length in ((b"unix ", 107), (b"file ", 4095)):
        found = ready(content + b"x" * length)
        assert found
        assert len(found.text) == length


def test_up_is_no_more_than_a_process() -> None:
    assert ready(b"up # as ever\n") is None


def test_a_descriptor_may_be_said_in_the_way_of_s6() -> None:
    found = notification_fd(b"3\n")
    assert (found.kind, found.number) == (b"fd", 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"# up", "empty"),
        (b"\nup", "empty"),
        (b"UP", "not a kind of readiness: UP"),
        (b"http 80/", "not a kind of readiness: http"),
        (b"up 5s", "too many words: 5s"),
        (b"notify 3", "too many words: 3"),
        (b"fd", "nothing behind fd"),
        (b"fd 2", "not a number from 3 to 65535: 2"),
        (b"fd 3 4", "too many words: 4"),
        (b"log", "nothing behind log"),
        (b"log  \r\nx", "nothing behind log"),
        (b"logs x", "not a kind of readiness: logs"),
        (b"port", "nothing behind port"),
        (b"port 0", "not a number from 1 to 65535: 0"),
        (b"port 80 90", "too many words: 90"),
        (b"port 80 every", "nothing behind every"),
        (b"port 80 every 0", "has to be longer than 0: 0"),
        (b"port 80 every x", "not a duration: x"),
        (b"unix", "nothing behind unix"),
        (b"unix " + b"x" * 108, "a path longer than 107 bytes: " + "x" * 64 + "..."),
        (b"file " + b"x" * 4096, "a path longer than 4095 bytes: " + "x" * 64 + "..."),
        (b"check x", "too many words: x"),
        (b"after", "nothing behind after"),
        (b"after soon", "not a duration: soon"),
        (b"after 1s 2s", "too many words: 2s"),
    ],
)
def test_what_is_no_readiness(content: bytes, reason: str) -> None:
    assert reason_of(ready, content) == reason


@pytest.mark.parametrize("content", [b"", b"2", b"three", b"3 4", b"65536"])
def test_what_is_no_descriptor(content: bytes) -> None:
    assert reason_of(notification_fd, content)


def parts(asked: Health) -> tuple[object, ...]:
    return (asked.kind, asked.host, asked.number, asked.path, asked.every, asked.timeout, asked.failures, asked.then)


HERE = b"127.0.0.1"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"check", (b"check", HERE, 0, b"", 30.0, 30.0, 3, b"restart")),
        (b"watchdog timeout 2m", (b"watchdog", HERE, 0, b"", 30.0, 120.0, 3, b"restart")),
        (b"port 80 every 5s timeout 1s failures 1 then fail", (b"port", HERE, 80, b"", 5.0, 1.0, 1, b"fail")),
        (b"port a:80 then ignore every 1h", (b"port", b"a", 80, b"", 3600.0, 30.0, 3, b"ignore")),
        (b"unix s failures 10", (b"unix", HERE, 0, b"s", 30.0, 30.0, 10, b"restart")),
        (b"http 8080/", (b"http", HERE, 8080, b"/", 30.0, 30.0, 3, b"restart")),
        (b"http [::1]:80/a/b?c=d:e then restart", (b"http", b"::1", 80, b"/a/b?c=d:e", 30.0, 30.0, 3, b"restart")),
    ],
)
def test_health(content: bytes, expected: tuple[object, ...]) -> None:
    assert parts(health(content)) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"exec x", "not check or port or unix or http or watchdog: exec"),
        (b"port", "nothing behind port"),
        (b"port 80/", "not [HOST:]N: 80/"),
        (b"http 80", "not [HOST:]N/PATH: 80"),
        (b"http /", "not a number from 1 to 65535: "),
        (b"http x:/", "not a number from 1 to 65535: "),
        (b"http http://x/", "not a number from 1 to 65535: "),
        (b"unix " + b"x" * 108, "a path longer than 107 bytes: " + "x" * 64 + "..."),
        (b"check every 0s", "has to be longer than 0: 0s"),
        (b"check timeout never", "not a duration: never"),
        (b"check failures 0", "not a number from 1 to 1000000: 0"),
        (b"check then reboot", "not restart or fail or ignore: reboot"),
        (b"check then", "nothing behind then"),
        (b"check every 1 every 2", "every is said twice"),
        (b"watchdog 5s", "too many words: 5s"),
    ],
)
def test_what_is_no_health(content: bytes, reason: str) -> None:
    assert reason_of(health, content) == reason


def test_timers() -> None:
    found = timer(b"every 10m")
    assert (found.every, found.fields, found.at_start, found.zone) == (600.0, (), False, b"")
    found = timer(b"every 1d zone Europe/Berlin at-start # backup")
    assert (found.every, found.at_start, found.zone) == (86400.0, True, b"Europe/Berlin")
    found = timer(b"30 4 * * 1-5 at-start zone UTC\n")
    assert [set(field) for field in (*found.fields[:2], found.fields[4])] == [{30}, {4}, {1, 2, 3, 4, 5}]
    assert (found.every, found.at_start, found.zone) == (0.0, True, b"UTC")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"@daily", "not five fields and not every D: @daily"),
        (b"5 4 * *", "not five fields and not every D: 5 4 * *"),
        (b"5 4 * * * *", "too many words: *"),
        (b"every", "nothing behind every"),
        (b"every 0", "has to be longer than 0: 0"),
        (b"every 1h now", "too many words: now"),
        (b"every 1h zone", "nothing behind zone"),
        (b"every 1h at-start at-start", "at-start is said twice"),
        (b"every 1h zone /etc/localtime", "not a time zone: /etc/localtime"),
        (b"every 1h zone ../x", "not a time zone: ../x"),
        (b"every 1h zone a/./b", "not a time zone: a/./b"),
        (b"every 1h zone " + b"x" * 4096, "a path longer than 4095 bytes: " + "x" * 64 + "..."),
        (b"99 4 * * *", "not a number from 0 to 59: 99"),
    ],
)
def test_what_is_no_timer(content: bytes, reason: str) -> None:
    assert reason_of(timer, content) == reason


WORD = st.sampled_from([b"up", b"fd", b"3", b"log", b"port", b"80", b"unix", b"every", b"1s", b"health", b"check"]) | (
    st.sampled_from([b"http", b"a:80/x", b"then", b"fail", b"*", b"0", b"zone", b"UTC", b"at-start", b"#", b"\n"])
)


@given(st.binary(max_size=60) | st.lists(WORD, max_size=9).map(b" ".join))
def test_whatever_is_said_means_something_or_has_a_reason(content: bytes) -> None:
    for parse, meaning in ((ready, Readiness), (notification_fd, Readiness), (health, Health), (timer, Timer)):
        try:
            found = parse(content)
        except ValueError:
            continue
        assert isinstance(found, meaning) or (parse is ready and found is None)


DELAY = st.integers(1, 10**6)
HOST = st.sampled_from([b"localhost", b"::1", b"10.0.0.1", b"db.internal"])


@given(
    HOST, st.integers(1, 65535), DELAY, DELAY, st.integers(1, 999), st.sampled_from([b"restart", b"fail", b"ignore"])
)
def test_a_health_is_what_it_was_made_of(
    host: bytes, port: int, every: int, timeout: int, failures: int, then: bytes
) -> None:
    place = b"[%b]:%d" % (host, port) if b":" in host else b"%b:%d" % (host, port)
    text = b"http %b/p every %dms timeout %ds failures %d then %b" % (place, every, timeout, failures, then)
    kind, *found = parts(health(text))
    assert kind == b"http"
    assert found == [host, port, b"/p", pytest.approx(every / 1000), timeout, failures, then]
