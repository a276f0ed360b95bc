"""convert: services.toml -> the files of a service directory, and back; each mistake with its line."""

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from pyinit.convert import keys
from pyinit.convert.gathering import gather
from pyinit.convert.planting import plant
from pyinit.convert.run_text import program_of_words, words_of
from pyinit.convert.source import NotToml, Source, described
from pyinit.convert.tables import files_of
from pyinit.convert.toml_text import toml_text
from pyinit.services.definition.definition import PROGRAM, SETTINGS
from pyinit.services.definition.reading import KNOWN, KNOWN_IN_LOG, read_definition

Tree = dict[str, tuple[bytes, int]]
"""Content and mode of each file, by its path; of a directory no content."""


def read_tree(top: Path) -> Tree:
    found: Tree = {}
    for path in sorted(top.rglob("*")):
        mode = path.stat().st_mode & 0o7777
        found[str(path.relative_to(top))] = (b"" if path.is_dir() else path.read_bytes(), mode)
    return found


def unpacked(text: str) -> dict[str, str]:
    """The files of all services, each by `NAME/PATH`; executable ones have a `*` behind."""
    source = Source(text)
    assert source.mistakes == []
    return {
        f"{name.decode()}/{path.decode()}" + ("*" if path in files.programs else ""): content.decode()
        for name, files in source.services.items()
        for path, content in files.contents.items()
    }


def mistakes(text: str) -> list[str]:
    return [described(b"f", line, mistake).decode() for line, mistake in Source(text).mistakes]


def test_the_example_of_the_pages() -> None:
    text = """
[web]
run = ["nginx", "-g", "daemon off;"]
needs = ["php", "db"]
ready = "port 8080"
backoff = "1s 30s"
max-restarts = 5
critical = true
down = false
success = [0, 143, "SIGTERM"]
timeout-kill = 500
env = { TZ = "UTC", DEBUG = 1, LANG = false, EMPTY = "", TWO = "a\\nb" }
secrets = ["TOKEN"]
limits = { nofile = 4096, core = "=" }
check = "curl -f http://localhost"
health = "check every 5s"
"""
    assert unpacked(text) == {
        "web/run*": "#!/bin/sh\nexec softlimit -o 4096 -c = nginx -g 'daemon off;'\n",
        "web/needs": "php\ndb\n",
        "web/ready": "port 8080\n",
        "web/backoff": "1s 30s\n",
        "web/max-restarts": "5\n",
        "web/critical": "",
        "web/success": "0,143,SIGTERM\n",
        "web/timeout-kill": "500\n",
        "web/env/TZ": "UTC\n",
        "web/env/DEBUG": "1\n",
        "web/env/LANG": "",
        "web/env/EMPTY": "\n",
        "web/env/TWO": "a\0b\n",
        "web/secrets": "TOKEN\n",
        "web/check*": "#!/bin/sh\ncurl -f http://localhost\n",
        "web/health": "check every 5s\n",
    }


@pytest.mark.parametrize(
    ("table", "run"),
    [
        ('run = "exec web"', "exec web\n"),
        ('run = "exec web\\n"', "exec web\n"),
        ('run = ["web"]', "exec web\n"),
        ('run = ["web", "it\'s", "", "a b", "x=1", "é"]', "exec web 'it'\\''s' '' 'a b' x=1 'é'\n"),
        ('run = ["web"]\nuser = "www"\nlimits = { core = 0 }', "exec setuidgid www softlimit -c 0 web\n"),
        ('run = "a\\nb"\ndir = "/srv"\numask = "027"', "umask 027\ncd /srv || exit 111\na\nb\n"),
        ('run = ["web"]\ndir = "sub"', "cd ./sub || exit 111\nexec web\n"),
        ('run = "a \'b\'\\nc\\n"\nuser = "www"', "exec setuidgid www /bin/sh -c 'a '\\''b'\\''\nc'\n"),
        ("run = ['web']\nlimits = {}", "exec web\n"),
    ],
)
def test_a_run_with_what_is_put_before_it(table: str, run: str) -> None:
    assert unpacked(f"[web]\n{table}") == {"web/run*": f"#!/bin/sh\n{run}"}


def test_a_script_with_an_interpreter_is_taken_as_it_is() -> None:
    assert unpacked('[web]\nrun = "#!/usr/bin/python3\\nx"') == {"web/run*": "#!/usr/bin/python3\nx"}


def test_every_limit_has_its_letter() -> None:
    table = ", ".join(f"{name} = {number}" for number, name in enumerate(keys.LIMIT_LETTERS))
    run = unpacked(f"[a]\nrun = ['x']\nlimits = {{ {table} }}")["a/run*"]
    assert run == "#!/bin/sh\nexec softlimit -o 0 -p 1 -c 2 -f 3 -d 4 -s 5 -a 6 -l 7 x\n"


def test_a_log_of_the_container_and_a_logger() -> None:
    assert unpacked("[a]\nrun = ['x']\nlog = { script = 't ./main', user = 'log', fold = true }") == {
        "a/run*": "#!/bin/sh\nexec x\n",
        "a/log/script": "t ./main\n",
        "a/log/user": "log\n",
        "a/log/fold": "",
    }
    assert unpacked("[a]\nrun = ['x']\nlog = { run = ['multilog', 't'], user = 'log', env = { A = '1' } }") == {
        "a/run*": "#!/bin/sh\nexec x\n",
        "a/log/run*": "#!/bin/sh\nexec setuidgid log multilog t\n",
        "a/log/env/A": "1\n",
    }
    assert Source("[a]\nrun = ['x']\nlog = {}").services[b"a"].folders == [b"log"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web = 1", "f:1: web: has to be a table"),
        ("[[web]]", "f:1: web: has to be a table"),
        ("\n[web]", "f:2: web: has no run"),
        ("['a/b']\nrun = 'x'", "f:1: a/b: cannot be the name of a service"),
        ("['.a']\nrun = 'x'", "f:1: .a: cannot be the name of a service"),
        (f"[{'a' * 256}]", f"f:1: {'a' * 256}: cannot be the name of a service"),
        ("[web]\nrun = 'x'\nneed = ['a']", "f:3: web: need: unknown key: is needs meant?"),
        ("[web]\nrun = 'x'\nqqqq = 1", "f:3: web: qqqq: unknown key"),
        ("[web]\nrun = 1", "f:2: web: run: has to be a script, or a list of words"),
        ("[web]\nrun = []", "f:2: web: run: names no program"),
        ("[web]\nrun = ['']", "f:2: web: run: names no program"),
        ("[web]\nrun = ['-x']", "f:2: web: run: begins with -: a program has to be named first"),
        ("[web]\nrun = ['x', 1]", "f:2: web: run: has to be a list of strings"),
        ("[web]\nrun = ' '", "f:2: web: run: empty"),
        ('[web]\nrun = "a\\u0000"', "f:2: web: run: has a NUL byte"),
        ("[web]\nrun = '''\n#!/bin/sh\n'''\nuser = 'a'", "f:2: web: run: begins with #!, so nothing"),
        ("[web]\nrun = 'x'\nneeds = 5", "f:3: web: needs: has to be a list of names"),
        ("[web]\nrun = 'x'\nneeds = ['a b']", "f:3: web: needs: not one word: 'a b'"),
        ("[web]\nrun = 'x'\nneeds = ['../a']", "f:3: web: needs: not a name of a service: ../a"),
        ("[web]\nrun = 'x'\nready = 'prot 80'", "f:3: web: ready: not a kind of readiness: prot"),
        ("[web]\nrun = 'x'\nready = true", "f:3: web: ready: has to be a string"),
        (
            "[web]\nrun = 'x'\nready = 'log a'\n[web.log]\nrun = 'y'",
            "f:3: web: ready: log/run reads what the service writes",
        ),
        ("[web]\nrun = 'x'\nready = 'check'", "f:3: web: ready: there is no check"),
        ("[web]\nrun = 'x'\nhealth = 'check'", "f:3: web: health: there is no check"),
        ("[web]\nrun = 'x'\ntimer = 'every 5s'", "f:3: web: timer: for a oneshot only"),
        ("[web]\nrun = 'x'\nready = 'up'\nnotification-fd = 3", "f:4: web: notification-fd: ready says something else"),
        ("[web]\nrun = 'x'\nrestart = 'sometimes'", "f:3: web: restart: not always or on-failure or never: sometimes"),
        ("[web]\nrun = 'x'\ncritical = 256", "f:3: web: critical: not a number from 0 to 255: 256"),
        ("[web]\nrun = 'x'\ncritical = 1.5", "f:3: web: critical: has to be true, or an exit code"),
        ("[web]\nrun = 'x'\ntype = ''", "f:3: web: type: empty"),
        ("[web]\nrun = 'x'\ndown = 1", "f:3: web: down: has to be true or false"),
        ("[web]\nrun = 'x'\nsecrets = ['A=B']", "f:3: web: secrets: = in the name of a variable: A=B"),
        ("[web]\nrun = 'x'\nsecrets = 'A'", "f:3: web: secrets: has to be a list of names"),
        ("[web]\nrun = 'x'\nenv = 1", "f:3: web: env: has to be a table"),
        ("[web]\nrun = 'x'\n\nenv.A = true", "f:4: web: env.A: has to be a string, a number, or false"),
        ("[web]\nrun = 'x'\n[web.env]\n'A=B' = '1'", "f:4: web: env.A=B: cannot be the name of a variable in env/"),
        ("[web]\nrun = 'x'\nenv.A = 'x '", "f:3: web: env.A: ends in white space"),
        ("[web]\nrun = 'x'\nlimits.nofiles = 1", "f:3: web: limits.nofiles: unknown key: is nofile meant?"),
        ("[web]\nrun = 'x'\nlimits.nofile = -1", "f:3: web: limits.nofile: has to be a number"),
        ("[web]\nrun = 'x'\nlimits = 1", "f:3: web: limits: has to be a table"),
        ("[web]\nrun = 'x'\numask = 18", "f:3: web: umask: has to be a string of octal digits"),
        ("[web]\nrun = 'x'\numask = '8'", "f:3: web: umask: not octal digits"),
        ("[web]\nrun = 'x'\numask = '1777'", "f:3: web: umask: not octal digits"),
        ("[web]\nrun = 'x'\nuser = 'a b'", "f:3: web: user: not the name of an account"),
        ("[web]\nrun = 'x'\ndir = ''", "f:3: web: dir: empty"),
        ("[web]\nrun = 'x'\n[web.log]\nscirpt = 't'", "f:4: web: log.scirpt: unknown key: is script meant?"),
        ("[web]\nrun = 'x'\n[web.log]\ndir = 't'", "f:4: web: log.dir: only beside run"),
        ("[web]\nrun = 'x'\n[web.log]\nrun = 'x'\nscript = 't'", "f:5: web: log.script: means nothing beside run"),
        ("[web]\nrun = 'x'\n[web.log]\nrun = 'x'\nready = 't'", "f:5: web: log.ready: unknown key"),
        ("[web]\nrun = 'x'\n[web.log]\nscript = 'a\\nb'", None),
        ('[web]\nrun = "x"\n[web.log]\nscript = "a\\nb"', "f:4: web: log.script: has to be one line"),
        ("[web]\nrun = 'x'\nlog = 1", "f:3: web: log: has to be a table"),
        ("[web]\nrun = 'x'\ncheck = true", "f:3: web: check: has to be a script, or a list of words"),
        (
            "[web]\nrun = 'x'\nhealth = 'curl x'",
            "f:3: web: health: not check or port or unix or http or watchdog: curl (a program is a list",
        ),
    ],
)
def test_a_mistake_has_its_line_its_service_and_its_key(text: str, message: str | None) -> None:
    found = mistakes(text)
    if message is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(message)


def test_all_mistakes_are_told_in_the_order_of_their_lines() -> None:
    text = "[b]\nrun = 1\nx = 1\n[a]\nneeds = 1\n[c]\nrun = 'x'\n"
    assert [message.partition(": ")[0] for message in mistakes(text)] == ["f:2", "f:3", "f:4", "f:5"]
    assert list(Source(text).services) == [b"c"]


@pytest.mark.parametrize(
    ("text", "line"), [("a = ", 1), ("[a]\n[a]", 2), ("a = 1\n\nb = [", 3), ("x = " + "[" * 5000, 0), ("\n?", 2)]
)
def test_what_is_no_toml(text: str, line: int) -> None:
    with pytest.raises(NotToml) as caught:
        Source(text)
    if line:
        assert caught.value.line == line


@given(some.lists(some.text(some.sampled_from("ab' \\\n\"$é-=\t"), max_size=6), min_size=1, max_size=4))
def test_words_come_back_from_a_run(words: list[str]) -> None:
    argv = [word.encode() for word in words]
    if argv[0] and not argv[0].startswith(b"-"):
        assert words_of(program_of_words(argv)) == argv


@given(some.binary(max_size=20))
def test_words_are_of_no_other_program(line: bytes) -> None:
    content = b"#!/bin/sh\nexec " + line + b"\n"
    if (argv := words_of(content)) is not None:
        assert program_of_words(argv) == content


VALUES = some.recursive(
    some.text(some.sampled_from("ab'\" \\\n\t\r\0\x7fé#=[]"), max_size=8) | some.integers(0, 99) | some.booleans(),
    lambda inner: some.lists(inner, max_size=3),
    max_leaves=4,
)


@given(
    some.dictionaries(
        some.text(some.sampled_from("ab-. \"'\n"), max_size=3),
        some.dictionaries(
            some.text(some.sampled_from("ab-. \"'\n"), max_size=3),
            VALUES | some.dictionaries(some.sampled_from("ab."), VALUES, max_size=2),
            max_size=4,
        ),
        max_size=3,
    )
)
def test_tomllib_reads_back_what_is_printed(tables: dict[str, dict[str, object]]) -> None:
    assert tomllib.loads(toml_text(tables)) == tables


NAMES = some.sampled_from(["web", "db", "a b", "é", "x.y", '"', "log"])
GOOD = {
    "type": ["oneshot\n"],
    "needs": ["db\n", "db\ncache\n", "db cache # both\n", "# none\n", ""],
    "after": ["db\n"],
    "before": ["db\n"],
    "ready": ["up\n", "port 80\n", "log it is # up\n", "port 80\n# why\n", "check every 1s\n"],
    "notification-fd": ["3\n"],
    "timeout-up": ["500\n", "2s\n", "0\n"],
    "restart": ["never\n", "on-failure except 1,SIGSEGV\n"],
    "success": ["0\n", "0,143\n", "0 143\n# x\n"],
    "backoff": ["1s 30s\n", "1\n"],
    "max-restarts": ["5 1m\n", "5\n"],
    "critical": ["", "3\n", "\n", "# no code\n"],
    "timeout-finish": ["010\n"],
    "down-signal": ["INT\n", "15\n"],
    "reload-signal": ["HUP # y\n"],
    "timeout-kill": ["10s\n"],
    "kill-mode": ["mixed\n"],
    "health": ["check\n", "http 80/x every 5s\n"],
    "timer": ["0 3 * * *\n", "every 5m at-start\n"],
}
"""Contents of files that are no programs, as people write them."""
LINE = some.text(some.sampled_from("ab'\" \\$#é\t;"), max_size=8)
SCRIPTS = some.one_of(
    some.lists(LINE, max_size=4).map(lambda lines: "#!/bin/sh\n" + "".join(line + "\n" for line in lines)),
    LINE.map(lambda line: f"#!/usr/bin/python3 -u\r\n{line}"),
    some.lists(LINE.filter(str.strip), min_size=1, max_size=3).map(
        lambda words: program_of_words([word.strip().encode().lstrip(b"-") or b"x" for word in words]).decode()
    ),
)


@some.composite
def service(draw: some.DrawFn) -> dict[str, str]:
    """The files of a directory that has nothing but what a services.toml can say."""
    files = {"run": draw(SCRIPTS)}
    for name in draw(some.sets(some.sampled_from(sorted(SETTINGS)), max_size=6)):
        files[name] = draw(SCRIPTS if SETTINGS[name] == PROGRAM else some.sampled_from(GOOD[name]))
    if draw(some.booleans()):
        files["health"] = draw(SCRIPTS)
    if draw(some.booleans()):
        files["down"] = ""
    if draw(some.booleans()):
        files["secrets"] = "A\nB\n"
    for name in draw(some.sets(some.sampled_from(["A", "B.c", "d e"]), max_size=2)):
        files[f"env/{name}"] = draw(some.sampled_from(["", "\n", "UTC\n", "a\0b\n", "é 'x' \"y\"\n", " a#\n"]))
    match draw(some.sampled_from(["", "script", "run"])):
        case "script":
            files |= {"log/script": "t '-*' ./main\n", "log/user": "log\n", "log/fold": ""}
        case "run":
            files |= {"log/run": draw(SCRIPTS), "log/env/A": "b\n", "log/down": ""}
    return files


def write_tree(top: Path, services: dict[str, dict[str, str]]) -> None:
    for name, files in services.items():
        for file, content in files.items():
            path = top / name / file
            for folder in reversed(path.relative_to(top).parents[:-1]):
                (top / folder).mkdir(exist_ok=True, mode=0o755)
            path.write_bytes(content.encode())
            path.chmod(0o755 if content.startswith("#!") else 0o644)


def has_no_mistake(files: dict[str, str]) -> bool:
    """Whether process 1 finds nothing wrong with it."""
    return not any(
        (
            files.get("ready", "").startswith("check") and "check" not in files,
            files.get("health", "").startswith("check") and "check" not in files,
            files.get("ready", "").startswith("log") and "log/run" in files,
            "timer" in files and files.get("type") != "oneshot\n",
            "ready" in files and "notification-fd" in files,
        )
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(some.dictionaries(NAMES, service().filter(has_no_mistake), max_size=3))
def test_directories_to_toml_and_back_are_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, services: dict[str, dict[str, str]]
) -> None:
    top = tmp_path_factory.mktemp("tree")
    before = top / "before"
    before.mkdir()
    write_tree(before, services)
    gathered = gather(os.fsencode(before))
    assert (gathered.notes, gathered.has_lost) == ([], False)
    source = Source(toml_text(gathered.tables))
    assert [str(mistake) for _, mistake in source.mistakes] == []
    plant(source.services, os.fsencode(top / "after"))
    assert read_tree(top / "after") == read_tree(before)
    for name in services:
        directory_fd = os.open(top / "after" / name, os.O_PATH)
        definition = read_definition(directory_fd)
        os.close(directory_fd)
        assert (definition.refusal, definition.troubles) == (None, ())


def test_what_a_toml_cannot_say_is_told(tmp_path: Path) -> None:
    files = {"run": "#!/bin/sh\nx\n", "type": "longrun", "conf": "x", "secrets": "A B\n", "ready": "port x\n"}
    write_tree(
        tmp_path, {"web": {**files, "env/A": "1\n2\n", "log/main": "x", "health": "check\nx\n"}, "no": {"a": ""}}
    )
    (tmp_path / "web/run").chmod(0o700)
    (tmp_path / "web/finish").write_bytes(b"\x7fELF\xff")
    (tmp_path / "web/check").write_text("no line")
    (tmp_path / "web/supervise").mkdir()
    (tmp_path / "web/needs").mkdir()
    (tmp_path / "README").touch()
    gathered = gather(os.fsencode(tmp_path))
    assert gathered.has_lost
    assert sorted(f"{path.decode()}: {what.decode()}" for path, what in gathered.notes) == [
        "no/a: left out: there is no key for it",
        "no: left out: a service needs a run",
        "web/check: its mode 644 becomes 755",
        "web/check: left out: it has no #! line",
        "web/conf: left out: there is no key for it",
        "web/env/A: is written in another way",
        "web/finish: left out: not UTF-8",
        "web/health: is written in another way",
        "web/health: left out: there is no check",
        "web/log/main: left out: there is no key for it",
        "web/needs: left out: not a regular file",
        "web/ready: left out: not a number from 1 to 65535: x",
        "web/run: its mode 700 becomes 755",
        "web/secrets: is written in another way",
        "web/type: gets a newline at its end",
    ]
    assert gathered.tables == {
        "web": {
            "run": "x\n",
            "secrets": ["A", "B"],
            "type": "longrun",
            "env": {"A": "1"},
            "log": {},
        }
    }


def test_the_keys_are_the_files_of_process_1() -> None:
    assert KNOWN | {"run"} == keys.KEYS - {"user", "limits", "dir", "umask"}
    assert KNOWN_IN_LOG <= keys.LOG_KEYS
    assert files_of("web", {"run": "x", **dict.fromkeys(keys.KEYS - {"run"}, 1.5)})[1]
