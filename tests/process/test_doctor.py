"""pyinit doctor: one line a finding; and the same words when a service does not start."""

from pathlib import Path

import pytest
from machine import Machine, command
from waiting import until


class Services:
    """Makes service directories under `top / "service"`."""

    def __init__(self, top: Path) -> None:
        self.top = top / "service"
        self.state = top / "state"

    def add(self, name: str = "web", run: str = "#!/bin/sh\n", mode: int = 0o755, **more: str) -> Path:
        for file, content in {"run": run, **more}.items():
            path = self.top / name / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(mode)
        return self.top / name

    def examine(self, **environment: str) -> tuple[int, list[str]]:
        """The exit code and the findings."""
        done = command("pyinit", "doctor", self.top, PYINIT_STATE=str(self.state), **environment)
        prefix = f"{self.top}/"
        lines = done.stdout.decode().splitlines()
        assert all(line.startswith(prefix) for line in lines)
        return done.returncode, [line.removeprefix(prefix) for line in lines]


@pytest.fixture
def service(tmp_path: Path) -> Services:
    return Services(tmp_path)


def test_nothing_to_say_of_a_good_one(service: Services) -> None:
    service.add(log__run="#!/bin/sh\n", env__A="x", down="")
    service.add("elf", run="\x7fELF")
    assert service.examine() == (0, [])


@pytest.mark.parametrize(
    ("run", "mode", "finding"),
    [
        ("#!/bin/sh\n", 0o644, "run is not executable: chmod +x"),
        ("#!/bin/sh\r\nexec x\r\n", 0o755, "run has lines that end in CR LF"),
        ("#!/no/such/shell\n", 0o755, "run: its interpreter /no/such/shell can't be used: file does not exist"),
        ("#!/etc/passwd\n", 0o755, "run: its interpreter /etc/passwd is not executable"),
        ("#!/usr/bin/env no-such-program\n", 0o755, "run: env will not find no-such-program on PATH"),
        ("#!\n", 0o755, "run has a #! line that names nothing"),
        ("#!/bin/sh " + "x" * 300 + "\n", 0o755, "run has a #! line that is too long"),
        ("exec sleep 1\n", 0o755, "run has no #! line"),
        ("", 0o755, "run is empty"),
    ],
)
def test_programs(service: Services, run: str, mode: int, finding: str) -> None:
    service.add(run=run, mode=mode)
    code, findings = service.examine()
    assert code == 1
    assert len(findings) == 1
    assert findings[0].startswith(f"web: {finding}")


def test_missing_and_misplaced(service: Services) -> None:
    (service.top / "missing").mkdir(parents=True)
    (service.top / "folder/run").mkdir(parents=True)
    service.add("filelog", log="a file")
    service.add("badlog", log__run="#!/bin/sh\n") / "log/run"
    (service.top / "badlog/log/run").chmod(0o644)
    (service.top / "twin").symlink_to("missing")
    (service.top / "nowhere").symlink_to("/no/such/directory")
    code, findings = service.examine()
    assert code == 1
    assert findings == [
        "badlog: log/run is not executable: chmod +x",
        "filelog: log is not a directory",
        "folder: run is a directory",
        "missing: run: file does not exist",
        "nowhere: file does not exist",
        "twin: is the same directory as missing: one service, under either name",
    ]


def test_environment_files(service: Services, tmp_path: Path) -> None:
    service.add("a", env="a file")
    service.add("b", secrets="TOKEN\n")
    service.add("c", secrets="TOKEN\n")
    code, findings = service.examine()
    assert code == 1
    assert findings == [
        "a: unable to open env: not a directory",
        "b: secrets: TOKEN is asked for, but TOKEN_FILE is not set",
        "c: secrets: TOKEN is asked for, but TOKEN_FILE is not set",
    ]
    (tmp_path / "token").write_text("hush\n")
    assert service.examine(TOKEN_FILE=str(tmp_path / "token"))[1] == findings[:1]
    assert (
        service.examine(TOKEN_FILE=str(tmp_path / "none"))[1][1]
        == "b: unable to read secret TOKEN: file does not exist"
    )


def test_a_directory_that_cannot_be_opened_is_fatal(tmp_path: Path) -> None:
    done = command("pyinit", "doctor", tmp_path / "none")
    assert done.returncode == 111
    assert done.stderr.endswith(b"none: file does not exist\n")
    assert command("pyinit", "doctor", "a", "b").returncode == 100


def test_a_failing_start_is_told_in_the_same_words(machine: Machine) -> None:
    (machine.add("web") / "run").write_bytes(b"#!/bin/sh\r\nexec sleep 1\r\n")
    machine.boot()
    until(
        lambda: "unable to start web/run: file does not exist: run has lines that end in CR LF" in machine.stderr(),
        "it",
    )
