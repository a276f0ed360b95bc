"""What `COMMAND --help` and `COMMAND --version` print: the text of the command's module, and the version."""

import posix

from pyinit import __version__

ORIGINALS = frozenset(
    (
        *("envdir", "envuidgid", "fghack", "multilog", "pgrphack", "readproctitle", "setlock", "setuidgid"),
        *("softlimit", "supervise", "svc", "svok", "svscan", "svscanboot", "svstat", "tai64n", "tai64nlocal"),
    )
)
"""Commands that have a C original, for which both words are ordinary arguments."""


def answer(name: str, asked: str, text: str | None) -> int:
    """Print the answer of command `name`, whose module has this text. Returns the exit code."""
    words = f"usage: {(text or '').strip()}" if asked == "--help" else f"{name} (pyinit) {__version__}"
    output = words.encode() + b"\n"
    while output:
        output = output[posix.write(1, output) :]
    return 0
