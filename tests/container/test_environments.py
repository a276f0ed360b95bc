"""Every way in which containers are run: services work, both sets of commands work inside, and it stops in order."""

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from container.box import Boot, Box
from container.images import build
from waiting import until

C = "/c/usr/bin/"
"""Where the image has Debian's programs."""

DOCKERFILE = """\
ARG BASE
FROM $BASE
COPY service /service
RUN ln -s /usr/bin/pyinit /tini
"""

RUN = "#!/bin/sh\n"
SERVICES = {
    "a/run": RUN + "exec /programs/steady\n",
    "own/run": RUN + "exec /programs/steady\n",
    "own/log/run": RUN + "exec cat >/dev/null\n",
    "loud/run": RUN + "while :; do echo a line that somebody may read; done\n",
    "loud/down": "",
}


@pytest.fixture(scope="session")
def services(programs: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The test image with services built in: two, one of which brings a logger, and one that is down."""
    context = tmp_path_factory.mktemp("environments")
    (context / "Dockerfile").write_text(DOCKERFILE)
    for name, content in SERVICES.items():
        file = context / "service" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o755 if content.startswith("#!") else 0o644)
    return build("pyinit-environments:test", context, f"--build-arg=BASE={programs}")


def works(box: Box, state: str) -> None:
    """Everything that is promised of a container whose state is in the directory `state`."""
    until(lambda: box.run("svstat", "--ready")[0] == 0, "readiness")
    first = box.up("a")
    listing = {line.partition(":")[0]: line for line in box.ask("svstat").splitlines()}
    assert set(listing) == {f"/service/{name}" for name in ("a", "loud", "own", "own/log")}
    assert all(": up (pid " in line for name, line in listing.items() if "loud" not in name)
    assert box.run("svok", "/service/a")[0] == box.run("svok", "own/log")[0] == 0

    box.ask("svc", "-t", "a")
    second = until(lambda: box.pid("a") not in (0, first) and box.pid("a"), "a restarted by ours")
    assert box.run(C + "svok", f"{state}/a")[0] == 0
    assert box.ask(C + "svstat", f"{state}/a").startswith(f"{state}/a: up (pid {second}) ")
    assert ": up (pid " in box.ask(C + "svstat", f"{state}/own/log")
    assert box.ask(C + "svc", "-d", f"{state}/a") == ""
    until(lambda: ": down " in box.ask(C + "svstat", f"{state}/a"), "a brought down by theirs")
    box.ask("svc", "-u", "a")
    box.up("a")


def stops(box: Box, within: float = 3.0) -> None:
    before = time.monotonic()
    assert box.stop() == 0
    assert time.monotonic() - before < within
    assert "a: last words" in box.stdout()
    assert "killed" not in box.stderr()
    assert "internal error" not in box.stderr()
    assert box.stderr().count("pyinit: ready services=3 in ") == 1


@pytest.mark.parametrize(
    ("options", "state"),
    [
        pytest.param({}, "/service", id="as it is"),
        pytest.param({"user": "1000:1000"}, "/dev/shm/pyinit-1000", id="a user"),
        pytest.param({"user": "123456789:0"}, "/dev/shm/pyinit-123456789", id="a user without a passwd entry"),
        pytest.param(
            {"user": "1000:1000", "env": {"PYINIT_STATE": "/tmp/mine"}}, "/tmp/mine", id="a user, a place that is named"
        ),
        pytest.param({"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}, "/service", id="no capabilities"),
        pytest.param(
            {"user": "1000:1000", "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "read_only": True},
            "/dev/shm/pyinit-1000",
            id="a user, no capabilities, nothing writable",
        ),
        pytest.param(
            {"user": "7:7", "read_only": True, "ipc_mode": "none", "tmpfs": {"/tmp": "noexec"}},
            "/tmp/pyinit-7",
            id="only /tmp",
        ),
        pytest.param({"read_only": True, "tmpfs": {"/run": "noexec"}}, "/run/pyinit", id="only /run"),
        pytest.param({"network_mode": "none"}, "/service", id="no network"),
        pytest.param({"pids_limit": 40}, "/service", id="40 processes"),
        pytest.param({"mem_limit": "32m"}, "/service", id="32 MB"),
        pytest.param({"stop_signal": "SIGRTMIN+3"}, "/service", id="another stop signal"),
        pytest.param({"tty": True}, "/service", id="a terminal, no command"),
    ],
)
def test_environment(boot: Boot, services: str, options: dict[str, Any], state: str) -> None:
    box = boot({}, image=services, **options)
    works(box, state)
    if options.get("tty"):  # where both streams are one
        assert box.stop() == 0
        assert "a: last words" in box.stdout()
    else:
        stops(box)


def test_a_read_only_service_directory(volume: str, boot: Boot, services: str) -> None:
    box = boot({}, image=services, volumes=[(volume, "/service", "ro")])
    works(box, "/run/pyinit")
    assert box.run("touch", "/service/a/x")[0] != 0
    stops(box)


def test_what_the_image_was_built_with_does_not_count(volume: str, boot: Boot, services: str) -> None:
    """A `supervise` left in a directory that can't be written any more: state is elsewhere, and is found there."""
    options: dict[str, Any] = {"image": services, "volumes": [(volume, "/service", "rw")]}
    box = boot({}, **options)
    works(box, "/service")
    stops(box)
    again = boot({}, image=services, volumes=[(volume, "/service", "ro")])
    works(again, "/run/pyinit")
    stops(again)


def test_below_an_init_of_dockers(boot: Boot, services: str) -> None:
    box = boot({}, image=services, init=True)
    works(box, "/service")
    assert box.ask("cat", "/proc/1/comm") == "docker-init\n"
    box.shell("(setsid sleep 100001 &) ; :")
    assert box.stderr().count("pyinit: info: not process 1, adopting orphans as a subreaper\n") == 1
    stops(box)


def test_among_the_hosts_processes(boot: Boot, services: str) -> None:
    """`--pid=host`: nothing but what is its own is touched."""
    witness = subprocess.Popen(["sleep", "1000"])
    try:
        box = boot({}, image=services, pid_mode="host")
        works(box, "/service")
        stops(box)
        assert witness.poll() is None
    finally:
        witness.kill()
        witness.wait()


def test_without_proc(boot: Boot, services: str) -> None:
    """The command asks, since docker exec needs /proc."""
    asking = f"""
        svstat --ready || sleep 0.2; svstat --ready && echo is ready
        svstat a; {C}svstat /service/a
        svc -d a; sleep 0.3; {C}svstat /service/a
        {C}svc -u /service/a; sleep 1; svstat a
        sh -c 'exit 7'"""
    words = ["sh", "-c", 'umount -l /proc && exec pyinit sh -c "$0"', asking]
    box = boot({}, image=services, cap_add=["SYS_ADMIN"], security_opt=["apparmor=unconfined"], entrypoint=words)
    assert box.exit_code() == 7
    its_own = ("a: ready", "a: last words", "own: ")
    said = [line for line in box.stdout().splitlines() if not line.startswith(its_own)]
    assert said[0] == "is ready"
    assert [line.partition(":")[2].split()[0] for line in said[1:5]] == ["up", "up", "down", "up"]
    assert box.stdout().splitlines().count("a: last words") == 2, "once for svc, once for the end"
    assert "internal error" not in box.stderr()


# --- through the client, with streams of every kind


class Client:
    """`docker run` in the foreground of a terminal or pipes."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.name = f"pyinit-{uuid.uuid4().hex[:12]}"

    def words(self, *options: str, command: tuple[str, ...] = ()) -> list[str]:
        return ["docker", "run", "--rm", "--name", self.name, *options, self.image, *command]

    def pid(self) -> str:
        """Of process 1, as the engine's machine counts."""
        line = ["docker", "inspect", "--format", "{{.State.Pid}}", self.name]
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    def exec(self, *words: str) -> subprocess.CompletedProcess[str]:
        line = ["docker", "exec", self.name, *words]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def client(services: str) -> Iterator[Client]:
    one = Client(services)
    yield one
    subprocess.run(["docker", "rm", "-f", one.name], capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("options", [(), ("-e", "PYINIT_SERVICE_DIR=/nowhere")], ids=["beside services", "alone"])
def test_a_shell_on_a_terminal(client: Client, options: tuple[str, ...]) -> None:
    command = ("bash", "--norc", "--noediting", "-i")
    line = client.words("-it", "-e", "PS1=READY>", *options, command=command)
    shell = pexpect.spawn(line[0], line[1:], timeout=30, dimensions=(24, 80), encoding="utf-8")
    shell.expect_exact("READY>")
    assert "cannot set terminal process group" not in str(shell.before)
    shell.sendline("sleep 1000; echo code $?")
    until(lambda: sleeping(client), "sleep")
    shell.sendcontrol("c")
    shell.expect_exact("READY>")
    shell.sendline("sleep 1000")
    until(lambda: sleeping(client), "sleep")
    shell.sendcontrol("z")
    shell.expect_exact("Stopped")
    shell.expect_exact("READY>")
    shell.setwinsize(30, 100)
    until(lambda: client.exec("sh", "-c", "stty size </dev/pts/0").stdout == "30 100\n", "the new size")
    shell.sendline("fg")
    shell.expect_exact("sleep 1000")
    shell.sendcontrol("c")
    shell.expect_exact("READY>")
    shell.sendline("exit 7")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 7


def sleeping(client: Client) -> bool:
    return "sleep 1000" in client.exec("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout


def test_an_interrupt_on_a_terminal_without_a_command(client: Client) -> None:
    line = client.words("-t")
    terminal = pexpect.spawn(line[0], line[1:], timeout=30, encoding="utf-8")
    terminal.expect_exact("a: ready")
    until(lambda: client.exec("svstat", "--ready").returncode == 0, "readiness")
    terminal.sendcontrol("c")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "a: last words" in str(terminal.before)
    assert "killed" not in str(terminal.before)


def test_standard_input_from_a_pipe(client: Client) -> None:
    line = client.words("-i", command=("sh", "-c", "cat; exit 3"))
    done = subprocess.run(line, input="piped\n", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert [text for text in done.stdout.splitlines() if not text.startswith("a: ")] == ["piped"]


def test_detached(client: Client) -> None:
    line = client.words("-d", command=("sh", "-c", "read line; svstat a; exec sleep 1000"))
    subprocess.run(line, capture_output=True, check=True, timeout=60)

    def logs() -> str:
        words = ["docker", "logs", client.name]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout

    until(lambda: "a: up (pid " in logs(), "the command to come by the end of its input")


def test_called_tini(client: Client) -> None:
    line = client.words("--entrypoint", "/tini", command=("-e", "7", "--", "sh", "-c", "echo $PPID; exit 7"))
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_standard_output_that_nobody_reads(client: Client) -> None:
    """What services say waits; control, restarts and the stop do not."""
    line = client.words("--log-driver=none", "-e", "PYINIT_STOP_TIMEOUT=2", "-a", "stdout")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        until(lambda: client.exec("svstat", "--ready").returncode == 0, "readiness", 30)
        assert client.exec("svc", "-u", "loud").returncode == 0
        until(lambda: is_stuck(client), "it to wait for a reader", 60)
        before = client.exec("svstat", "a").stdout.split()[3]
        client.exec("svc", "-k", "a")
        until(lambda: client.exec("svstat", "a").stdout.split()[3] != before, "a to be started again")
        process_1 = Path("/proc") / client.pid()
        assert process_1.exists(), "the engine must be on this machine"
        subprocess.run(["docker", "kill", "--signal=TERM", client.name], capture_output=True, check=True, timeout=60)
        until(lambda: not process_1.exists(), "process 1 to end; Docker itself waits for a reader before it says so")
    finally:
        assert process.stdout
        process.stdout.close()
        process.wait(30)


def is_stuck(client: Client) -> bool:
    """Whether the service that says much has written nothing for a while."""
    script = "cat /proc/$(svstat loud | sed 's/.*(pid \\([0-9]*\\)).*/\\1/')/io | grep wchar"
    first = client.exec("sh", "-c", script).stdout
    time.sleep(0.3)
    return bool(first) and client.exec("sh", "-c", script).stdout == first
