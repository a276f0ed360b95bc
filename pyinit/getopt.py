"""djb's option parser (subgetopt of daemontools 0.76), for the programs that take options. Pure.

Options end at the first argument that does not begin with a dash, or is a dash alone, or begins with two dashes. One
that begins with two dashes is consumed, whatever follows them. Letters may be combined. A value may be attached or be
the next argument.
"""


class BadOption(Exception):
    """An unknown letter or a missing value; `message` is what djb's parser prints after the program's name."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message


def parse_options(
    arguments: list[bytes], flags: bytes, valued: bytes = b""
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Split arguments into options, as (letter, value) pairs in their order, and operands. Raises BadOption.

    `flags` are the letters without a value, which is then empty; `valued` are those with one.
    """
    found: list[tuple[bytes, bytes]] = []
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument[:1] != b"-" or argument == b"-":
            break
        index += 1
        if argument[:2] == b"--":
            break
        position = 1
        while position < len(argument):
            letter = argument[position : position + 1]
            position += 1
            if letter in flags:
                found.append((letter, b""))
            elif letter not in valued:
                raise BadOption(b"illegal option -- " + letter)
            elif position < len(argument):
                found.append((letter, argument[position:]))
                break
            elif index < len(arguments):
                found.append((letter, arguments[index]))
                index += 1
            else:
                raise BadOption(b"option requires an argument -- " + letter)
    return found, arguments[index:]
