"""A command called by the one before it leaves what the same command leaves when it is executed, and Debian's C one.

Each chain is run three times, at the same path. First the launchers are links of one file, so that one calls the next.
Then each is a file of its own, so that one executes the next. Last come the C programs.
"""

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemontools import Commands
from inheritance import facts, started

SLEEP = [b"/bin/sleep", b"1000", b"0"]
KINDS = ("called", "executed", "C")


class Chains:
    """A directory to work in, `bin` in it, which is one of the three kinds, and a record of every interpreter."""

    def __init__(self, commands: Commands) -> None:
        self.place = commands.root / "chains"
        self.place.mkdir()
        self.place.chmod(0o777)
        self.bin = self.place / "bin"
        self.record = self.place / "record"
        self.kinds = {"called": commands.ours, "executed": commands.copied(commands.root / "copied")}
        self.kinds["C"] = commands.debian
        self._spy_on(commands.ours / "pyinit", *self.kinds["executed"].iterdir())
        for name, files in {
            "set": {"A": b"new", "A2": b"x\0y\n", "LANG": b"C", "B": b""},
            "path": {"PATH": b"/nonexistent:%b:/usr/bin:/bin" % bytes(self.bin)},
            "locale": {"LC_CTYPE": b"C.UTF-8", "LC_ALL": b""},
            "loader": {"LD_BIND_NOW": b"1"},
        }.items():
            (self.place / name).mkdir()
            for file, content in files.items():
                (self.place / name / file).write_bytes(content)
        for number in range(8):
            (self.place / f"lock{number}").touch()
            (self.place / f"lock{number}").chmod(0o666)

    def _spy_on(self, *launchers: Path) -> None:
        """Have each launcher say that an interpreter was started, under which name."""
        for launcher in launchers:
            line = f"with open({str(self.record)!r}, 'a') as record:\n    record.write(sys.argv[0] + '\\n')\n"
            before, main, after = launcher.read_text().partition("try:\n    sys.path.insert(")
            text = before + line + main + after
            launcher.write_text(text)

    def use(self, kind: str) -> None:
        self.bin.unlink(missing_ok=True)
        self.bin.symlink_to(self.kinds[kind])
        self.record.write_text("")
        self.record.chmod(0o666)

    def interpreters(self) -> list[str]:
        """The commands that an interpreter was started for, since `use`."""
        return [Path(line).name for line in self.record.read_text().splitlines()]

    def variables(self, *before: bytes) -> list[bytes]:
        return [*before, b"PATH=%b:/usr/bin:/bin" % bytes(self.bin), b"HOME=/"]

    def end(self, *words: object, environment: "list[bytes] | None" = None) -> tuple[int, bytes, bytes]:
        """Run a chain that ends by itself: exit code, output, messages."""
        pairs = (entry.partition(b"=") for entry in (environment or self.variables()))
        line = [os.fsencode(word) if isinstance(word, Path | str) else word for word in words]
        done = subprocess.run(
            [os.fsencode(self.bin / os.fsdecode(line[0])), *line[1:]],  # type: ignore[arg-type, list-item]
            cwd=self.place,
            env={name: value for name, _, value in pairs},
            capture_output=True,
            check=False,
            timeout=30,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def chains() -> Iterator[Chains]:
    if os.geteuid() != 0:
        pytest.fail("setuidgid needs root: run the tests as root (in a container, for example)")
    commands = Commands()
    yield Chains(commands)
    commands.remove()


def compare(chains: Chains, words: list[bytes], **order: object) -> list[str]:
    """Check that the program finds the same thing behind each kind; gives the interpreters that calling needed."""
    found, interpreters = {}, {}
    entries = order.pop("environment", None) or chains.variables()
    assert isinstance(entries, list)
    for kind in KINDS:
        chains.use(kind)
        program = chains.bin / os.fsdecode(words[0])
        with started(program, words[1:], chains.place, environment=[entry.hex() for entry in entries], **order) as pid:
            found[kind] = facts(pid)
        interpreters[kind] = chains.interpreters()
    for kind in ("executed", "C"):
        for what, value in found[kind].items():
            assert found["called"][what] == value, f"{what}: called and {kind} differ"
    return interpreters["called"]


STEPS: dict[bytes, Callable[[random.Random, int], list[bytes]]] = {
    b"envdir": lambda random, _: [random.choice([b"set", b"./path", b"locale"])],
    b"envuidgid": lambda random, _: [random.choice([b"root", b"mail"])],
    b"softlimit": lambda random, _: random.choice([[b"-o", b"64"], [b"-c0", b"-s="], [b"-o99", b"-t", b"100"]]),
    b"setlock": lambda random, number: [random.choice([b"-n", b"-X"]), b"lock%d" % number],
    b"pgrphack": lambda random, _: [],
    b"setuidgid": lambda random, _: [random.choice([b"mail", b"nobody"])],
}


def random_chain(random: random.Random) -> list[bytes]:
    """Two to six steps; one that gives up the rights comes once, as any step."""
    names = random.choices([name for name in STEPS if name != b"setuidgid"], k=random.randint(2, 5))
    names.insert(random.randrange(len(names) + 1), b"setuidgid")
    return [word for number, name in enumerate(names) for word in (name, *STEPS[name](random, number))]


EXTRA: list[list[bytes]] = [
    [],
    [b"LANG=C.UTF-8"],
    [b"LC_CTYPE=C.UTF-8"],
    [b"LC_ALL=C", b"LC_CTYPE=POSIX"],
    [b"A=1", b"UID=7", b"A=2", b"GID=1"],
    [b"NAME", b"=x", b"A=1", b""],
    [b"A=\xff\xfe", b"a.b%c=d", b"X=" + bytes(range(1, 256))],
]


@pytest.mark.parametrize("seed", range(20))
def test_a_chain_leaves_the_same(chains: Chains, seed: int) -> None:
    chance = random.Random(seed)
    words = random_chain(chance)
    signals = [signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGTERM, 40]
    compare(
        chains,
        [*words, *SLEEP],
        environment=chains.variables(*EXTRA[seed % len(EXTRA)]),
        ignored=chance.sample(signals[:3], 2),
        blocked=chance.sample(signals[2:], 2),
        **chance.choice([{}, {"closed": [0]}, {"closed": [1, 2]}, {"open": [3, 5, 9]}]),
    )


def test_a_chain_is_one_interpreter(chains: Chains) -> None:
    words = b"envdir ./set envuidgid mail setlock -n lock0 pgrphack setuidgid mail softlimit -o 64".split()
    assert compare(chains, [*words, *SLEEP]) == ["envdir"]


def test_without_locale_the_environment_is_read_before_the_user_changes(chains: Chains) -> None:
    words = b"setuidgid mail envdir ./set softlimit -o 64".split()
    assert compare(chains, [*words, *SLEEP]) == ["setuidgid"]


def test_an_environment_that_cannot_be_read_any_more_is_the_next_programs_to_read(chains: Chains) -> None:
    words = b"setuidgid mail pgrphack envdir ./set softlimit -o 64".split()
    assert compare(chains, [*words, *SLEEP], environment=chains.variables(b"LC_ALL=C.UTF-8")) == ["setuidgid", "envdir"]


def test_an_environment_that_python_cannot_hold_is_executed_with(chains: Chains) -> None:
    words = b"envdir ./set setuidgid mail pgrphack".split()
    for extra in [b"NAME"], [b"C=1", b"C=2"]:
        found = compare(chains, [*words, *SLEEP], environment=chains.variables(*extra))
        assert found == ["envdir", "setuidgid"]


def test_a_variable_of_the_loader_is_the_next_programs(chains: Chains) -> None:
    assert compare(chains, [*b"envdir loader pgrphack setuidgid mail".split(), *SLEEP]) == ["envdir", "pgrphack"]


def test_the_next_program_is_found_on_the_path_that_was_given(chains: Chains) -> None:
    """What envdir makes of PATH is the path of the program after the next."""
    (chains.place / "only").mkdir(exist_ok=True)
    (chains.place / "only/PATH").write_text("/nonexistent")
    chains.use("called")
    assert chains.end("envdir", "only", "pgrphack", "/bin/echo", "x") == (0, b"x\n", b"")
    said = b"pgrphack: fatal: unable to run echo: file does not exist\n"
    assert chains.end("envdir", "only", "pgrphack", "echo", "x") == (111, b"", said)


def test_a_command_by_its_path_is_called_too(chains: Chains) -> None:
    chains.use("called")
    assert chains.end("pgrphack", chains.bin / "softlimit", "-o64", "/bin/true")[0] == 0
    assert chains.interpreters() == ["pgrphack"]


def test_what_stays_is_executed(chains: Chains) -> None:
    """fghack is there as long as its child, which begins a chain of its own; ps has to show it."""
    words = b"envdir ./set fghack pgrphack softlimit -o64".split()
    assert compare(chains, [*words, *SLEEP]) == ["envdir", "fghack"]


def test_only_the_same_file_is_called(chains: Chains) -> None:
    """Another program by the name of a command is another program."""
    chains.use("called")
    other = chains.place / "other"
    other.mkdir()
    shutil.copy("/bin/echo", other / "softlimit")
    path = b"PATH=%b:%b:/usr/bin:/bin" % (bytes(other), bytes(chains.bin))
    assert chains.end("pgrphack", "softlimit", "-o", "64", environment=[path]) == (0, b"-o 64\n", b"")


def test_what_may_not_be_executed_is_not_called(chains: Chains) -> None:
    """The launcher of this chain is root's alone, so mail cannot execute the next; neither can the chain go on."""
    chains.use("called")
    private = chains.place / "private"
    private.mkdir()
    shutil.copy(chains.bin / "pyinit", private / "pyinit")
    (private / "pyinit").chmod(0o700)
    for name in "setuidgid", "softlimit":
        (private / name).symlink_to("pyinit")
    package = chains.place / "lib"
    package.symlink_to(chains.kinds["called"].parent / "lib")
    environment = [b"PATH=%b" % bytes(private)]
    found = chains.end(private / "setuidgid", "mail", "softlimit", "-o", "64", "/bin/true", environment=environment)
    assert found == (111, b"", b"setuidgid: fatal: unable to run softlimit: access denied\n")


def test_a_package_that_the_user_may_not_read_fails_as_one_that_is_executed(chains: Chains) -> None:
    package = chains.kinds["called"].parent / "lib/pyinit/pyinit"
    package.chmod(0o700)
    try:
        found = {}
        for kind in KINDS[:2]:
            chains.use(kind)
            found[kind] = chains.end("setuidgid", "mail", "softlimit", "-o", "64", "/bin/true")
            assert len(chains.interpreters()) == 2
    finally:
        package.chmod(0o755)
    assert found["called"] == found["executed"]
    assert found["called"][0] == 111


@pytest.mark.parametrize("limit", ["-o3", "-o4", "-o5", "-d0", "-a9000000", "-m300000", "-f0", "-s1000000"])
def test_a_limit_is_told_of_or_does_no_harm(chains: Chains, limit: str) -> None:
    """Where the interpreter would not even start, a command that is called may do its work: as the C one does."""
    found = {}
    for kind in KINDS:
        chains.use(kind)
        found[kind] = chains.end("softlimit", limit, "setlock", "lock1", "envdir", "set", "/bin/true")
    code, _, said = found["called"]
    is_told = code == 111 and said.startswith((b"setlock: fatal: ", b"envdir: fatal: ")) and said.count(b"\n") == 1
    assert is_told or (code, said) in [(found[kind][0], found[kind][2]) for kind in ("executed", "C")], found


def test_memory_that_is_short_is_said_in_one_line(chains: Chains) -> None:
    chains.use("called")
    (chains.place / "large").mkdir()
    with (chains.place / "large/A").open("wb") as file:
        file.truncate(200 << 20)
    code, _, said = chains.end("softlimit", "-a", str(100 << 20), "envdir", "large", "/bin/true")
    assert (code, said) == (111, b"envdir: fatal: out of memory\n")


def test_a_long_chain_goes_on_in_another_interpreter(chains: Chains) -> None:
    chains.use("called")
    assert chains.end(*["pgrphack"] * 200, "/bin/echo", "x") == (0, b"x\n", b"")
    assert 1 < len(chains.interpreters()) < 10


def test_a_descriptor_that_exec_would_close_has_it_executed(chains: Chains) -> None:
    """The C library may keep one open for the next account."""
    chains.use("called")
    launcher = chains.bin / "pyinit"
    text = launcher.read_text()
    launcher.write_text(text.replace("try:\n    sys.path", "posix.open('/', posix.O_RDONLY)\ntry:\n    sys.path", 1))
    try:
        assert chains.end("pgrphack", "setlock", "lock2", "/bin/ls", "/proc/self/fd") == (0, b"0\n1\n2\n3\n4\n", b"")
        assert chains.interpreters() == ["pgrphack", "setlock"]
    finally:
        launcher.write_text(text)


def test_a_message_is_that_of_the_command_called(chains: Chains) -> None:
    for words, said in {
        ("pgrphack", "softlimit", "-x"): b"softlimit: illegal option -- x\nsoftlimit: usage: softlimit ",
        ("pgrphack", "setuidgid", "nobody-at-all", "true"): b"setuidgid: fatal: unknown account nobody-at-all\n",
        ("envdir", "set", "setlock", "-n", "none/lock", "true"): b"setlock: fatal: unable to open none/lock: ",
        ("pgrphack", "setlock", "lock3", "./none"): b"setlock: fatal: unable to run ./none: file does not exist\n",
    }.items():
        found = set()
        for kind in KINDS:
            chains.use(kind)
            found.add(chains.end(*words))
        assert len(found) == 1
        assert found.pop()[2].startswith(said)
