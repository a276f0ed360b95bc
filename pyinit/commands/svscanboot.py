"""svscanboot: run svscan over /service, its messages shown in the title of a readproctitle.

An init starts it and gives it nothing. The environment is dropped except for a fixed PATH, and so are standard input,
output and error. Supervise processes that outlived an earlier svscan are asked to go first. The directory is /service,
as in daemontools 0.76 (Debian's package has /etc/service), or the one named by PYINIT_SERVICE_DIR. In a container run
`pyinit` instead: it keeps the environment and the output.
"""

import posix

from pyinit.report import die
from pyinit.system.process import execute, restore

PROG = b"svscanboot"
PATH = b"/command:/usr/local/bin:/usr/local/sbin:/bin:/sbin:/usr/bin:/usr/sbin:/usr/X11R6/bin"
DOTS = 400
# A shell stays as the parent of both, as it does in C: it is a tenth of an interpreter's size.
SCRIPT = b"""\
PATH=%b
exec </dev/null >/dev/null 2>/dev/null
svc -dx "$1"/* "$1"/*/log
env - PATH="$PATH" svscan "$1" 2>&1 |
env - PATH="$PATH" readproctitle service errors: %b
""" % (PATH, b"." * DOTS)


def main(argv: list[bytes]) -> int:
    """Hand over to the shell; arguments are ignored."""
    restore()
    directory = posix.environ.get(b"PYINIT_SERVICE_DIR") or b"/service"
    die(PROG, b"unable to run /bin/sh", execute([b"/bin/sh"], [b"sh", b"-c", SCRIPT, argv[0], directory]))
