"""multilog script: reads standard input, and passes each line through the actions of the script, one an argument."""

from pyinit.logs.multilog.pump import pump
from pyinit.logs.multilog.script import parse_script


def main(argv: list[bytes]) -> int:
    """Read until the end of input, or until SIGTERM and the end of the line; SIGALRM rotates."""
    return pump(parse_script(argv[1:]))
