"""djb's option parser (subgetopt of daemontools 0.76), for the programs that take options. Pure.

Options end at the first argument that does not begin with a dash, is a dash alone, or begins with two
dashes; the last is consumed whatever follows the dashes. Letters may be combined; a value may be
attached or be the next argument.
"""


class BadOption(Exception):
    """An unknown letter or a missing value; `message` is what djb's parser prints after the program's name."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message


def parse(arguments: list[bytes], flags: bytes, valued: bytes = b"") -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Split arguments into options and operands.

    `flags` are the letters without a value, `valued` those with one. Returns the options in their order as
    (letter, value) pairs, the value empty for a flag, and the operands. Raises BadOption.
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
