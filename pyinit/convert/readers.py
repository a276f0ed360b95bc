"""What process 1 would say of the files of a service: its own parsers, over contents that are in no directory yet."""

from pyinit.services.definition.asking import QUESTIONS
from pyinit.services.definition.policy_files import PARSERS
from pyinit.services.definition.restarting import restart
from pyinit.services.life import health as asked
from pyinit.services.life import readiness as kinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pyinit.services.life.readiness import Readiness


def why_bad(name: str, content: bytes) -> str:
    """Why the content of a file of SETTINGS is bad; empty if it is not."""
    try:
        if name == "restart":
            restart(content)
        else:
            (PARSERS.get(name) or QUESTIONS[name])[1](content)
    except ValueError as error:
        return str(error)
    return ""


def contradictions(contents: "Mapping[bytes, bytes]", programs: "Collection[bytes]") -> "Iterator[tuple[str, str]]":
    """Keys of files that do not go with the others, each with the reason. Each file is good by itself."""
    said = _readiness("ready", contents)
    told = _readiness("notification-fd", contents)
    if told and b"ready" in contents and (not said or (said.kind, said.number) != (told.kind, told.number)):
        yield "notification-fd", "ready says something else"
    if said and said.kind == kinds.LOG and b"log/run" in contents:
        yield "ready", "log/run reads what the service writes"
    if said and said.kind == kinds.CHECK and b"check" not in programs:
        yield "ready", "there is no check"
    if b"health" in contents and b"health" not in programs:
        found = QUESTIONS["health"][1](contents[b"health"])
        if isinstance(found, asked.Health) and found.kind == asked.CHECK and b"check" not in programs:
            yield "health", "there is no check"
    if b"timer" in contents and contents.get(b"type", b"").split()[:1] != [b"oneshot"]:
        yield "timer", "for a oneshot only"


def _readiness(name: str, contents: "Mapping[bytes, bytes]") -> "Readiness | None":
    if (content := contents.get(name.encode())) is None:
        return None
    found = QUESTIONS[name][1](content)
    return found if isinstance(found, kinds.Readiness) else None
