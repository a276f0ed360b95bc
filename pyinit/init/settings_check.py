"""What `pyinit doctor` finds in the environment: variables that cannot be used, and those that are misspelt.

A value is given to the readers that process 1 itself asks, one variable at a time, so that each is told.
"""

from pyinit.init.dialects import BadUsage, read_options
from pyinit.init.options import PYINIT, VARIABLES
from pyinit.init.reactions import DELIVER
from pyinit.init.remarks import PREFIX, about, nearest_variable
from pyinit.logs.collector.settings import Settings
from pyinit.services.definition.findings import Finding
from pyinit.services.runtime import is_usable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    Environment = Mapping[bytes, bytes]

SLIP, SLIP_OF_ALL = 0.8, 0.9
"""How much a name has to resemble one of ours, by difflib's measure, to be a slip: behind our prefix, or as a whole."""


def of_variables(environment: "Environment", services: "Collection[bytes]") -> "Iterator[Finding]":
    """Findings on the container's environment. `services`: the names of those there are."""
    for name in sorted(environment):
        if name in VARIABLES:
            if why := _why_unusable(name, environment[name]):
                yield Finding(name, why, b"bad-value")
        elif name.startswith(PREFIX):
            is_slip = nearest_variable(name, SLIP)
            yield Finding(name, about(nearest_variable(name)), b"misspelt-variable" if is_slip else b"unknown-variable")
        elif near := _resembled(name):
            yield Finding(name, about(near), b"misspelt-variable")
    for service in sorted(_receivers(environment) - {*services}):
        yield Finding(b"PYINIT_SIGNALS", b"names %b, and no service has that name" % service, b"unknown-service")


def _why_unusable(name: bytes, value: bytes) -> bytes:
    """Why process 1 cannot use the value; empty if it can."""
    if name == b"PYINIT_STATE":
        if value[:1] not in (b"", b"/"):
            return b"not an absolute path"
        return b"%b cannot be used" % value if value and not is_usable(value) else b""
    try:
        read_options(PYINIT, [], {name: value})
        Settings.from_environment({name: value})
    except BadUsage as bad:
        return bad.message.removeprefix(b"unable to use ").removeprefix(name + b": ")
    except ValueError as error:
        return str(error).encode(errors="replace").removeprefix(name + b": ")
    return b""


def _resembled(name: bytes) -> bytes:
    """The variable of ours that a name without our prefix is a slip for; empty if it is none."""
    if not name.upper().startswith(PREFIX[:2]):
        return b""
    from difflib import get_close_matches

    known = sorted(variable.decode() for variable in VARIABLES)
    near = get_close_matches(name.decode("latin-1").upper(), known, 1, SLIP_OF_ALL)
    return near[0].encode() if near else b""


def _receivers(environment: "Environment") -> set[bytes]:
    """The services that PYINIT_SIGNALS names."""
    try:
        options = read_options(PYINIT, [], {b"PYINIT_SIGNALS": environment.get(b"PYINIT_SIGNALS", b"")})
    except BadUsage:
        return set()
    return {reaction.service for reaction in options.overrides.values() if reaction.verb == DELIVER}
