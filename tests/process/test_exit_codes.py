"""Every exit code that a page of docs/commands lists is one that the command leaves with."""

import re
import subprocess
from pathlib import Path

import pytest
from machine import ROOT, environment

from pyinit.__main__ import commands

WAYS = {
    "envdir 111": "envdir",
    "envuidgid 100": "envuidgid root",
    "envuidgid 111": "envuidgid no-such-account true",
    "fghack 100": "fghack",
    "fghack 111": "fghack sh -c 'kill -KILL $$'",
    "multilog 0": "echo line | multilog ./log",
    "multilog 111": "multilog ./no/log",
    "pgrphack 100": "pgrphack",
    "pgrphack 111": "pgrphack ./nothing",
    "pyinit 0": "pyinit -d none true",
    "pyinit 1": "mkdir -p s/a; pyinit doctor s",
    "pyinit 100": "pyinit -z",
    "pyinit 111": "pyinit -d none",
    "pyinit 112": "mkdir -p s/a; printf '#!/bin/sh\\necho hello; exec sleep 9' >s/a/run; chmod +x s/a/run;"
    " PYINIT_STOP_TIMEOUT=1 pyinit -d s >/dev/full & until [ -e state/ready ]; do sleep .1; done; kill $!; wait $!",
    "pyinit 126": "pyinit -d none /",
    "pyinit 127": "pyinit -d none ./nothing",
    "readproctitle 0": "readproctitle .....",
    "readproctitle 100": "readproctitle ....",
    "readproctitle 111": "readproctitle ..... 0>file",
    "setlock 0": "setlock -x no/file true",
    "setlock 100": "setlock file",
    "setlock 111": "setlock no/file true",
    "setuidgid 100": "setuidgid root",
    "setuidgid 111": "setuidgid no-such-account true",
    "softlimit 100": "softlimit -o x true",
    "softlimit 111": "softlimit ./nothing",
    "supervise 0": "mkdir a; touch a/down; supervise a & until svok a; do sleep 0.05; done; svc -x a; wait $!",
    "supervise 100": "supervise",
    "supervise 111": "supervise none",
    "svc 0": "svc -u none",
    "svc 1": "mkdir s; pyinit -d s& until [ -e state/ready ]; do sleep .1; done;"
    " svc -d none; c=$?; kill $!; wait; exit $c",
    "svc 100": "svc -z",
    "svlog 0": "echo line | multilog t ./log; svlog ./log",
    "svlog 100": "svlog -n x",
    "svlog 111": "svlog ./none",
    "svok 0": "mkfifo ok; mkdir -p a/supervise; mv ok a/supervise; exec 3<>a/supervise/ok; svok a",
    "svok 100": "mkdir a; svok a",
    "svok 111": "svok none",
    "svscan 0": "mkdir -p s/a; touch s/a/down; svscan s & until svok s/a; do sleep 0.05; done; kill $!; wait $!",
    "svscan 111": "svscan none",
    "svstat 0": "svstat none",
    "svstat 1": "unshare -rm sh -c 'mount -t tmpfs none /run; mount -t tmpfs none /dev/shm; svstat --ready'",
    "tai64n 0": "tai64n",
    "tai64n 111": "echo line | tai64n >/dev/full",
    "tai64nlocal 0": "tai64nlocal",
    "tai64nlocal 111": "echo line | tai64nlocal >/dev/full",
}
"""A shell command that ends so, in an empty directory and without input, for each."""


def documented(name: str) -> list[str]:
    text = (ROOT / f"docs/commands/{name}.md").read_text()
    section = text.partition("\n## EXIT STATUS\n")[2].partition("\n## ")[0]
    return [f"{name} {code}" for code in re.findall(r"^- (\d+):", section, re.MULTILINE)]


def test_each_is_listed_here() -> None:
    assert sorted(code for name in commands() for code in documented(name)) == sorted(WAYS)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_it_ends_so(way: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", WAYS[way]],
        cwd=tmp_path,
        env=environment(PYINIT_STATE=str(tmp_path / "state")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == int(way.split()[1]), done
