"""svstat [dir ...]: prints how each service is; without arguments, all of the service directory.

svstat -v [dir ...]: the same, and what became of each service's lines in the built-in log.
svstat --ready: whether every service that should be up has been up since the container started (exit 0, else 1).
"""

import posix

from pyinit.view.names import is_ready, listed
from pyinit.view.text import counter_words, status_lines


def main(argv: list[bytes]) -> int:
    """One line a service, all written at the end."""
    if argv[1:] == [b"--ready"]:
        return 0 if is_ready(posix.environ) else 1
    has_counters = argv[1:2] == [b"-v"]
    names = argv[2 if has_counters else 1 :] or listed()
    lines = status_lines(names)
    if has_counters:
        lines = list(map(bytes.__add__, lines, counter_words(names)))
    output = b"".join([line + b"\n" for line in lines])
    while output:
        output = output[posix.write(1, output) :]
    return 0
