"""What is wrong with the variables of a service: `env/` and `secrets`."""

from pyinit.report import reason
from pyinit.services.definition.contents import CR
from pyinit.services.definition.definition import HAS_NUL, Definition
from pyinit.services.definition.filenames import names_in
from pyinit.services.definition.findings import Finding
from pyinit.services.definition.variables import (
    HAS_EQUALS,
    MOST,
    read_secret,
    read_value,
    read_variables,
    secret_names,
)
from pyinit.services.trouble import CannotOpen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = b"_FILE"
"""The end of the name of a variable that names a file with a secret."""

UNREADABLE = (b"bad-variable-name", b"nul-byte", b"unusable-file")


def of_environment(definition: Definition, directory: int, given: "Mapping[bytes, bytes]") -> "Iterator[Finding]":
    """What is wrong with `env/` and `secrets`. A secret that is not there yet is a hint."""
    changes: dict[bytes, bytes | None] = {}
    if definition.has_env:
        found = list(_of_values(directory, changes))
        yield from found
        try:
            read_variables(Definition(has_env=True), directory, given, {})
        except CannotOpen as trouble:
            if not any(finding.code in UNREADABLE for finding in found):
                yield Finding(b"env", reason(trouble.error), b"unusable-file")
    if not definition.has_secrets:
        return
    try:
        names = secret_names(directory)
    except CannotOpen as trouble:
        yield Finding(b"secrets", reason(trouble.error), _code_of(trouble.error))
        return
    for name in names:
        source = changes.get(name + FILE) or given.get(name + FILE)
        if not source:
            yield Finding(b"secrets", b"%b is asked for, but %b is not set" % (name, name + FILE), b"missing-secret")
            continue
        try:
            read_secret(name, source, directory)
        except CannotOpen as trouble:
            is_missing = isinstance(trouble.error, FileNotFoundError | NotADirectoryError)
            code = b"missing-secret" if is_missing else _code_of(trouble.error)
            yield Finding(b"secrets", b"%b: %b: %b" % (name, source, reason(trouble.error)), code)


def _of_values(directory: int, changes: "dict[bytes, bytes | None]") -> "Iterator[Finding]":
    """What is wrong with single files in `env/`. Adds to `changes` those that name the file of a secret.

    Ends where there are more bytes than a program can be given.
    """
    left = MOST
    for name in sorted(names_in(b"env", directory)):
        if name.startswith(b"."):
            continue
        file = b"env/" + name
        try:
            value = read_value(file, directory)
        except CannotOpen as trouble:
            yield Finding(file, reason(trouble.error), _code_of(trouble.error))
            continue
        if name.endswith(FILE):
            changes[name] = value
        left -= len(value or b"")
        if left < 0:
            return
        if value and value.endswith(b"\r"):
            yield Finding(file, CR, b"carriage-return")
        if value and b"\n" in value:
            yield Finding(file, b"a NUL byte becomes a newline", b"nul-in-env")


def _code_of(error: OSError) -> bytes:
    """The code for content that cannot be used, or a file that cannot be read."""
    why = reason(error)
    return b"nul-byte" if why == HAS_NUL else b"bad-variable-name" if why == HAS_EQUALS else b"unusable-file"
