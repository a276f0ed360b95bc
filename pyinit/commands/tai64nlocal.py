"""tai64nlocal: turns the TAI64N label at the beginning of each line of standard input into local time."""

from pyinit.logs.labels import Localizer
from pyinit.system.filter import copy


def main(argv: list[bytes]) -> int:
    """Arguments are ignored."""
    return copy(Localizer().convert)
