"""Runs a command by name: `python -m pyinit NAME ...`; the launchers in bin/ come through here as well."""

import gc
import posix
import sys
from _signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal

from pyinit.launch.compiled import Compiled

COMMANDS = frozenset(
    (
        *("envdir", "envuidgid", "fghack", "multilog", "pgrphack", "pyinit", "readproctitle", "setlock", "setuidgid"),
        *("softlimit", "supervise", "svc", "svlog", "svok", "svscan", "svscanboot", "svstat", "tai64n", "tai64nlocal"),
    )
)

COLLECTED_BY = 50_000
"""Objects made between two searches for garbage in cycles: as many as starting makes, which leaves none."""


def run(name: str) -> None:
    """Run the command and leave with its exit code, flushing and finalising nothing: all output was written.

    An interrupt kills silently, as it kills a C program. Any other name is one given to pyinit: tini, for example.
    That blocks signals before its imports: process 1 would lose what comes in those milliseconds.
    """
    gc.set_threshold(COLLECTED_BY)
    sys.meta_path.insert(0, Compiled)
    name = name if name in COMMANDS else "pyinit"
    if name == "pyinit":
        from pyinit.system.doorbell import hold_signals

        hold_signals()
    from pyinit.system.process import arguments

    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)
    module = __import__("pyinit.commands." + name, fromlist=["main"])
    posix._exit(module.main(arguments()))


def main() -> None:
    """The command line of `python -m pyinit`."""
    if sys.argv[1:] == ["launchers"]:
        from pyinit.launch.launchers import quicken

        posix._exit(quicken(COMMANDS))
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.stderr.write(f"usage: python -m pyinit COMMAND ...\ncommands: {' '.join(sorted(COMMANDS))}\n")
        posix._exit(100)
    del sys.argv[0]
    run(sys.argv[0])


if __name__ == "__main__":
    main()
