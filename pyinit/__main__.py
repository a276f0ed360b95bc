"""Runs a command by name: `python -m pyinit NAME ...`; the launchers in bin/ come through here as well."""

import gc
import posix
import sys
from _signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal

from pyinit.launch import Compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DIRECTORY = __file__.rpartition("/")[0] + "/commands"
"""Every module in it is a command, so that no other list has to name them."""

CALLED = (b"envdir", b"envuidgid", b"pgrphack", b"setlock", b"setuidgid", b"softlimit")
"""Commands that the one before them in a chain calls: those that become another program at once.

The others stay, and `ps` must show them under their own name, so they are executed.
"""

ASKING = (["--help"], ["--version"])
"""Arguments that ask about the command itself, if they are all there is."""

COLLECTED_BY = 50_000
"""Objects made between two searches for garbage in cycles: as many as starting makes, which leaves none."""


def commands() -> list[str]:
    """The names of all commands."""
    names = [name.removesuffix(".py") for name in posix.listdir(DIRECTORY) if name.endswith(".py")]
    return sorted(filter(is_command, names))


def is_command(name: str) -> bool:
    """Whether there is a command of this name."""
    return name[:1] != "_" and posix.access(f"{DIRECTORY}/{name}.py", posix.F_OK)


def run(name: str, launcher: str = "") -> None:
    """Run the command and leave with its exit code, flushing and finalising nothing: all output was written.

    Any other name is one given to pyinit: tini, for example. That blocks signals before its imports: process 1 would
    lose what comes in those milliseconds. `launcher` is the file that was executed, if it is one of ours: programs
    that are the same file are then ours too. An interrupt kills silently, as it kills a C program.
    """
    gc.set_threshold(COLLECTED_BY)
    sys.meta_path.insert(0, Compiled)
    if not is_command(name):
        name = "pyinit"
    if name == "pyinit":
        from pyinit.system.doorbell import hold_signals

        hold_signals()
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)
    from pyinit.system import process

    def follow(
        programs: list[bytes], argv: list[bytes], changes: "Sequence[bytes]", entries: list[bytes] | None
    ) -> None:
        if argv[0].rpartition(b"/")[2] in CALLED:
            try:
                from pyinit.launch import chain
            except (OSError, ImportError, MemoryError):  # the command has changed its own limits or user
                return
            chain.follow(launcher, programs, argv, changes, entries)

    if launcher:
        process.follow = follow
    command = __import__("pyinit.commands." + name, fromlist=["main"])
    if sys.argv[1:] in ASKING and name != "pyinit" and _may_answer(name):
        from pyinit.launch.asked import answer

        posix._exit(answer(name, sys.argv[1], command.__doc__))
    posix._exit(command.main(process.arguments()))


def _may_answer(name: str) -> bool:
    """Whether the command may read `--help` and `--version` as a question.

    Those with a C original do so where a pyinit runs. Elsewhere they are daemontools to the letter.
    """
    from pyinit.launch.asked import ORIGINALS

    if name not in ORIGINALS:
        return True
    from pyinit.view.running import running

    return running(posix.environ) is not None


def main() -> None:
    """The command line of `python -m pyinit`."""
    if sys.argv[1:] == ["launchers"]:
        from pyinit.launch.launchers import quicken

        posix._exit(quicken(commands()))
    if len(sys.argv) < 2 or not is_command(sys.argv[1]):
        sys.stderr.write(f"usage: python -m pyinit COMMAND ...\ncommands: {' '.join(commands())}\n")
        posix._exit(100)
    del sys.argv[0]
    run(sys.argv[0])


if __name__ == "__main__":
    main()
