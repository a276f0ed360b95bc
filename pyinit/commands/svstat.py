"""svstat [dir ...]: prints how each service is; without arguments, all of the service directory.

svstat -v [dir ...]: the same, and what became of each service's lines in the built-in log.
svstat --ready: whether every service that should be up has been up since the container started (exit 0, else 1).
"""

import posix

from pyinit.view.names import is_answered_for, listed
from pyinit.view.text import counter_words, status_lines


def main(argv: list[bytes]) -> int:
    """One line a service, all written at the end; 1 for a named service that the pyinit here does not have."""
    if argv[1:] == [b"--ready"]:
        from pyinit.view.running import is_ready

        return 0 if is_ready(posix.environ) else 1
    has_counters = argv[1:2] == [b"-v"]
    named = argv[2 if has_counters else 1 :]
    names = named or listed()
    untold: list[bytes] = []
    lines = status_lines(names, untold)
    if has_counters:
        lines = list(map(bytes.__add__, lines, counter_words(names)))
    output = b"".join([line + b"\n" for line in lines])
    while output:
        output = output[posix.write(1, output) :]
    return 1 if named and any(map(is_answered_for, untold)) else 0
