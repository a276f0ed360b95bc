"""`pyinit doctor`: prints what is wrong with the service directories, one line a finding."""

import posix

from pyinit import report
from pyinit.init.options import PYINIT
from pyinit.services.definition.doctor import examine_all
from pyinit.services.runtime import make
from pyinit.system.processes import command_name

OURS = (PYINIT, b"python3")
"""What ps calls us."""


def examine(top: bytes) -> int:
    """Print the findings on `top`, or on the container's service directory; 1 if there is any, else 0."""
    top = top or posix.environ.get(b"PYINIT_SERVICE_DIR") or b"/service"
    try:
        findings = list(examine_all(top, posix.environ, make(posix.environ) is not None))
    except OSError as error:
        report.die(PYINIT, b"unable to open service directory " + top, error)
    report.keeps_bytes = False
    lines = (b"%b/%b: %b" % (top.rstrip(b"/"), name, finding) for name, finding in findings)
    posix.write(1, b"".join(report.shown(line) + b"\n" for line in lines))
    if (first := command_name(1)) not in OURS:
        report.say(PYINIT, b"note: process 1 here is %b, not pyinit" % first)
    return 1 if findings else 0
