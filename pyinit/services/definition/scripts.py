"""What `doctor` asks of a shell script: who it becomes, whether it becomes its last program, whether it only logs.

An answer is given only where the script is plain. A word with an expansion in it is never taken at its face value, and
a doubt is no finding.
"""

from pyinit.services.definition.shell import literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyinit.services.definition.shell import ShellCommand

CLOSING = frozenset((b"fi", b"esac", b"}"))

QUIET = frozenset(
    (
        *(b":", b".", b"[", b"[[", b"cd", b"echo", b"eval", b"exec", b"exit", b"export", b"false", b"kill", b"printf"),
        *(b"read", b"readonly", b"return", b"set", b"shift", b"source", b"svc", b"test", b"true", b"ulimit"),
        *(b"umask", b"unset", b"wait"),
    )
)
"""Last commands that are no program to stay, or of which nothing is known."""

SETTERS = (b"setuidgid", b"envuidgid", b"s6-setuidgid", b"s6-envuidgid")

CHPST_VALUED = b"uUbe/nlLmdopfct"
"""The options of chpst that take a value (chpst.c of runit)."""

TELLING = frozenset((b"echo", b"printf", b"command", b"which", b"type", b"test", b"[", b"[["))
"""Commands whose arguments are not run."""


def lacks_exec(commands: "list[ShellCommand]") -> bool:
    """Whether the script leaves its last program a child of the shell.

    A block at the end may end in `exec` in any of its branches, and a function anywhere. A script that ends in a loop
    is itself what stays, and one that traps signals passes them on itself.
    """
    if not commands or commands[-1].words[0] == b"done" or any(command.core[:1] == [b"trap"] for command in commands):
        return False
    if commands[-1].words[0] in CLOSING or _is_function(commands[-1].core[:1], commands):
        return not any(command.becomes for command in commands)
    first = len(commands) - 1
    while first and commands[first].before not in (b"\n", b")"):
        first -= 1
    last = commands[first:]
    is_program = any(core and core[0] not in QUIET for core in (command.core for command in last))
    return is_program and not any(command.becomes for command in last)


def _is_function(head: list[bytes], commands: "list[ShellCommand]") -> bool:
    """Whether the script defines a function of that name."""
    return any(
        (command.words == head and command.after == b"(") or command.words[:2] == [b"function", *head]
        for command in commands[:-1]
    )


def accounts(commands: "list[ShellCommand]") -> "Iterator[tuple[bytes, bytes]]":
    """(program, account) for each account that a command becomes by setuidgid and its like.

    Nothing for a script that makes accounts itself.
    """
    cores = [command.core for command in commands]
    if any(core[:1] in ([b"adduser"], [b"useradd"]) for core in cores):
        return
    for words in cores:
        if words[:1] and words[0] in TELLING:
            continue
        for index, word in enumerate(words[:-1]):
            program = word.rpartition(b"/")[2]
            if program in SETTERS:
                account = literal(words[index + 1])
                if account and not account.startswith(b"-") and not (program[:3] == b"s6-" and _has_number(account)):
                    yield program, account
            elif program == b"chpst":
                yield from ((program, account) for account in _of_chpst(words[index + 1 :]))


def asks_as_runit(commands: "list[ShellCommand]") -> bool:
    """Whether a `finish` compares its first argument with -1, which runit gives after a signal."""
    words = [{word.strip(b"\"'") for word in command.words} for command in commands]
    return any({b"$1", b"-1"} <= each for each in words)


def _has_number(account: bytes) -> bool:
    return b":" in account or account.isdigit()


def _of_chpst(words: list[bytes]) -> "Iterator[bytes]":
    """The accounts of the options -u and -U; `:UID` is no name."""
    words = list(words)
    while words and words[0][:1] == b"-" and words[0] != b"--":
        word = words.pop(0)
        for at in range(1, len(word)):
            letter = word[at : at + 1]
            if letter in CHPST_VALUED:
                value = word[at + 1 :] or (words.pop(0) if words else b"")
                account = (literal(value) or b"").partition(b":")[0]
                if letter in b"uU" and account:
                    yield account
                break


def sole_multilog(commands: "list[ShellCommand]") -> tuple[bytes, list[bytes]] | None:
    """(account or nothing, arguments) of a script that is `exec [setuidgid U] multilog ...`; None for any other.

    `exec 2>&1` before it changes nothing.
    """
    commands = [command for command in commands if command.core != [b"exec"]]
    if len(commands) != 1 or commands[0].after not in (b"\n", b";") or commands[0].core != commands[0].words:
        return None
    words = [literal(word) for word in commands[0].words]
    plain = [word for word in words if word is not None]
    if len(plain) != len(words) or plain[0] != b"exec":
        return None
    account = b""
    if len(plain) > 3 and plain[1].rpartition(b"/")[2] == b"setuidgid":
        account = plain[2]
        del plain[1:3]
    return (account, plain[2:]) if len(plain) > 1 and plain[1].rpartition(b"/")[2] == b"multilog" else None
