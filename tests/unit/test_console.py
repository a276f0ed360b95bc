"""What a page is taken for by the test that types it."""

import pytest
from console import Command, File, Script, Session, blocks, examples, is_look, matches, rename

PAGE = """\
# A page

```sh
#!/bin/sh
# service/web/run
exec web
```

```dockerfile
# Dockerfile
FROM pyinit
```

```sh
#!/bin/sh
exec only-an-example
```

```yaml
services: {}
```

```sh
cd here
make
```

```console
$ one
a
b
$ two \\
  more
$ three
c
```
"""


def test_blocks_are_files_scripts_and_sessions() -> None:
    assert list(blocks(PAGE)) == [
        File(4, "service/web/run", "#!/bin/sh\n# service/web/run\nexec web\n"),
        File(10, "Dockerfile", "# Dockerfile\nFROM pyinit\n"),
        Script(24, "cd here\nmake\n"),
        Session(29, [Command(29, "one", "a\nb\n"), Command(32, "two \\\n  more", ""), Command(34, "three", "c\n")]),
    ]


def test_a_session_may_be_slow() -> None:
    page = "<!-- slow -->\n```console\n$ one\n```\n\n```console\n$ two\n```\n"
    assert list(blocks(page)) == [
        Session(3, [Command(3, "one", "")], is_slow=True),
        Session(7, [Command(7, "two", "")]),
    ]


def test_the_examples_of_the_manual_are_indented() -> None:
    page = "# svc\n\n    no session\n\n    $ one\n    a\n    $ two\n\ntext\n\n    $ three\n"
    assert list(examples(page)) == [
        Session(5, [Command(5, "one", "a\n"), Command(7, "two", "")]),
        Session(11, [Command(11, "three", "")]),
    ]


@pytest.mark.parametrize(
    "first", ["# a comment", "# service/web", "#service/web/run", "echo", "# see docs/guides/x.md for more"]
)
def test_a_comment_that_names_no_file_makes_none(first: str) -> None:
    named = [block for block in blocks(f"```sh\n{first}\nx\n```\n") if isinstance(block, File)]
    assert [file.name for file in named] == (["service/web"] if first == "# service/web" else [])


SAME = [
    ("as it is\n", "as it is\n"),
    ("", ""),
    ("up (pid 8) 12 seconds\n", "up (pid 4711) 0 seconds\n"),
    ("ready services=2 in 0.013s\n", "ready services=2 in 1.2s\n"),
    ("real\t0m0.127s\n", "real\t1m10.001s\n"),
    ("28 Nov 2026 15:02:53.310 * on\n", "1 Jan 2031 00:00:00.999 * on\n"),
    ("Tue Aug 24 04:04:05 UTC 1999\n", "Sat Nov  8 18:45:26 UTC 2026\n"),
    ("2026-11-28 15:02:53\n", "2031-01-01 01:02:03.123456\n"),
    ('{"time": "2026-11-21T09:09:01.181089043Z"}\n', '{"time": "2031-01-01T01:02:03.4Z"}\n'),
    ("@400000006a0000000000000a x\n", "@400000006b1234567890abcd x\n"),
    (f"sha256:{'ab' * 32}\n", f"sha256:{'12' * 32}\n"),
    ("3f1c00000000\n", "aaaabbbbcccc\n"),
    ("a\n...\nz\n", "a\nb\nc\nz\n"),
    ("a\n...\nz\n", "a\nz\n"),
    ("a ... z\n", "a b c z\n"),
    ("bye bye...\n", "bye bye...\n"),
]


@pytest.mark.parametrize(("promised", "said"), SAME)
def test_what_differs_from_run_to_run_is_the_same(promised: str, said: str) -> None:
    assert matches(promised, said, {}) is not None


DIFFERENT = [
    ("as it is\n", "as it was\n"),
    ("a\n", ""),
    ("", "a\n"),
    ("a\n", "a\nb\n"),
    ("up (pid 8) 12 seconds\n", "down 12 seconds\n"),
    ("ready services=2 in 0.013s\n", "ready services=3 in 0.013s\n"),
    ("exit code 1\n", "exit code 2\n"),
    ("a ... z\n", "a b\nc z\n"),
    ("a.c\n", "abc\n"),
    ("@400000006a0000000000000a x\n", "@400000006a0000000000000a y\n"),
]


@pytest.mark.parametrize(("promised", "said"), DIFFERENT)
def test_all_else_is_a_difference(promised: str, said: str) -> None:
    assert matches(promised, said, {}) is None


def test_a_pid_stays_the_same_and_another_is_another() -> None:
    pids = matches("redis: (pid 8)\nweb: (pid 9)\n", "redis: (pid 80)\nweb: (pid 90)\n", {})
    assert pids == {"8": "80", "9": "90"}
    assert matches("redis: (pid 68)\nweb: (pid 9)\n", "redis: (pid 81)\nweb: (pid 90)\n", pids)
    assert matches("redis: (pid 68)\nweb: (pid 9)\n", "redis: (pid 81)\nweb: (pid 91)\n", pids) is None
    assert matches("redis: (pid 68)\nweb: (pid 9)\n", "redis: (pid 80)\nweb: (pid 90)\n", pids) is None
    assert matches("(pid 8) (pid 8)\n", "(pid 1) (pid 2)\n", {}) is None
    assert matches("68:M bye\n", "81:M bye\n", {"68": "81"})
    assert matches("68:M bye\n", "82:M bye\n", {"68": "81"}) is None


def test_only_looks_are_repeated() -> None:
    for command in ("docker logs app", "docker exec app svstat", "docker exec app svstat web", "docker inspect app"):
        assert is_look(command)
    for command in ("docker run app", "docker exec app svc -d web", "docker stop app", "docker logsx"):
        assert not is_look(command)


def test_names_are_replaced_as_words() -> None:
    text = "docker run --name app -v /app:/x app sh -c app.sh\napp-1 app:1\n"
    assert rename(text, ("app",), "t-") == "docker run --name t-app -v /app:/x t-app sh -c t-app.sh\napp-1 t-app:1\n"
