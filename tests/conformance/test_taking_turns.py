"""Our supervise and the C program's on one directory, one after the other, each commanded by the other's svc."""

import subprocess
from pathlib import Path

import pytest
from daemontools import Commands
from waiting import until


@pytest.mark.parametrize("first_ours", [True, False])
def test_each_works_with_the_state_that_the_other_left(commands: Commands, tmp_path: Path, first_ours: bool) -> None:
    service = tmp_path / "web"
    service.mkdir()
    (service / "run").write_text("#!/bin/sh\nexec sleep 1000\n")
    (service / "run").chmod(0o755)
    for turn in range(3):
        own, other = commands.ours, commands.debian
        if (turn % 2 == 0) != first_ours:
            own, other = other, own
        supervise = subprocess.Popen([own / "supervise", service], stderr=subprocess.PIPE, text=True)

        def status(program: Path = other / "svstat") -> str:
            return subprocess.run([program, service], capture_output=True, text=True, check=True).stdout

        until(lambda: ": up (pid " in status(), "the service is up")
        for where in own, other:
            assert subprocess.run([where / "svok", service], check=False).returncode == 0
        assert subprocess.run([own / "supervise", service], capture_output=True, check=False).returncode == 111
        subprocess.run([other / "svc", "-dx", service], check=True)
        assert supervise.communicate(timeout=10)[1] == ""
        for where in own, other:
            assert subprocess.run([where / "svok", service], check=False).returncode == 100
            assert "supervise not running" in status(where / "svstat")
