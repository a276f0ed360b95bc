"""svlog [-f] [-n LINES] [-g REGEX] [-C LINES] [--since T] [--until T] [--utc] [--json] [--stats]
[SERVICE...]: prints logs, merged in the order of time."""

import posix
from time import time_ns

from pyinit.formats.paths import LOGS
from pyinit.logs.reading.query import BadQuery, read_query
from pyinit.report import say, usage
from pyinit.view.names import service_directory
from pyinit.view.running import is_on_stdout

PROG = b"svlog"
ARGUMENTS = b"[-f] [-n LINES] [-g REGEX] [-C LINES] [--since T] [--until T] [--utc] [--json] [--stats] [SERVICE...]"


def main(argv: list[bytes]) -> int:
    """Print the logs, and with -f the lines that are added; 111 if anything could not be read."""
    try:
        query = read_query(argv[1:], time_ns())
    except BadQuery as bad:
        if bad.message:
            say(PROG, b"fatal: " + bad.message)
        usage(PROG, ARGUMENTS)
    logs = posix.environ.get(b"PYINIT_LOG_DIR") or LOGS
    if query.is_following:
        from pyinit.logs.reading.following import FollowedPrintout

        return FollowedPrintout(query, logs, service_directory(), is_on_stdout).run()
    if query.is_counting:
        from pyinit.logs.reading.counting import CountedPrintout
        from pyinit.view.text import line_counters

        return CountedPrintout(query, logs, service_directory(), line_counters()).run()
    from pyinit.logs.reading.printout import Printout

    return Printout(query, logs, service_directory(), is_on_stdout).run()
