#!/usr/bin/env python3
"""Coverage of the commands that tests start, in every process: `traced.py DIRECTORY` fills it with traced launchers.

`make coverage` names that directory to the tests. Coverage's own patches do not reach our commands.
`python -IS` reads no .pth file, and a command leaves by posix._exit or becomes another program. A process that is
killed leaves nothing.
"""

import posix
import sys
from pathlib import Path
from typing import Any

import coverage

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = """#!{python}
import sys
sys.path[:0] = {first!r}
sys.path += {last!r}
import traced
traced.run()
"""


def write_launchers(directory: Path) -> None:
    """Make a traced launcher for each command."""
    directory.mkdir(parents=True, exist_ok=True)
    library = Path(coverage.__file__).resolve().parents[1]
    text = LAUNCHER.format(python=sys.executable, first=[str(ROOT), str(ROOT / "tests")], last=[str(library)])
    for launcher in (ROOT / "bin").iterdir():
        (directory / launcher.name).write_text(text)
        (directory / launcher.name).chmod(0o755)


def run() -> None:
    """Run the command that the program is called, with its coverage saved whichever way it ends."""
    measured = coverage.Coverage(
        data_file=str(ROOT / ".coverage"), data_suffix=True, config_file=str(ROOT / "pyproject.toml")
    )

    def save() -> None:
        measured.stop()
        measured.save()

    def saving(leave: Any) -> Any:
        def left(*arguments: Any) -> None:
            save()
            leave(*arguments)
            measured.start()

        return left

    for name in ("_exit", "execv", "execve"):
        setattr(posix, name, saving(getattr(posix, name)))
    measured.start()
    from pyinit.__main__ import run as run_command

    run_command(sys.argv[0].rpartition("/")[2], sys.argv[0])


if __name__ == "__main__":
    write_launchers(Path(sys.argv[1]))
