"""What `pyinit doctor` may find: one table of codes, each with its explanation.

A finding is told as `FILE: text [code]`, a hint as `hint: FILE: text [code]`. A code stays as it is, so that people can
search for it: a new finding gets a new one. `pyinit doctor --explain CODE` prints the paragraph of the table.
"""

HINT = b"hint: "

EXPLANATIONS: dict[bytes, str] = {
    b"bad-content": """The content of this file is not what the file is for; the text says why. The service is refused
        and does not start. Correct the file: it is read again when something in the directory changes.""",
    b"bad-interpreter-line": """The first line begins with #! and names no interpreter, or is longer than the 255 bytes
        that the kernel reads. The kernel runs nothing, or another file. Write `#!/bin/sh`, and options elsewhere.""",
    b"bad-quoting": """The line of log/script cannot be split into words: a quote is not closed, or it has a comment.
        The container's settings are used for this log. Close the quote, or remove the comment.""",
    b"bad-value": """The variable has a value that pyinit cannot use. A container with it ends at once with exit code
        100, or does without the variable where that is safe. `pyinit --help` lists the variables and their values.""",
    b"bad-variable-name": """The name of a variable cannot contain `=`, nor a NUL byte in the file `secrets`. The
        service does not start. Rename the file in env/, or write only names into `secrets`: NAME, not NAME=VALUE.""",
    b"carriage-return": """Lines end in CR LF, as editors of another system write them. The CR becomes part of the last
        word: the kernel looks for an interpreter `sh\\r`, and a value ends in CR. Convert the file: `sed -i 's/\\r$//'
        FILE`.""",
    b"empty-program": """The file has no content, and the kernel cannot execute it. The service does not start. Write
        the script, beginning with `#!/bin/sh`.""",
    b"finish-arguments": """This `finish` compares its first argument with -1, which runit gives after a signal. Here,
        as in s6, the first argument is 256 after a signal, and the second one is the signal. The comparison is never
        true. Write `[ "$1" -eq 256 ]`.""",
    b"foreign-file": """Another supervisor knows a file of this name, and pyinit does not read it. What it asks for does
        not happen. Remove it, or keep it if the directory is used by both.""",
    b"log-directory": """The account that writes this log may not write the directory, or may not make it. Nothing is
        logged there, or the logger fails again and again. Make the directory in the image and give it to that account:
        `install -d -o USER DIR`.""",
    b"missing-secret": """`secrets` names this variable, and the file with its value is not there. That is as it should
        be in `docker build`, where secrets do not exist. At run time a variable NAME_FILE has to name a file that
        can be read, otherwise the service starts without NAME, or not at all.""",
    b"misspelt-file": """pyinit reads no file of this name, but it reads one with a name much like it. The file has no
        effect. Rename it, if the other is meant.""",
    b"misspelt-variable": """pyinit has no variable of this name, but it has one with a name much like it. The variable
        has no effect. Rename it.""",
    b"needless-logger": """This log/run does nothing but run multilog. pyinit can do the same without a process and
        without a script. Write the arguments of multilog into log/script, the account of setuidgid into log/user, and
        remove log/run.""",
    b"no-destination": """The line of log/script has rules but nothing that takes the lines: no directory, no status
        file, no `1` and no `e`. The container's settings are used for this log. Add a directory, such as `./main`.""",
    b"no-exec": """The last command of this script runs as a child of the shell. Signals from pyinit then reach the
        shell and not the program, which stays behind when the shell ends. Write `exec` in front of the last
        command.""",
    b"no-interpreter": """The interpreter that the first line names is missing, or may not be executed, or is not found
        on PATH by env. The kernel says that the script itself does not exist. Install the interpreter, or correct the
        path.""",
    b"no-interpreter-line": """The file is no compiled program and does not begin with #!. The kernel cannot execute it,
        though a shell could. Make `#!/bin/sh` the first line.""",
    b"no-run": """There is no file `run`, or it is a link that leads nowhere. There is nothing to start. Write the
        script, make it executable, or remove the directory.""",
    b"not-a-program": """`run` is a directory, a FIFO or something else that cannot be executed. The service does not
        start. Put a script or a program in its place.""",
    b"not-checked": """The shell did not finish reading this script within five seconds, or the script is longer than 64
        KiB. Nothing is said about its content. The service is started all the same.""",
    b"not-executable": """Nobody may execute the file. The service does not start, with the reason `access denied`. Set
        the bits of the mode: `chmod +x FILE`; in a Dockerfile also by `RUN`, as COPY keeps the modes of the
        context.""",
    b"nul-byte": """The file has a NUL byte, which no variable and no account may have. A secret or a setting with it is
        not used, and the service does not start for a secret. Write the file anew as plain text.""",
    b"nul-in-env": """The first line of this file has a NUL byte. It becomes a newline in the variable, as with envdir.
        That is how a value of several lines is written; write the file anew if it is not meant.""",
    b"same-directory": """Two names in the service directory lead to the same directory. pyinit runs one service, under
        the name that it finds first. Remove one of the links.""",
    b"shell-syntax": """The shell of the first line, run with -n, which executes nothing, refuses the script. Its own
        message follows. The service would fail at that line at each start. Correct the script.""",
    b"state-directory": """pyinit keeps the state of a service in supervise/ in its directory, or else in its runtime
        directory. Neither can be written, so the service does not start. Set PYINIT_STATE, or mount a tmpfs at
        /run.""",
    b"unknown-account": """There is no account of this name here. The program that is to become it fails, and the
        service with it; a log/user is not used. Make the account in the image, before this check: `useradd -r
        NAME`.""",
    b"unknown-service": """PYINIT_SIGNALS sends a signal to a service that is not in the service directory. Nothing
        happens on that signal until there is a service of that name. Correct the name, if it is misspelt.""",
    b"unknown-variable": """The name begins as those of pyinit's own variables do, and pyinit has none of that name. It
        has no effect on pyinit. `pyinit --help` lists those that do.""",
    b"unread-file": """The directory log has a `run`, which is a logger of its own. This file is for the log that pyinit
        writes, so it is not read. Remove it, or remove log/run.""",
    b"unusable-directory": """The name is in the service directory, and what it leads to cannot be opened as a
        directory. There is no service of that name. Correct the link, or its permissions.""",
    b"unusable-file": """The file cannot be read, is no regular file where one is expected, or is longer than 64 KiB.
        What it should say is not known: a service with such an `env` or `secrets` does not start. For its log the
        container's settings are used. Put a small regular file in its place, readable for pyinit.""",
}
"""Code to explanation: what it means, what happens, the repair."""

HINTS = frozenset(
    (
        *(
            b"finish-arguments",
            b"foreign-file",
            b"misspelt-file",
            b"missing-secret",
            b"needless-logger",
            b"no-exec",
            b"not-checked",
        ),
        *(b"nul-in-env", b"unknown-service", b"unknown-variable", b"unread-file"),
    )
)
"""Codes of what may well be meant: they leave the exit code of doctor alone."""


class Finding:
    """What is wrong with a file. `path` is relative to the service directory of the service, or absolute.

    `text` begins in lower case and ends without a full stop; `code` is a key of EXPLANATIONS.
    """

    __slots__ = ("code", "path", "text")

    def __init__(self, path: bytes, text: bytes, code: bytes) -> None:
        self.path = path
        self.text = text
        self.code = code

    @property
    def is_hint(self) -> bool:
        """Whether it leaves the exit code alone."""
        return self.code in HINTS

    @property
    def said(self) -> bytes:
        """The text with its code: for a message that has named the file already."""
        return b"%b [%b]" % (self.text, self.code)

    def line(self, directory: bytes) -> bytes:
        """How it is printed, without the newline. `directory`: where a relative path begins."""
        separator = b"/" if directory and self.path else b""
        path = self.path if self.path.startswith(b"/") else directory + separator + self.path
        return b"%b%b: %b" % (HINT if self.is_hint else b"", path, self.said)


def explanation(code: bytes) -> str:
    """The explanation as one line of text; empty for an unknown code."""
    return " ".join(EXPLANATIONS.get(code, "").split())
