"""What doctor reads out of a shell script: its commands, and the answers that are drawn from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinit.services.definition.scripts import accounts, asks_as_runit, lacks_exec, sole_multilog
from pyinit.services.definition.shell import ShellCommand, literal, split_script


def commands(text: str) -> list[ShellCommand]:
    return split_script(text.encode())


def words(text: str) -> list[list[str]]:
    return [[word.decode() for word in command.words] for command in commands(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# exec a \\\nexec b\n", [["exec", "b"]]),
        ("exec a \\\n  b\\\nc\n", [["exec", "a", "bc"]]),
        ("a; b&&c||d|e &\nf", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a 'b; c' \"d # e\" f#g", [["a", "'b; c'", '"d # e"', "f#g"]]),
        ('a "it\'s $(b "c;d")" e', [["a", '"it\'s $(b "c;d")"', "e"]]),
        ("a=${b#c} $(d; e) `f; g` \\; h", [["a=${b#c}", "$(d; e)", "`f; g`", "\\;", "h"]]),
        ("a >/dev/null 2>&1 &>c 3<&-\n", [["a", ">/dev/null", "2>&1", "&>c", "3<&-"]]),
        ("a>b<c", [["a", ">b", "<c"]]),
        ("cat <<EOF >x\nexec no\n\tEOF\nb", [["cat", "<<EOF", ">x"], ["b"]]),
        ("cat <<-'A B'\nno\n\tA B\nb", [["cat", "<<'A B'"], ["b"]]),
        ("cat << EOF\nno\nEOF\nb", [["cat", "<<EOF"], ["b"]]),
        ("cat<<X <<Y\n1\nX\n2\nY\nb", [["cat", "<<X", "<<Y"], ["b"]]),
        ("cat <<<word\nb", [["cat", "<<<word"], ["b"]]),
        ("diff <(a; b) c", [["diff", "<(a; b)", "c"]]),
        ("main() {\n a\n}\n", [["main"], ["{"], ["a"], ["}"]]),
        ("case $1 in\n a) b;;\nesac", [["case", "$1", "in"], ["a"], ["b"], ["esac"]]),
    ],
)
def test_a_script_is_split_into_commands(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


@given(st.text("ax \n\t'\"`$(){}<>&|;#\\=", max_size=40))
def test_any_text_has_an_end(text: str) -> None:
    split = commands(text)
    assert all(command.words for command in split)
    for answer in (lacks_exec, sole_multilog, asks_as_runit, lambda found: list(accounts(found))):
        answer(split)


def test_what_is_nested_without_end_is_read_all_the_same() -> None:
    assert split_script(b"$(" * 30_000 + b'"' * 30_000)
    assert split_script(b'"$(' * 20_000)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (b"a", b"a"),
        (b"'a $b*'", b"a $b*"),
        (b'"a b"', b"a b"),
        (b'"$a"', None),
        (b"a*", None),
        (b"a'b'c", None),
        (b"'a'b'c'", None),
        (b"~a", None),
    ],
)
def test_a_word_is_literal_if_nothing_in_it_is_expanded(word: bytes, expected: bytes | None) -> None:
    assert literal(word) == expected


@pytest.mark.parametrize(
    "script",
    [
        "",
        "exec a\n",
        "exec >log\n",
        "exec 2>&1\nexec a\n",
        "exec a b \\\n  c \\\n  d\n",
        "exec \\\n a\n",
        "ulimit -n 10\nA=1 exec a >b\n",
        "cd x && exec a\n",
        "test -e x || exit 1; exec a",
        "if a; then exec b; else\n exec c\nfi\n",
        "if a; then\n exec b\nelse\n exec c\nfi >log 2>&1\n",
        "case $X in\n a) exec b;;\n *) exec c;;\nesac\n",
        'main() {\n exec a\n}\nmain "$@"\n',
        'function main {\n exec a\n}\nmain "$@"\n',
        "{ exec a; }\n",
        "while :; do\n a\ndone\n",
        "while :; do a; sleep 1; done\n",
        "trap 'kill $!' TERM\na &\nwait\n",
        "a &\nwait\n",
        "a\nexit 0\n",
        ". ./common\n",
        "[ -e x ] || exit 1\n",
        "exec a # b\n# c\n",
        "echo down\nsvc -d .\n",
    ],
)
def test_a_script_that_may_replace_the_shell_is_left_alone(script: str) -> None:
    assert not lacks_exec(commands(script))


@pytest.mark.parametrize(
    "script",
    [
        "a\n",
        "exec 2>&1\na b\n",
        "exec >log\na\n",
        "exec 3< file\nA=1 a\n",
        "if a; then exec b; fi\nc\n",
        "if a; then\n b\nfi\n",
        "( cd x; a )\n",
        "a || exit 1\n",
        "a | b\n",
        "# exec a \\\nb\n",
        "a &\n",
        'main() {\n a\n}\nmain "$@"\n',
        "cat <<X\nexec a\nX\nb\n",
    ],
)
def test_a_script_whose_last_command_is_a_child_is_found(script: str) -> None:
    assert lacks_exec(commands(script))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exec setuidgid bob a", [("setuidgid", "bob")]),
        ("exec envdir ./env /usr/bin/envuidgid 'bob' softlimit -o 1 a", [("envuidgid", "bob")]),
        ("exec chpst -v -n 5 -u bob:staff:x -Uann a", [("chpst", "bob"), ("chpst", "ann")]),
        ("exec chpst -u :1000:1000 a", []),
        ("exec chpst -u", []),
        ("exec s6-setuidgid 1000:1000 a", []),
        ("exec s6-setuidgid bob a", [("s6-setuidgid", "bob")]),
        ("exec s6-setuidgid -s bob a", []),
        ('exec setuidgid "$USER" a', []),
        ("# exec setuidgid bob a", []),
        ("echo setuidgid bob", []),
        ("command -v setuidgid bob", []),
        ("cat <<X\nsetuidgid bob\nX\n", []),
        ("useradd bob\nexec setuidgid bob a", []),
        ("if a; then adduser bob; fi\nexec setuidgid bob a", []),
    ],
)
def test_the_accounts_that_a_script_becomes(script: str, expected: list[tuple[str, str]]) -> None:
    assert [(program.decode(), account.decode()) for program, account in accounts(commands(script))] == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exec multilog t ./main", (b"", [b"t", b"./main"])),
        ("# a\nexec 2>&1\nexec setuidgid u /bin/multilog t '-* x' ./main\n", (b"u", [b"t", b"-* x", b"./main"])),
        ("exec setuidgid u softlimit -m 1 multilog t ./main", None),
        ('exec setuidgid u multilog t "$DIR"', None),
        ("multilog t ./main", None),
        ("mkdir -p main\nexec multilog t ./main", None),
        ("exec multilog t ./main >x", None),
        ("exec multilog t ./main | cat", None),
        ("exec setuidgid u", None),
        ("exec", None),
        ("exec svlogd ./main", None),
    ],
)
def test_a_script_that_is_nothing_but_multilog(script: str, expected: tuple[bytes, list[bytes]] | None) -> None:
    assert sole_multilog(commands(script)) == expected


@pytest.mark.parametrize("script", ['[ "$1" = -1 ] && a', "if [ $1 -eq '-1' ]; then a; fi", 'test "-1" = "$1"'])
def test_a_finish_in_the_manner_of_runit(script: str) -> None:
    assert asks_as_runit(commands(script))
    assert not asks_as_runit(commands(script.replace("-1", "256")))
