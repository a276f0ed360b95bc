"""How each supervisor is given the same services: the same `run`, and where they are logged the same log settings.

A logged service has a log directory of its own, with ten files of 99,999 bytes. The lines in it are stamped in TAI64N.
Each supervisor's own logger does that: multilog, s6-log, svlogd, pyinit's. supervisord has no stamps.
"""

import os
from abc import ABC, abstractmethod
from pathlib import Path

from benchmarks.workshop import Workshop

SIZE, FILES = 99_999, 10


def script(path: Path, line: str) -> None:
    """An executable file whose first line names what interprets it."""
    path.write_text(f"#!{line}\n")
    path.chmod(0o755)


class Supervisor(ABC):
    """`most`: how many services it takes. `stops`: whether a TERM brings its services down in order.

    If it is `alone`, a supervisor in Python runs on a copy of its interpreter that nothing else runs on.
    """

    name: str
    peer: str | None = None
    most = 100_000
    stops = True

    def __init__(self, workshop: Workshop, alone: bool = False) -> None:
        self.workshop = workshop
        self.alone = alone
        self.chain = workshop.program("chain")
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def names(self, count: int) -> list[str]:
        return [f"s{index:04}" for index in range(count)]

    def prepare(self, top: Path, count: int, logged: bool, run: str) -> None:
        """Make the services under `top`; `run` is the first line of each one's run."""
        for name in self.names(count):
            directory = top / "service" / name
            directory.mkdir(parents=True)
            script(directory / "run", run)
            if logged:
                self.add_logger(top, directory)

    @abstractmethod
    def add_logger(self, top: Path, directory: Path) -> None:
        """Have the service in `directory` logged."""

    @abstractmethod
    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        """What to run as process 1."""

    def log(self, top: Path, name: str) -> Path:
        """The file that the service's lines are written to."""
        return top / "service" / name / "log/main/current"


class Pyinit(Supervisor):
    name = "pyinit"

    def add_logger(self, top: Path, directory: Path) -> None:
        """Nothing: every service is logged, by one process, into PYINIT_LOG_DIR."""

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        self.environment |= {
            "PYINIT_LOG": "volume",
            "PYINIT_LOG_DIR": str(top / "logs"),
            "PYINIT_STATE": str(top / "state"),  # on the file system that everything is on
        }
        program = "pyinit" if logged else "svscan"
        option = ["-d"] if logged else []
        commands = self.workshop.ours_alone if self.alone else self.workshop.ours
        return [str(commands / program), *option, str(top / "service")]

    def log(self, top: Path, name: str) -> Path:
        return top / "logs" / name / "current"


class Daemontools(Supervisor):
    name = peer = "daemontools"
    most = 1000
    stops = False

    def add_logger(self, top: Path, directory: Path) -> None:
        (directory / "log").mkdir()
        directory.chmod(0o1755)
        script(directory / "log/run", f"{self.chain} /usr/bin/multilog t s{SIZE} n{FILES} ./main")

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        return ["svscan", str(top / "service")]


class S6(Supervisor):
    name = peer = "s6"

    def add_logger(self, top: Path, directory: Path) -> None:
        (directory / "log").mkdir()
        script(directory / "log/run", f"{self.chain} /usr/bin/s6-log t s{SIZE} n{FILES} ./main")

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        return ["s6-svscan", "-c", "5000", str(top / "service")]


class Runit(Supervisor):
    name = peer = "runit"
    most = 1000
    stops = False

    def add_logger(self, top: Path, directory: Path) -> None:
        (directory / "log/main").mkdir(parents=True)
        (directory / "log/main/config").write_text(f"s{SIZE}\nn{FILES}\n")
        script(directory / "log/run", f"{self.chain} /usr/bin/svlogd -t ./main")

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        return ["runsvdir", str(top / "service")]


SUPERVISORD = """\
[supervisord]
nodaemon=true
silent=true
user=root
logfile=/dev/null
logfile_maxbytes=0
minfds={minfds}
pidfile={top}/pid
childlogdir={top}/logs
[unix_http_server]
file={top}/socket
[supervisorctl]
serverurl=unix://{top}/socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


class Supervisord(Supervisor):
    name, peer = "supervisord", "supervisor"

    def prepare(self, top: Path, count: int, logged: bool, run: str) -> None:
        super().prepare(top, count, logged, run)
        (top / "logs").mkdir()
        parts = [SUPERVISORD.format(top=top, minfds=6 * count + 100)]
        for name in self.names(count):
            log, most = self.destination(top, name) if logged else ("/dev/null", 0)
            parts.append(
                f"[program:{name}]\ncommand={top}/service/{name}/run\nautorestart=true\nredirect_stderr=true\n"
                f"stdout_logfile={log}\nstdout_logfile_maxbytes={most}\nstdout_logfile_backups={FILES}\n"
            )
        (top / "conf").write_text("".join(parts))

    def destination(self, top: Path, name: str) -> tuple[str, int]:
        """The log file of a service, and how large it may become, bytes."""
        return f"{top}/logs/{name}", SIZE

    def add_logger(self, top: Path, directory: Path) -> None:
        """It is in the configuration."""

    def command(self, top: Path, count: int, logged: bool) -> list[str]:
        interpreter = [self.workshop.alone("/usr/bin/python3")] if self.alone else []
        return [*interpreter, "/usr/bin/supervisord", "-n", "-c", str(top / "conf")]

    def log(self, top: Path, name: str) -> Path:
        return top / "logs" / name


def supervisors(workshop: Workshop, *names: str, alone: bool = False) -> list[Supervisor]:
    """Ours, and those of the peers that are here; only the named ones, if any are."""
    made = [kind(workshop, alone) for kind in (Pyinit, Daemontools, S6, Runit, Supervisord)]
    return [
        each
        for each in made
        if (each.peer is None or each.peer in workshop.peers) and (not names or each.name in names)
    ]
