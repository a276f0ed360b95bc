"""What a service's `log/` asks of the built-in logger: `script`, `user` and `fold`, all optional.

script  one line, a multilog script in the shell's quoting, in place of the container's settings; names in it are
        relative to `log/`
user    one line, the account that writes its files
fold    if it exists: lines that continue others join them in JSON
"""

from pyinit import report
from pyinit.formats.wire import NOTHING, PROG, Job
from pyinit.logs.collector.settings import Settings
from pyinit.system import files
from pyinit.system.process import decoded


def job_of(settings: Settings, top: bytes, name: bytes, parent: int) -> Job:
    """The job for service `name`, which has a `log/`, of the directory `top`, open as `parent`.

    What is wrong in the service's own files is told, and the container's settings hold: its lines are not lost.
    """
    job = settings.job(name)
    log = name + b"/log"
    job.folds = job.folds or files.exists(log + b"/fold", parent)
    if line := _line(log + b"/script", parent):
        try:
            job.actions = split(line)
            job.style, job.home = NOTHING, b"%b/%b" % (top, log)
        except ValueError as error:
            report.warn(PROG, b"unable to use %b/script: %b" % (log, str(error).encode()))
    if user := _line(log + b"/user", parent):
        import pwd

        try:
            pwd.getpwnam(decoded(user))
            job.user = user
        except KeyError:
            report.warn(PROG, b"unable to use %b/user: unknown account %b" % (log, user))
    return job


def split(line: bytes) -> list[bytes]:
    """The words of a line as the shell would have them. Raises ValueError."""
    from shlex import split as split_text

    return [word.encode("latin-1") for word in split_text(line.decode("latin-1"))]


def _line(name: bytes, parent: int) -> bytes:
    """The first line of a file, empty if there is none."""
    try:
        return files.read(name, parent, 4096).partition(b"\n")[0].strip()
    except FileNotFoundError:
        return b""
    except OSError as error:
        report.warn(PROG, b"unable to read " + name, error)
        return b""
