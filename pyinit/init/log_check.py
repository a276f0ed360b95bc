"""What `pyinit doctor` finds about the log of a service: its settings in `log/`, and who may write its directories."""

import posix

from pyinit.logs.collector.service_settings import split
from pyinit.logs.collector.settings import STDOUT, Settings
from pyinit.logs.multilog.script import Directory, Status, Stderr, Stdout, parse_script
from pyinit.report import reason
from pyinit.services.definition.definition import LONGEST
from pyinit.services.definition.findings import Finding
from pyinit.services.definition.programs import shell_of
from pyinit.services.definition.scripts import sole_multilog
from pyinit.services.definition.shell import split_script
from pyinit.system import files
from pyinit.system.access import why_unwritable
from pyinit.system.user import Oneself, User, is_account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyinit.services.definition.definition import Definition, LogDefinition


def container_settings(environment: "Mapping[bytes, bytes]") -> Settings | None:
    """How the container logs; None where a variable is wrong, which is told elsewhere."""
    try:
        return Settings.from_environment(environment)
    except ValueError:
        return None


def of_log(
    name: bytes, home: bytes, definition: "Definition", directory: int, settings: Settings | None, path: bytes | None
) -> "Iterator[Finding]":
    """Findings on the log of service `name`, whose directory is `home`. `path`: the PATH of its programs."""
    log = definition.log
    if log and log.brings_logger:
        yield from _of_logger(home, directory, path)
        return
    has_script = False
    if log and log.user and not is_account(log.user):
        yield Finding(b"log/user", b"unknown account " + log.user, b"unknown-account")
    if log and log.script:
        found = list(_of_line(log, home))
        yield from found
        has_script = not any(finding.code in (b"bad-quoting", b"no-destination") for finding in found)
    if not has_script and settings and settings.mode != STDOUT:
        directory_of_log = b"%b/%b" % (settings.directory, name)
        yield from _of_directories(home, [directory_of_log], log.user if log else b"", Oneself())


def _of_line(log: "LogDefinition", home: bytes) -> "Iterator[Finding]":
    """Findings on log/script and the directories that it names."""
    try:
        arguments = split(log.script)
    except ValueError as error:
        yield Finding(b"log/script", str(error).lower().encode(), b"bad-quoting")
        return
    actions = parse_script(arguments)
    if not any(isinstance(action, Directory | Status | Stdout | Stderr) for action in actions):
        yield Finding(b"log/script", b"no destination", b"no-destination")
    names = [action.name for action in actions if isinstance(action, Directory)]
    yield from _of_directories(home, names, log.user, Oneself())


def _of_logger(home: bytes, directory: int, path: bytes | None) -> "Iterator[Finding]":
    """Findings on a log/run that does nothing but run multilog."""
    try:
        text = files.read_bounded(b"log/run", directory, LONGEST)
    except OSError:  # that of a program which cannot be run is told elsewhere, and a long one is none of these
        return
    alone = sole_multilog(split_script(text)) if shell_of(text, path) else None
    if not alone:
        return
    account, arguments = alone
    text = b"nothing but multilog: log/script does the same without a process"
    yield Finding(b"log/run", text, b"needless-logger")
    names = [action.name for action in parse_script(arguments) if isinstance(action, Directory)]
    yield from _of_directories(home, names, account, None)


def _of_directories(home: bytes, names: list[bytes], account: bytes, maker: "Oneself | None") -> "Iterator[Finding]":
    """Log directories that `account` cannot write, as seen from `log` in `home`. Another account is for root to ask."""
    writer: User | Oneself = Oneself()
    if account:
        if posix.geteuid() != 0 or not is_account(account):
            return
        writer = User(account)
    for name in names:
        shown = name if name.startswith(b"/") else b"log/" + name.removeprefix(b"./")
        whole = name if name.startswith(b"/") else b"%b/%b" % (home, shown)
        try:
            why = why_unwritable(whole, writer, maker)
        except OSError as error:  # root without the capability to become the account
            why = b"unable to become %b: %b" % (account, reason(error))
        if why:
            yield Finding(shown, b"%b%b" % (why, b", as " + account if account else b""), b"log-directory")
