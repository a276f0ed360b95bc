"""pyinit doctor: one line a finding, nothing changed; and the same words when a service does not start."""

import grp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from machine import BIN, ROOT, Machine, command
from waiting import until

from pyinit.services.definition.findings import EXPLANATIONS

SH = "#!/bin/sh\n"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account, or change root")


class Services:
    """Makes service directories under `top / "service"`."""

    def __init__(self, top: Path) -> None:
        self.top = top / "service"
        self.top.mkdir()
        self.state = top / "state"

    def add(self, name: str = "web", run: str = SH, mode: int = 0o755, **more: str) -> Path:
        for file, content in {"run": run, **more}.items():
            path = self.top / name / file.replace("__", "/").replace("--", "-")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("latin-1"))
            path.chmod(mode if path.name == "run" or content.startswith("#!") else 0o644)
        return self.top / name

    def examine(self, **environment: str) -> tuple[int, list[str]]:
        """The exit code and the findings, without the path to the services. Nothing is changed."""
        before = tree(self.top.parent)
        done = command("pyinit", "doctor", self.top, **{"PYINIT_STATE": str(self.state), **environment})
        assert tree(self.top.parent) == before
        assert b"Traceback" not in done.stderr
        lines = done.stdout.decode().splitlines()
        return done.returncode, [line.replace(f"{self.top}/", "") for line in lines]


def tree(top: Path) -> list[tuple[str, int, int, int]]:
    """Every file below, with what would tell of a change: its mode, size and time."""
    found = []
    for directory, names, files in os.walk(top):
        for name in (".", *names, *files):
            status = os.lstat(os.path.join(directory, name))
            found.append((os.path.join(directory, name), status.st_mode, status.st_size, status.st_mtime_ns))
    return sorted(found)


@pytest.fixture
def service() -> Iterator[Services]:
    """In a directory that every account may reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Services(Path(name))


def test_nothing_to_say_of_a_good_one(service: Services) -> None:
    service.add(
        run=SH + "exec 2>&1\nif true; then exec sleep 1; else\n exec sleep \\\n 2\nfi\n",
        log__run=SH + "exec cat\n",
        env__A="x",
        down="",
        needs="elf\n",
        finish=SH + "echo $1\n",
    )
    service.add("elf", run="\x7fELF")
    service.add("python", run=f"#!{sys.executable}\nimport time\ntime.sleep(1)\n")
    service.add("once", run=SH + "sleep 1\n", type="oneshot")
    assert service.examine() == (0, [])


@pytest.mark.parametrize(
    ("run", "mode", "finding"),
    [
        (SH, 0o644, "not executable: chmod +x [not-executable]"),
        ("#!/bin/sh\r\nexec x\r\n", 0o755, "lines end in CR LF: its interpreter is looked for with the CR in its name"),
        (SH + "exec a\r\n", 0o755, "line 2 ends in CR LF [carriage-return]"),
        ("#!/no/such/shell\n", 0o755, "the interpreter /no/such/shell can't be used: file does not exist"),
        ("#!/etc/passwd\n", 0o755, "the interpreter /etc/passwd is not executable [no-interpreter]"),
        ("#!/usr/bin/env no-such-program\n", 0o755, "env will not find no-such-program on PATH [no-interpreter]"),
        ("#!\n", 0o755, "the #! line names nothing [bad-interpreter-line]"),
        ("#!/bin/sh " + "x" * 300 + "\n", 0o755, "the #! line is too long [bad-interpreter-line]"),
        ("exec sleep 1\n", 0o755, "no #! line [no-interpreter-line]"),
        ("", 0o755, "empty [empty-program]"),
        (SH + "if true; then\n", 0o755, "/bin/sh -n: 3: Syntax error: end of file unexpected"),
        ("#!/usr/bin/env bash\nif true; then\n", 0o755, "/usr/bin/bash -n: line 3: syntax error"),
        (SH + "exec setuidgid nobodyx a\n", 0o755, "setuidgid: unknown account nobodyx [unknown-account]"),
        (SH + "exec chpst -u nobodyx a\n", 0o755, "chpst: unknown account nobodyx [unknown-account]"),
    ],
)
def test_programs(service: Services, run: str, mode: int, finding: str) -> None:
    service.add(run=run, mode=mode)
    code, findings = service.examine(PATH="/usr/bin:/bin" if "bash" in run else os.environ["PATH"])
    assert code == 1
    assert len(findings) == 1
    assert findings[0].startswith(f"web/run: {finding}")


@pytest.mark.parametrize("name", ["log__run", "check", "health", "finish"])
def test_other_programs_are_looked_into(service: Services, name: str) -> None:
    service.add("web", SH, 0o755, **{name: SH + "done\n"})
    code, findings = service.examine()
    assert code == 1
    assert f"web/{name.replace('__', '/')}: /bin/sh -n: 2: Syntax error" in findings[0]


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        ({"run": SH + "exec 2>&1\nsleep 1\n"}, "run: the last command does not replace the shell: exec it [no-exec]"),
        ({"log__run": SH + "cat\n"}, "log/run: the last command does not replace the shell: exec it [no-exec]"),
        ({"run": SH + ":\n" * 40_000}, "run: longer than 65536 bytes: its content is not checked [not-checked]"),
        ({"Run": SH + "x"}, None),
        ({"run.sh": SH + "x"}, None),
        ({"notifcation-fd": "3"}, "notifcation-fd: means nothing here: is notification-fd meant? [misspelt-file]"),
        ({"max-death-tally": "3"}, "max-death-tally: a file of s6, which means nothing here [foreign-file]"),
        ({"log__run": SH + "exec cat", "log__user": "x"}, "log/user: not read, as there is a log/run [unread-file]"),
        ({"env__A": "a\0b"}, "env/A: a NUL byte becomes a newline [nul-in-env]"),
        (
            {"finish": SH + '[ "$1" = -1 ]'},
            "finish: compares $1 with -1, as in runit: here it is 256 after a signal [finish-arguments]",
        ),
    ],
)
def test_hints_leave_the_exit_code(service: Services, files: dict[str, str], hint: str | None) -> None:
    service.add("web", files.get("run", SH), 0o755, **{name: text for name, text in files.items() if name != "run"})
    assert service.examine() == (0, [f"hint: web/{hint}"] if hint else [])


def test_missing_and_misplaced(service: Services) -> None:
    (service.top / "missing").mkdir()
    (service.top / "missing/Run").touch()
    (service.top / "folder/run").mkdir(parents=True)
    service.add("filelog", log="a file")
    service.add("badlog", log__run=SH)
    (service.top / "badlog/log/run").chmod(0o644)
    (service.top / "nowhere").symlink_to("/no/such/directory")
    (service.top / "a file").touch()
    (service.top / "twin").symlink_to("missing")
    assert service.examine() == (
        1,
        [
            "badlog/log/run: not executable: chmod +x [not-executable]",
            "filelog/log: not a directory [unusable-file]",
            "folder/run: is a directory [not-a-program]",
            "missing/run: file does not exist [no-run]",
            "hint: missing/Run: means nothing here: is run meant? [misspelt-file]",
            "nowhere: file does not exist [unusable-directory]",
            "twin: the same directory as missing: one service, under either name [same-directory]",
        ],
    )


def test_what_the_reader_of_the_files_refuses_is_found(service: Services) -> None:
    service.add("a", restart="sometimes")
    service.add("b", type="oneshot\r\n")
    (service.add("c") / "down").symlink_to("nowhere")
    assert service.examine() == (
        1,
        [
            "a/restart: not always or on-failure or never: sometimes [bad-content]",
            "b/type: lines end in CR LF [carriage-return]",
            "c/down: a link that leads nowhere [unusable-file]",
        ],
    )
    assert service.examine(PYINIT_DIALECT="daemontools")[1] == [
        "b/type: lines end in CR LF [carriage-return]",
        "c/down: a link that leads nowhere [unusable-file]",
    ]


def test_variables_of_a_service(service: Services) -> None:
    service.add("a", env="a file")
    service.add("b", SH, 0o755, **{"env__A=B": "x", "env__C": "x\r\n", "env__D": "x"})
    (service.top / "b/env/D").unlink()
    os.mkfifo(service.top / "b/env/D")
    service.add("c", secrets="A=B")
    service.add("d", secrets="A\0B")
    service.add("e", SH, 0o755, **{f"env__V{number}": "x" * 60_000 for number in range(40)})
    code, findings = service.examine()
    assert code == 1
    assert findings == [
        "a/env: not a directory [unusable-file]",
        "b/env/A=B: = in the name of a variable [bad-variable-name]",
        "b/env/C: lines end in CR LF [carriage-return]",
        "b/env/D: not a regular file [unusable-file]",
        "c/secrets: = in the name of a variable [bad-variable-name]",
        "d/secrets: has a NUL byte [nul-byte]",
        "e/env: longer than 2097152 bytes [unusable-file]",
    ]


def test_secrets_that_are_not_there_yet_are_hints(service: Services) -> None:
    token = service.top.parent / "token"
    service.add("a", secrets="TOKEN\n")
    service.add("b", secrets="TOKEN\n", env__TOKEN_FILE=str(token))
    code, findings = service.examine()
    assert code == 0
    assert findings == [
        "hint: a/secrets: TOKEN is asked for, but TOKEN_FILE is not set [missing-secret]",
        f"hint: b/secrets: TOKEN: {token}: file does not exist [missing-secret]",
    ]
    token.write_text("hush\n")
    assert service.examine(TOKEN_FILE=str(token)) == (0, [])
    token.write_text("hu\0sh\n")
    assert service.examine()[1][1:] == [f"b/secrets: TOKEN: {token}: has a NUL byte [nul-byte]"]
    token.unlink()
    token.mkdir()
    assert service.examine()[1][1:] == [f"b/secrets: TOKEN: {token}: not a regular file [unusable-file]"]


def test_the_settings_of_a_log(service: Services) -> None:
    service.add("a", log__script="t 'x")
    service.add("b", log__script="t -* # all")
    service.add("c", log__script="t '-*'")
    service.add("d", log__user="nobodyx")
    service.add("e", log__user="no\0body")
    service.add("f", log__script="t ./main\r\n")
    code, findings = service.examine()
    assert code == 1
    assert findings == [
        "a/log/script: no closing quotation [bad-quoting]",
        "b/log/script: a comment [bad-quoting]",
        "c/log/script: no destination [no-destination]",
        "d/log/user: unknown account nobodyx [unknown-account]",
        "e/log/user: has a NUL byte [nul-byte]",
        "f/log/script: lines end in CR LF [carriage-return]",
    ]


def test_a_logger_that_is_nothing_but_multilog_is_a_hint(service: Services) -> None:
    service.add(log__run=SH + "exec multilog t ./main\n")
    hint = "hint: web/log/run: nothing but multilog: log/script does the same without a process [needless-logger]"
    assert service.examine() == (0, [hint])


@needs_root
def test_log_directories_are_looked_at_as_their_writers(service: Services) -> None:
    service.add("a", log__run=SH + "exec setuidgid nobody multilog t ./main\n")
    service.add("b", log__script="t ./main\n", log__user="nobody")
    service.add("c", log__script="t ./main\n")
    here = service.top
    assert service.examine()[1][1:] == [
        "a/log/main: it cannot be made in a/log: access denied, as nobody [log-directory]",
    ]
    for name in "abc":
        (here / name / "log/main").mkdir()
    assert service.examine()[1][1:] == [
        "a/log/main: access denied, as nobody [log-directory]",
        "b/log/main: access denied, as nobody [log-directory]",
    ]
    for name in "ab":
        shutil.chown(here / name / "log/main", "nobody", grp.getgrgid(os.getgid()).gr_name)
    assert len(service.examine()[1]) == 1
    (here / "a/log/main/current").touch()
    assert service.examine()[1][1:] == ["a/log/main: current: access denied, as nobody [log-directory]"]


def test_the_containers_log_directory(service: Services) -> None:
    volume = service.top.parent / "volume"
    service.add()
    service.add("own", log__script="t ./main")
    assert service.examine(PYINIT_LOG="both", PYINIT_LOG_DIR=str(volume)) == (0, [])
    volume.touch()
    assert service.examine(PYINIT_LOG="stdout", PYINIT_LOG_DIR=str(volume)) == (0, [])
    assert service.examine(PYINIT_LOG="both", PYINIT_LOG_DIR=str(volume)) == (
        1,
        [f"{volume}/web: not a directory [log-directory]"],
    )


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("PYINIT_LOG", "everywhere", "PYINIT_LOG: not stdout, volume or both [bad-value]"),
        ("PYINIT_LOG_DIR", "logs", "PYINIT_LOG_DIR: not an absolute path [bad-value]"),
        ("PYINIT_LOG_SIZE", "1k", "PYINIT_LOG_SIZE: not a number from 4096 on [bad-value]"),
        ("PYINIT_STATE", "state", "PYINIT_STATE: not an absolute path [bad-value]"),
        ("PYINIT_STATE", "/etc/passwd", "PYINIT_STATE: /etc/passwd cannot be used [bad-value]"),
        ("PYINIT_STOP_TIMEOUT", "soon", "PYINIT_STOP_TIMEOUT: not a number of seconds [bad-value]"),
        ("PYINIT_SIGNALS", "FOO=stop", "PYINIT_SIGNALS: FOO is not a signal [bad-value]"),
        ("PYINIT_VERBOSITY", "very", "PYINIT_VERBOSITY: not a number [bad-value]"),
        ("PYINIT_DIALECT", "s6", "PYINIT_DIALECT: not daemontools [bad-value]"),
        ("PYINIT_LOGS", "both", "PYINIT_LOGS: is PYINIT_LOG meant? [misspelt-variable]"),
        ("PYINIT_LOG_SISE", "5000", "PYINIT_LOG_SISE: is PYINIT_LOG_SIZE meant? [misspelt-variable]"),
        ("PYINT_LOG_SIZE", "5000", "PYINT_LOG_SIZE: is PYINIT_LOG_SIZE meant? [misspelt-variable]"),
        ("pyinit_log", "both", "pyinit_log: is PYINIT_LOG meant? [misspelt-variable]"),
        ("PYINIT_VERSION", "1", "hint: PYINIT_VERSION: is PYINIT_VERBOSITY meant? [unknown-variable]"),
        ("PYINIT_COLOUR", "1", "hint: PYINIT_COLOUR: there is none of that name [unknown-variable]"),
        (
            "PYINIT_SIGNALS",
            "HUP=x:HUP",
            "hint: PYINIT_SIGNALS: names x, and no service has that name ",
        ),
        ("PYINIT_SIGNALS", "HUP=web:HUP", None),
        ("PYTHON_LOG", "1", None),
        ("INIT_LOG_DIR", "x", None),
    ],
)
def test_variables_of_the_container(service: Services, name: str, value: str, finding: str | None) -> None:
    service.add()
    code, findings = service.examine(**{name: value})
    assert [line.removesuffix("[unknown-service]") for line in findings] == ([finding] if finding else [])
    assert code == (0 if not finding or finding.startswith("hint: ") else 1)


def test_hostile_files_are_bounded(service: Services) -> None:
    """What has no end or no reader is neither read whole nor waited for."""
    for name in ("run", "log/run", "log/script", "type", "secrets", "env/A", "finish"):
        for kind in ("fifo", "zero", "huge"):
            home = service.add(f"{name.replace('/', '-')}-{kind}")
            path = home / name
            path.unlink(missing_ok=True)
            path.parent.mkdir(exist_ok=True)
            if kind == "fifo":
                os.mkfifo(path, 0o755)
            elif kind == "zero":
                path.symlink_to("/dev/zero")
            else:
                path.write_text(SH)
                path.chmod(0o755)
                os.truncate(path, 100 << 30)
    code, findings = service.examine()
    assert code == 1
    assert len(findings) >= 18


def test_a_shell_that_does_not_end_is_given_up(service: Services) -> None:
    shell = service.top.parent / "sh"
    shell.write_text(SH + "exec sleep 100\n")
    shell.chmod(0o755)
    service.add(run=f"#!{shell}\nexec sleep 1\n")
    began = monotonic()
    assert service.examine() == (
        0,
        [f"hint: web/run: {shell} -n came to no end: its content is not checked [not-checked]"],
    )
    assert 5 <= monotonic() - began < 15


def test_many_services_take_a_moment(service: Services) -> None:
    for number in range(200):
        service.add(f"s{number}", run=SH + "exec 2>&1\nexec sleep 1\n", env__A="b", log__run=SH + "exec cat\n")
    began = monotonic()
    assert service.examine() == (0, [])
    assert monotonic() - began < 15


def test_none_of_its_modules_is_compiled(service: Services) -> None:
    """In a checkout that is not compiled the interpreter would write the bytecode of each into the layer."""
    service.add()
    checkout = service.top.parent / "checkout"
    shutil.copytree(ROOT / "pyinit", checkout / "pyinit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "bin", checkout / "bin")
    line = [sys.executable, "-IS", str(checkout / "bin/pyinit"), "doctor", str(service.top)]
    done = subprocess.run(line, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    compiled = {path.name.partition(".")[0] for path in checkout.rglob("*.pyc")}
    assert not compiled & {"examination", "doctor", "findings", "shell", "brief", "access"}


NEEDED = (Path(path) for path in ("/usr", "/proc", sys.prefix, sys.base_prefix))
MOUNTED = sorted({path.parts[1] for path in NEEDED if not path.is_relative_to(ROOT)})
CHECKOUT = "checkout"
"""Where the root has this checkout: it may be below a directory that another account cannot enter, or in /tmp."""


def inside(path: str | Path) -> str:
    """What a path of the checkout is in the root."""
    return str(path).replace(str(ROOT), f"/{CHECKOUT}", 1)


@pytest.fixture
def root() -> Iterator[Path]:
    """The root of a container with one service and nothing else but programs, which are mounted into it."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        for path, content in {"run": SH + "exec sleep 1\n", "log/script": "t ./main\n", "secrets": "TOKEN\n"}.items():
            file = top / "service/web" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(0o755)
        for mount in (*MOUNTED, CHECKOUT):
            (top / mount).mkdir()
        for link in ("bin", "lib", "lib64"):
            if Path("/", link).is_symlink():
                (top / link).symlink_to(Path("/", link).readlink())
        yield top


def examine_in(root: Path, *prefix: str) -> tuple[int, str]:
    """The exit code and the findings of doctor in a root of its own. Nothing is changed."""
    mounts = [f"mount --rbind /{mount} {root}/{mount}" for mount in MOUNTED]
    mounts.append(f"mount --bind {ROOT} {root}/{CHECKOUT}")
    program = [inside(sys.executable), "-IS", inside(BIN / "pyinit"), "doctor"]
    words = " ".join(["exec", "chroot", str(root), *prefix, *program])
    before = tree(root)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(["set -e", *mounts, words])],
        env={"PATH": os.environ["PATH"], "PYINIT_LOG": "both"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert tree(root) == before
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


SECRET = "hint: /service/web/secrets: TOKEN is asked for, but TOKEN_FILE is not set [missing-secret]\n"


@needs_root
def test_a_containers_empty_root_stays_empty(root: Path) -> None:
    """Root could make /run/pyinit, and anything else."""
    assert examine_in(root) == (0, SECRET)


@needs_root
def test_a_user_without_a_place_for_state_and_logs_is_told(root: Path) -> None:
    (root / "run/pyinit").mkdir(parents=True)
    (root / "run/pyinit").chmod(0o555)
    os.chown(root / "run/pyinit", 65534, 65534)
    assert examine_in(root, "setpriv", "--reuid=65534", "--clear-groups") == (
        1,
        SECRET + "/service/web/supervise: cannot be written, and there is no other place for it: set PYINIT_STATE"
        " [state-directory]\n"
        "/service/web/log/main: it cannot be made in /service/web/log: access denied [log-directory]\n",
    )


def test_a_directory_that_cannot_be_opened_is_fatal(tmp_path: Path) -> None:
    done = command("pyinit", "doctor", tmp_path / "none")
    assert done.returncode == 111
    assert done.stderr.endswith(b"none: file does not exist\n")
    for words in (["a", "b"], ["--explain"], ["-x"], ["--explain", "a", "b"]):
        assert command("pyinit", "doctor", *words).returncode == 100


def test_a_code_is_explained() -> None:
    for code in EXPLANATIONS:
        done = command("pyinit", "doctor", "--explain", code.decode())
        assert done.returncode == 0
        assert done.stdout.count(b".") >= 3
        assert max(map(len, done.stdout.splitlines())) <= 80
    done = command("pyinit", "doctor", "--explain", "no-exce")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"pyinit: fatal: no finding has the code no-exce: is it no-exec?\n"
    assert command("pyinit", "doctor", "--explain", "xyzzy").stderr.endswith(b"has the code xyzzy\n")


def test_output_that_cannot_be_written_is_no_traceback(service: Services) -> None:
    service.add(mode=0o644)
    line = [sys.executable, "-IS", str(BIN / "pyinit"), "doctor", str(service.top)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (111, b"pyinit: fatal: unable to write output: out of disk space\n")


def test_a_failing_start_is_told_in_the_same_words(machine: Machine) -> None:
    (machine.add("web") / "run").write_bytes(b"#!/bin/sh\r\nexec sleep 1\r\n")
    machine.boot()
    until(
        lambda: "unable to start web/run: file does not exist: lines end in CR LF" in machine.stderr(),
        "it",
    )
    assert "with the CR in its name [carriage-return]\n" in machine.stderr()
