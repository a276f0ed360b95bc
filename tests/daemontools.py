"""Directories of daemontools commands for tests: ours as an image installs them, Debian's C programs, and mixes.

Made outside pytest's own temporary directories, which are closed to other users: `setuidgid nobody` must get in.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

NAMES = sorted(path.name for path in (ROOT / "bin").iterdir() if path.name not in ("pyinit", "svlog"))

C_DIRECTORY = Path("/usr/bin")


def require_c_programs() -> None:
    """Install Debian's package if need and rights are there; say what to do otherwise."""
    missing = [name for name in NAMES if not (C_DIRECTORY / name).exists()]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "daemontools"]):
            subprocess.run(["apt-get", *command], env=environment, check=True, stdout=subprocess.DEVNULL)
        missing = [name for name in NAMES if not (C_DIRECTORY / name).exists()]
    if missing:
        raise RuntimeError(f"needs Debian's C programs: apt-get install daemontools (missing: {' '.join(missing)})")


def interpreter() -> Path:
    """This interpreter, or Debian's if other users cannot run this one."""
    for path in (Path(sys.executable), Path("/usr/bin/python3")):
        check = [str(path), "-IS", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            subprocess.run(check, check=True, capture_output=True, user="nobody" if os.geteuid() == 0 else None)
        except (OSError, subprocess.CalledProcessError):
            continue
        return path
    raise RuntimeError("needs a Python >= 3.11 that every user may run: this one, or /usr/bin/python3")


class Commands:
    """A tree with `ours/`, `debian/`, and a directory for every mix asked for.

    One of them and `tools/` make a PATH.
    """

    def __init__(self) -> None:
        require_c_programs()
        self.root = Path(tempfile.mkdtemp(prefix="pyinit-commands-"))
        self.root.chmod(0o755)
        package = self.root / "lib/pyinit/pyinit"
        shutil.copytree(ROOT / "pyinit", package, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([interpreter(), "-m", "compileall", "-q", package], check=True)
        self.ours = self.root / "ours"
        self.debian = self.root / "debian"
        self._install_ours()
        self.debian.mkdir()
        for name in NAMES:
            (self.debian / name).symlink_to(C_DIRECTORY / name)
        self.tools = self.root / "tools"
        self._link_tools()

    def _link_tools(self) -> None:
        """Every other program of the system: on PATH, a C program must not stand in for ours that cannot be run."""
        self.tools.mkdir()
        for directory in map(Path, ("/usr/bin", "/bin", "/usr/sbin", "/sbin")):
            for program in directory.iterdir():
                if program.name not in NAMES and not (self.tools / program.name).is_symlink():
                    (self.tools / program.name).symlink_to(program)

    def _install_ours(self) -> None:
        """The launcher as an image has it: with the interpreter's path in place of the search by a shell."""
        self.ours.mkdir()
        source = (ROOT / "bin/pyinit").read_text()
        body = source.partition("\n")[2]
        launcher = self.ours / "pyinit"
        launcher.write_text(f"#!{interpreter()} -IS\n{body}")
        launcher.chmod(0o755)
        for name in NAMES:
            (self.ours / name).symlink_to("pyinit")

    def copied(self, directory: Path) -> Path:
        """Make a directory of our commands, each a file of its own as pip installs them: none calls another."""
        directory.mkdir()
        for name in NAMES:
            shutil.copy(self.ours / "pyinit", directory / name)
        return directory

    def mix(self, ours: "frozenset[str]") -> Path:
        """A directory where the commands named are ours and the others Debian's."""
        directory = self.root / ("mix-" + "-".join(sorted(ours)))
        if not directory.exists():
            directory.mkdir()
            for name in NAMES:
                (directory / name).symlink_to((self.ours if name in ours else self.debian) / name)
        return directory

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
