"""tai64n: puts a TAI64N label and a space in front of each line of standard input."""

from pyinit.logs.labels import Stamper
from pyinit.system.filter import copy


def main(argv: list[bytes]) -> int:
    """Arguments are ignored."""
    return copy(Stamper().convert)
