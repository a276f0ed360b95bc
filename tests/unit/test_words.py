"""The values that files of a service directory have."""

from collections.abc import Callable
from signal import SIGKILL, SIGRTMAX, SIGRTMIN, SIGSEGV, Signals

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.definition import words

DAY = 86400


def reason_of(parse: Callable[[bytes], object], text: bytes) -> str:
    """Why this is no value; empty if it is one."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *((b"0", 0.0), (b"10", 10.0), (b"1.5", 1.5), (b"500ms", 0.5), (b"10s", 10.0), (b"1.5s", 1.5), (b"2m", 120.0)),
        *((b"1h", 3600.0), (b"1d", DAY), (b"0.5d", DAY / 2), (b"366d", 366 * DAY), (b"007", 7.0), (b"1.25ms", 0.00125)),
    ],
)
def test_durations(text: bytes, seconds: float) -> None:
    assert words.duration(text) == pytest.approx(seconds)


def test_a_bare_duration_is_in_the_unit_of_its_file() -> None:
    assert (words.duration(b"1500", 0.001), words.duration(b"1500")) == (1.5, 1500)
    assert (words.duration(b"2s", 0.001), words.duration(b"2ms", 60.0)) == (2.0, 0.002)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"x", b"5x", b"-1", b"+1", b"nan", b"inf", b"1e3", b".5", b"5.", b"1.", b"1.s", b".s", b"s", b"ms"),
        *(b"1 s", b" 1", b"1_0", b"0x1", b"1.5.5", b"1,5", b"5S", b"5ss", b"5sm", b"\xb2", b"\xd9\xa1", b"9" * 16),
        b"0." + b"1" * 14,
    ],
)
def test_what_is_no_duration(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a duration: "):
        words.duration(text)


@pytest.mark.parametrize("text", [b"366.1d", b"367d", b"8785h", b"999999999", b"9" * 15 + b"d"])
def test_a_duration_is_at_most_a_year(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^longer than 366 days: "):
        words.duration(text)


@pytest.mark.parametrize("text", [b"0", b"0s", b"0.0ms"])
def test_some_durations_have_to_be_longer_than_none(text: bytes) -> None:
    assert words.span(b"1ms") == 0.001
    with pytest.raises(ValueError, match=r"^has to be longer than 0: 0"):
        words.span(text)


@given(st.integers(0, 10**9), st.sampled_from([unit for unit, _ in words.UNITS]))
def test_a_duration_says_what_it_was_made_of(number: int, unit: bytes) -> None:
    seconds = number * dict(words.UNITS)[unit]
    text = b"%d%b" % (number, unit)
    if seconds <= words.LONGEST_DURATION:
        assert words.duration(text) == pytest.approx(seconds)
    else:
        with pytest.raises(ValueError, match="longer than"):
            words.duration(text)


@pytest.mark.parametrize(
    ("text", "codes", "signals"),
    [
        (b"0", {0}, set()),
        (b"1,101-103,SIGSEGV", {1, 101, 102, 103}, {SIGSEGV}),
        (b" 1 , 3 ,\tsegv\n", {1, 3}, {SIGSEGV}),
        (b"KILL RTMIN+1,rtmax-1", set(), {SIGKILL, SIGRTMIN + 1, SIGRTMAX - 1}),
        (b"0-255", set(range(256)), set()),
        (b"9-9", {9}, set()),
    ],
)
def test_lists_of_ends(text: bytes, codes: set[int], signals: set[int]) -> None:
    found = words.outcomes(text)
    assert (set(found.codes), set(found.signals)) == (codes, signals)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no exit code and no signal"),
        (b" , ", "no exit code and no signal"),
        (b"256", "not a number from 0 to 255: 256"),
        (b"1-256", "not a number from 0 to 255: 256"),
        (b"1-", "not a number from 0 to 255: "),
        (b"1-2-3", "not a number from 0 to 255: 2-3"),
        (b"3-1", "not a range: 3-1"),
        (b"-1", "-1 is not a signal"),
        (b"SIGNOTHING", "SIGNOTHING is not a signal"),
        (b"0x1", "not a number from 0 to 255: 0x1"),
        (b"1 - 3", "- is not a signal"),
    ],
)
def test_what_is_no_list_of_ends(text: bytes, reason: str) -> None:
    assert reason_of(words.outcomes, text) == reason


@given(st.sets(st.integers(0, 255)), st.sets(st.integers(1, 31)))
def test_a_list_says_what_it_was_made_of(codes: set[int], signals: set[int]) -> None:
    text = ", ".join([*map(str, codes), *(Signals(number).name for number in signals)]).encode()
    if codes or signals:
        found = words.outcomes(text)
        assert (set(found.codes), set(found.signals)) == (codes, signals)


def test_names_are_kept_once_and_in_order() -> None:
    assert words.names([b"web", b"db", b"web", b"a.b", b"caf\xc3\xa9"]) == (b"web", b"db", b"a.b", b"caf\xc3\xa9")
    assert words.names([]) == ()
    assert words.names([b"x" * 255])


@pytest.mark.parametrize("name", [b"/", b"web/log", b"/service/web", b".", b"..", b".hidden", b"x" * 256])
def test_what_is_no_name_of_a_service(name: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a name of a service: "):
        words.names([b"web", name])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (b"80", b"127.0.0.1", 80),
        (b"localhost:65535", b"localhost", 65535),
        (b"10.0.0.1:1", b"10.0.0.1", 1),
        (b"[::1]:80", b"::1", 80),
        (b"[fe80::1%eth0]:80", b"fe80::1%eth0", 80),
    ],
)
def test_addresses(text: bytes, host: bytes, port: int) -> None:
    assert words.address(text) == (host, port)


@pytest.mark.parametrize("text", [b":80", b"::1:80", b"[]:80", b"[::1:80", b"a]:80", b"a/b:80", b"[[::1]]:80"])
def test_what_is_no_host(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a host and a port: "):
        words.address(text)


@pytest.mark.parametrize("text", [b"", b"0", b"65536", b"http", b"a:", b"a:0", b"-1", b"[::1]", b"9" * 5000])
def test_what_is_no_port(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a number from 1 to 65535: |^not a host and a port: "):
        words.address(text)


def test_a_comment_begins_a_word() -> None:
    assert words.first_line(b"  10s  # long enough\nmore") == [b"10s"]
    assert words.first_line(b"a#b c\r\n") == [b"a#b", b"c"]
    assert words.first_line(b"#") == words.first_line(b"") == words.first_line(b"\nx") == []
    assert words.all_lines(b"# the\ndb redis # both\n\n  web\n#x") == [b"db", b"redis", b"web"]


def test_the_one_word() -> None:
    assert words.only([b"x"], "an x") == b"x"
    for given_words, reason in (([], "empty"), ([b"x", b"y"], "not an x: x y")):
        with pytest.raises(ValueError, match=f"^{reason}$"):
            words.only(given_words, "an x")


def test_one_of_a_few_words() -> None:
    assert words.choice(b"a", (b"a", b"b")) == b"a"
    with pytest.raises(ValueError, match=r"^not a or b: c$"):
        words.choice(b"c", (b"a", b"b"))


def test_options_in_any_order() -> None:
    known = (b"every", b"timeout")
    assert words.options([b"timeout", b"5s", b"every", b"1m"], known) == {b"timeout": b"5s", b"every": b"1m"}
    assert words.options([b"now", b"every", b"every"], known, (b"now",)) == {b"now": b"", b"every": b"every"}
    assert words.options([], known) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"every", "nothing behind every"),
        (b"every 1 every 2", "every is said twice"),
        (b"now now", "now is said twice"),
        (b"often every 1", "too many words: often every 1"),
    ],
)
def test_what_are_no_options(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        words.options(text.split(), (b"every",), (b"now",))


def test_a_reason_quotes_little() -> None:
    assert reason_of(words.duration, b"x" * 65536) == "not a duration: " + "x" * 64 + "..."


ARBITRARY = st.binary(max_size=40) | st.text("0123456789smhd.,-:[]/ #\nSIGTERM+", max_size=12).map(str.encode)


@given(ARBITRARY)
def test_whatever_is_said_is_a_value_or_has_a_reason(text: bytes) -> None:
    for parse in (words.duration, words.span, words.outcomes, words.address, lambda word: words.whole(word, 0, 9)):
        assert len(reason_of(parse, text)) < 200
    assert len(reason_of(lambda text: words.names(words.all_lines(text)), text)) < 200
    assert len(reason_of(lambda text: words.options(words.first_line(text), (b"1",), (b"2",)), text)) < 200
