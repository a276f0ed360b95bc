import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.getopt import BadOption, parse_options


@pytest.mark.parametrize(
    ("arguments", "options", "operands"),
    [
        ([], [], []),
        ([b"a", b"-u"], [], [b"a", b"-u"]),
        ([b"-"], [], [b"-"]),
        ([b""], [], [b""]),
        ([b"-u", b"-", b"-d"], [b"u"], [b"-", b"-d"]),
        ([b"-ud", b"x"], [b"u", b"d"], [b"x"]),
        ([b"-u", b"--", b"-d"], [b"u"], [b"-d"]),
        ([b"--help", b"-d"], [], [b"-d"]),
        ([b"-u", b"-u"], [b"u", b"u"], []),
    ],
)
def test_flags(arguments: list[bytes], options: list[bytes], operands: list[bytes]) -> None:
    assert parse_options(arguments, b"ud") == ([(letter, b"") for letter in options], operands)


@pytest.mark.parametrize(
    ("arguments", "options", "operands"),
    [
        ([b"-o100", b"x"], [(b"o", b"100")], [b"x"]),
        ([b"-o", b"100", b"x"], [(b"o", b"100")], [b"x"]),
        ([b"-o", b"-5", b"x"], [(b"o", b"-5")], [b"x"]),
        ([b"-o", b"", b"x"], [(b"o", b"")], [b"x"]),
        ([b"-o", b"--", b"x"], [(b"o", b"--")], [b"x"]),
        ([b"-uo", b"1", b"-uo2"], [(b"u", b""), (b"o", b"1"), (b"u", b""), (b"o", b"2")], []),
        ([b"-ouo"], [(b"o", b"uo")], []),
    ],
)
def test_values(arguments: list[bytes], options: list[tuple[bytes, bytes]], operands: list[bytes]) -> None:
    assert parse_options(arguments, b"u", b"o") == (options, operands)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([b"-z"], b"illegal option -- z"),
        ([b"-uz", b"x"], b"illegal option -- z"),
        ([b"-u-"], b"illegal option -- -"),
        ([b"-\xff"], b"illegal option -- \xff"),
        ([b"-o"], b"option requires an argument -- o"),
        ([b"-uo"], b"option requires an argument -- o"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[bytes], message: bytes) -> None:
    with pytest.raises(BadOption) as raised:
        parse_options(arguments, b"u", b"o")
    assert raised.value.message == message


@given(st.lists(st.binary(max_size=4)))
def test_operands_are_the_end_of_the_arguments(arguments: list[bytes]) -> None:
    every_byte = bytes(range(256))
    _, operands = parse_options(arguments, every_byte)
    assert operands == arguments[len(arguments) - len(operands) :]
