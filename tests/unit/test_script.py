"""Scripts: what each argument becomes."""

import pytest

from pyinit.logs.multilog.script import Action, Directory, Rule, Status, Stderr, Stdout, leading_number, parse_script
from pyinit.logs.multilog.script import Stamp as StampAction


def shown(action: Action) -> tuple[object, ...]:
    return type(action), *(getattr(action, name) for name in sorted(type(action).__slots__))


def parsed(*arguments: bytes) -> list[tuple[object, ...]]:
    return [shown(action) for action in parse_script(arguments)]


def test_every_action_by_its_first_byte() -> None:
    assert parsed(b"tx", b"+a", b"-*", b"extra", b"=f", b"./d", b"/d", b".", b"1") == [
        (StampAction,),
        (Rule, b"a", True),
        (Rule, b"*", False),
        (Stderr,),
        (Status, b"f"),
        shown(Directory(b"./d")),
        shown(Directory(b"/d")),
        shown(Directory(b".")),
        (Stdout, b""),
    ]


@pytest.mark.parametrize("argument", [b"", b"x", b"*", b"T", b"#", b"12", b"\xff", b"d/e", b"2"])
def test_what_is_unknown_is_ignored(argument: bytes) -> None:
    assert parsed(argument, b"e") == [(Stderr,)]


def test_t_counts_only_as_the_first_argument() -> None:
    assert parsed(b"e", b"t") == [(Stderr,)]
    assert parsed(b"", b"t", b"e") == [(Stderr,)]


def test_directories_take_what_was_set_before_them() -> None:
    assert parsed(b"./a", b"s5000", b"n3", b"!gzip", b"./b", b"!", b"n7", b"./c") == [
        shown(Directory(b"./a", 99999, 10, None)),
        shown(Directory(b"./b", 5000, 3, b"gzip")),
        shown(Directory(b"./c", 5000, 7, b"")),
    ]


@pytest.mark.parametrize(
    ("size", "becomes"),
    [
        (b"s", 4096),
        (b"s4095", 4096),
        (b"s4097x9", 4097),
        (b"s4097:9", 4097),
        (b"s4097/9", 4097),
        (b"s16777216", 16777216),
        (b"s18446744073709551616", 4096),
    ],
)
def test_sizes(size: bytes, becomes: int) -> None:
    assert parsed(size, b"./d") == [shown(Directory(b"./d", size=becomes))]


@pytest.mark.parametrize(("count", "becomes"), [(b"n", 2), (b"n1", 2), (b"n3", 3), (b"n-3", 2), (b"n1000000", 10**6)])
def test_counts(count: bytes, becomes: int) -> None:
    assert parsed(count, b"./d") == [shown(Directory(b"./d", count=becomes))]


def test_numbers_wrap() -> None:
    assert leading_number(b"18446744073709551617") == 1
    assert leading_number(b"9" * 40) == int("9" * 40) % 2**64
    assert leading_number(b"12 3") == 12
    assert leading_number(b"") == 0


def test_a_prefix_is_for_what_follows_it() -> None:
    assert parsed(b"1", b"pa: ", b"1", b"1", b"p", b"1") == [
        (Stdout, b""),
        (Stdout, b"a: "),
        (Stdout, b"a: "),
        (Stdout, b""),
    ]
