"""system/interpreter: the command line that the kernel would make of a script, on a file system that is noexec."""

import os
import subprocess
from pathlib import Path

import pytest

from pyinit.system.interpreter import Interpreter, interpreter_of


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"#!/bin/sh\nexec x\n", [b"/bin/sh"]),
        (b"#! /bin/sh -e \nx", [b"/bin/sh", b"-e"]),
        (b"#!\t/usr/bin/env \t python3 -u\t\n", [b"/usr/bin/env", b"python3 -u"]),
        (b"#!/bin/sh", [b"/bin/sh"]),
        (b"#!\n/bin/sh", []),
        (b"# !/bin/sh\n", []),
        (b"\x7fELF", []),
        (b"", []),
    ],
)
def test_what_follows_the_interpreter_is_one_argument(head: bytes, words: list[bytes]) -> None:
    assert interpreter_of(head) == words


@pytest.mark.parametrize("line", ["#!{} a b", "#! {}\t a b \t", "#!{}"])
def test_as_the_kernel_does_it(tmp_path: Path, line: str) -> None:
    shower = tmp_path / "shower"
    subprocess.run(["cp", "/bin/echo", shower], check=True)
    script = tmp_path / "script"
    script.write_text(line.format(shower) + "\n")
    script.chmod(0o755)
    by_kernel = subprocess.run([script, "x y"], capture_output=True, check=True).stdout
    words = [*interpreter_of(script.read_bytes()), bytes(script), b"x y"]
    assert subprocess.run(words, capture_output=True, check=True).stdout == by_kernel


def test_where_programs_may_be_executed_it_refuses(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("#!/bin/sh\n")
    directory_fd = os.open(tmp_path, os.O_PATH)
    with pytest.raises(PermissionError):
        Interpreter(bytes(tmp_path)).arguments([b"./run"], directory_fd)
    os.close(directory_fd)
