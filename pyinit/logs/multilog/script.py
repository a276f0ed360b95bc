"""A multilog script: arguments -> a tuple of typed actions. Pure.

The first byte of an argument decides, as in daemontools 0.76 (`multilog.c`); unknown arguments are ignored. `s`, `n`,
`!` and `p` are no actions: each changes a setting of the actions to its right.
Beyond the C program: the argument `1`, and `pPREFIX` for the `1` actions that follow; it ignores both. And sizes above
16777215, for which it takes 16777215.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_SIZE = 99999
DEFAULT_COUNT = 10
LEAST_SIZE = 4096
LEAST_COUNT = 2


class Stamp:
    """`t`, only as the first argument: a TAI64N label and a space in front of each line."""

    __slots__ = ()


class Rule:
    """`+PATTERN` or `-PATTERN`: from here on matching lines are selected, or are not."""

    __slots__ = ("pattern", "selects")

    def __init__(self, selects: bool, pattern: bytes) -> None:
        self.selects = selects
        self.pattern = pattern


class Stderr:
    """`e`: the line's first 200 bytes to standard error."""

    __slots__ = ()


class Stdout:
    """`1`: the line to standard output, `prefix` in front."""

    __slots__ = ("prefix",)

    def __init__(self, prefix: bytes) -> None:
        self.prefix = prefix


class Status:
    """`=FILE`: the line replaces the file's first 1001 bytes."""

    __slots__ = ("name",)

    def __init__(self, name: bytes) -> None:
        self.name = name


class Directory:
    """`./DIR` or `/DIR`: the line is appended to a log directory of at most `count` files of at most `size` bytes.

    `processor` is a shell command for finished files. None stands for no processor, b"" for an empty command.
    """

    __slots__ = ("count", "name", "processor", "size")

    def __init__(
        self, name: bytes, size: int = DEFAULT_SIZE, count: int = DEFAULT_COUNT, processor: bytes | None = None
    ) -> None:
        self.name = name
        self.size = size
        self.count = count
        self.processor = processor


Action = Stamp | Rule | Stderr | Stdout | Status | Directory
Script = tuple[Action, ...]


def parse_script(arguments: "Sequence[bytes]") -> Script:
    """The actions of a script, in order. It never fails: there is no wrong script."""
    actions: list[Action] = []
    size, count, processor, prefix = DEFAULT_SIZE, DEFAULT_COUNT, None, b""
    for index, argument in enumerate(arguments):
        rest = argument[1:]
        match argument[:1]:
            case b"t" if index == 0:
                actions.append(Stamp())
            case b"+" | b"-" as sign:
                actions.append(Rule(sign == b"+", rest))
            case b"e":
                actions.append(Stderr())
            case b"1" if not rest:
                actions.append(Stdout(prefix))
            case b"=":
                actions.append(Status(rest))
            case b"." | b"/":
                actions.append(Directory(argument, size, count, processor))
            case b"s":
                size = max(leading_number(rest), LEAST_SIZE)
            case b"n":
                count = max(leading_number(rest), LEAST_COUNT)
            case b"!":
                processor = rest
            case b"p":
                prefix = rest
    return tuple(actions)


def leading_number(text: bytes) -> int:
    """The number in the leading decimal digits, 0 without any; wraps at 2**64 (scan_ulong.c)."""
    value = 0
    for digit in text:
        if not 48 <= digit <= 57:
            break
        value = (value * 10 + digit - 48) % 2**64
    return value
