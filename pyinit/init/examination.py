"""`pyinit doctor`: prints what is wrong with the service directories, one line a finding; and explains a finding."""

import posix

from pyinit import report
from pyinit.init.dialects import BadUsage, read_options
from pyinit.init.log_check import container_settings, of_log
from pyinit.init.options import PYINIT
from pyinit.init.settings_check import of_variables
from pyinit.services.definition.doctor import of_service, open_services
from pyinit.services.definition.findings import EXPLANATIONS, Finding, explanation
from pyinit.services.definition.reading import read_definition
from pyinit.services.runtime import could_use
from pyinit.system.files import READ_FLAGS
from pyinit.system.processes import command_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OURS = (PYINIT, b"python3")
"""What ps calls us."""

WIDTH = 78


def examine(top: bytes) -> int:
    """Print the findings on `top`, or on the container's service directory; 1 if there is an error, else 0."""
    environment = posix.environ
    top = top or environment.get(b"PYINIT_SERVICE_DIR") or b"/service"
    report.keeps_bytes = False
    try:
        directory = posix.open(top, READ_FLAGS | posix.O_DIRECTORY)
        found = list(_find(top.rstrip(b"/"), directory, environment))
    except OSError as error:
        report.die(PYINIT, b"unable to open service directory " + top, error)
    _print(b"".join(report.shown(finding.line(home)) + b"\n" for home, finding in found))
    if (first := command_name(1)) not in OURS:
        report.say(PYINIT, b"note: process 1 here is %b, not pyinit" % first)
    return 0 if all(finding.is_hint for _, finding in found) else 1


def _find(top: bytes, directory: int, environment: "Mapping[bytes, bytes]") -> "Iterator[tuple[bytes, Finding]]":
    """(directory that the path is relative to, finding), those of the environment first."""
    settings = container_settings(environment)
    has_place = could_use(environment)
    has_settings = _has_settings(environment)
    names = []
    found: list[tuple[bytes, Finding]] = []
    for name, service, failure in open_services(directory):
        home = b"%b/%b" % (top, name)
        names.append(name)
        if failure:
            found.append((home, failure))
            continue
        try:
            definition = read_definition(service, has_settings)
        except OSError as error:
            found.append((home, Finding(b"", report.reason(error), b"unusable-directory")))
            continue
        found += [(home, finding) for finding in of_service(definition, service, environment, has_place)]
        path = environment.get(b"PATH")
        found += [(home, finding) for finding in of_log(name, home, definition, service, settings, path)]
    yield from ((b"", finding) for finding in of_variables(environment, names))
    yield from found


def _has_settings(environment: "Mapping[bytes, bytes]") -> bool:
    """Whether the files that daemontools has not mean something."""
    try:
        return read_options(PYINIT, [], {b"PYINIT_DIALECT": environment.get(b"PYINIT_DIALECT", b"")}).has_settings
    except BadUsage:
        return True


def explain(code: bytes) -> int:
    """Print what a finding of this code means and how it is repaired; 1 for an unknown code."""
    if text := explanation(code):
        from textwrap import fill

        _print(fill(text, WIDTH).encode() + b"\n")
        return 0
    from difflib import get_close_matches

    near = get_close_matches(code.decode("latin-1"), [known.decode() for known in sorted(EXPLANATIONS)])
    meant = b": is it " + b" or ".join(name.encode() for name in near) + b"?" if near else b""
    report.say(PYINIT, b"fatal: no finding has the code " + code + meant)
    return 1


def _print(text: bytes) -> None:
    try:
        while text:
            text = text[posix.write(1, text) :]
    except OSError as error:
        report.die(PYINIT, b"unable to write output", error)
