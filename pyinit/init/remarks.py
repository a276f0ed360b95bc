"""What process 1 says, once, about what it was asked for and cannot do: with the name, and the remedy.

Loaded only where there is something to look at.
"""

from pyinit import report
from pyinit.init.options import PYINIT, VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pyinit.init.reactions import Reaction

PREFIX = b"PYINIT_"
LIKE = 0.6
"""How much two names resemble each other, by difflib's measure, when it is worth a question which one is meant."""


def tell_unknown(names: "Collection[bytes]") -> None:
    """Warn of variables that begin with PYINIT_ and mean nothing; name the one that was probably meant."""
    for name in sorted(names):
        report.warn(PYINIT, b"unable to use variable %b: %b" % (name, about(nearest_variable(name))))


def nearest_variable(name: bytes, like: float = LIKE) -> bytes:
    """The variable of ours that is probably meant; empty if there is none."""
    from difflib import get_close_matches

    known = sorted(variable.removeprefix(PREFIX).decode() for variable in VARIABLES)
    near = get_close_matches(name.removeprefix(PREFIX).decode("latin-1"), known, 1, like)
    return PREFIX + near[0].encode() if near else b""


def about(near: bytes) -> bytes:
    """What is said of a variable that means nothing."""
    return b"is %b meant?" % near if near else b"there is none of that name"


def tell_undeliverable(overrides: "Mapping[int, Reaction]", services: "Collection[bytes]") -> None:
    """Warn of signals that are for a service that is not there."""
    from pyinit.init.reactions import DELIVER

    missing = {reaction.service for reaction in overrides.values() if reaction.verb == DELIVER} - {*services}
    for name in sorted(missing):
        report.warn(PYINIT, b"PYINIT_SIGNALS names %b, and no service has that name yet" % name)
