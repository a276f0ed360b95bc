"""What is wrong with a service directory, before it is booted.

Each check is a function that yields findings. Nothing is changed, and nothing is run but `sh -n`, which executes
nothing. What the definition's own reader says of bad content becomes findings in one place, `_of_content`.
"""

import posix
from _stat import S_ISDIR

from pyinit.report import reason
from pyinit.services.definition.contents import OF_PROGRAMS, is_executable, of_line_ends, of_script
from pyinit.services.definition.definition import HAS_NUL, Definition
from pyinit.services.definition.filenames import names_in, of_log_names, of_names
from pyinit.services.definition.findings import Finding
from pyinit.services.definition.programs import of_program
from pyinit.services.definition.values import of_environment
from pyinit.system import files
from pyinit.system.process import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def open_services(directory: int) -> "Iterator[tuple[bytes, int, Finding | None]]":
    """(name, descriptor, None) for each service in a directory that was opened to be listed, in order.

    A name that has none gives a finding instead. The descriptor is closed when the next one is asked for.
    """
    seen: dict[tuple[int, int], bytes] = {}
    for text in sorted(posix.listdir(directory)):
        name = encoded(text)
        if name.startswith(b"."):
            continue
        try:
            found = posix.stat(name, dir_fd=directory)
            if not S_ISDIR(found.st_mode):
                continue
            opened = files.open_directory(name, directory)
        except OSError as error:
            yield name, -1, Finding(b"", reason(error), b"unusable-directory")
            continue
        try:
            first = seen.setdefault((found.st_dev, found.st_ino), name)
            if first == name:
                yield name, opened, None
            else:
                why = b"the same directory as %b: one service, under either name" % first
                yield name, -1, Finding(b"", why, b"same-directory")
        finally:
            posix.close(opened)


def of_service(
    definition: Definition, directory: int, given: "Mapping[bytes, bytes]", has_place: bool
) -> "Iterator[Finding]":
    """Everything about one service but how it is logged. `given`: the container's environment.

    `has_place`: there is a directory for state beside those of the services.
    """
    path = given.get(b"PATH")
    yield from of_program(b"run", directory, path)
    yield from of_script(b"run", directory, path, not definition.policy.is_oneshot)
    if definition.log and definition.log.brings_logger:
        yield from of_program(b"log/run", directory, path)
        yield from of_script(b"log/run", directory, path, True)
    for name in OF_PROGRAMS:
        if is_executable(name, directory):
            yield from of_script(name, directory, path, False)
    yield from _of_content(definition)
    yield from of_line_ends(directory)
    yield from of_names(names_in(b".", directory))
    yield from of_log_names(names_in(b"log", directory))
    yield from of_environment(definition, directory, given)
    yield from of_state(directory, has_place)


def _of_content(definition: Definition) -> "Iterator[Finding]":
    """What the definition's reader could not use: of files that only change something, and of the one that refuses."""
    for file, why in definition.troubles:
        if (file, why) != definition.refusal:
            yield Finding(file, why, b"nul-byte" if why == HAS_NUL else b"unusable-file")
    if definition.refusal:
        yield Finding(*definition.refusal, b"bad-content")


def of_state(directory: int, has_place: bool) -> "Iterator[Finding]":
    """Whether supervise/ can be made, there or in a place of PID 1's."""
    try:
        name = b"supervise" if files.exists(b"supervise", directory) else b"."
    except OSError:  # the directory cannot be searched, and so not be written either
        name = b"."
    if not has_place and not posix.access(name, posix.W_OK | posix.X_OK, dir_fd=directory):
        why = b"cannot be written, and there is no other place for it: set PYINIT_STATE"
        yield Finding(b"supervise", why, b"state-directory")
