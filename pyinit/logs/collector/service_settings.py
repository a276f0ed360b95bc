"""The settings in a service's `log/` for the collector: the files `script`, `user` and `fold`, all optional.

script  one line, a multilog script in the shell's quoting, in place of the container's settings; names in it are
        relative to `log/`
user    one line, the account that owns the log files
fold    if it exists: lines that continue others join them in JSON
"""

from pyinit import report
from pyinit.formats.visible import visible_name
from pyinit.formats.wire import NOTHING, PROG, Job
from pyinit.logs.multilog.script import Directory, Status, Stderr, Stdout, parse_script
from pyinit.system.process import decoded


def adjust(job: Job, home: bytes, script: bytes, user: bytes, is_multiline: bool) -> None:
    """Change the container's job for a service by the settings in its `log` directory, `home`.

    Bad content is warned of, and the container's setting holds, so that no line is lost.
    """
    job.multiline = job.multiline or is_multiline
    log = visible_name(job.name) + b"/log"
    if script:
        try:
            actions = split(script)
            if not any(isinstance(action, Directory | Status | Stdout | Stderr) for action in parse_script(actions)):
                raise ValueError("no destination")
            job.actions = actions
            job.style, job.home = NOTHING, home
        except ValueError as error:
            report.warn(PROG, b"unable to use %b/script: %b" % (log, str(error).encode()))
    if user:
        import pwd

        try:
            pwd.getpwnam(decoded(user))
            job.user = user
        except (KeyError, ValueError):
            report.warn(PROG, b"unable to use %b/user: unknown account %b" % (log, visible_name(user)))


def split(line: bytes) -> list[bytes]:
    """Split a line into words as the shell does. Raises ValueError, also for a comment, which is never meant."""
    from shlex import split as split_text

    if b"\0" in line:
        raise ValueError("a NUL byte")
    words = [word.encode("latin-1") for word in split_text(line.decode("latin-1"))]
    if any(word.startswith(b"#") for word in words):
        raise ValueError("a comment")
    return words
