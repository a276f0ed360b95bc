"""How a program of ours starts quickly: compiled modules are imported about twice as fast as by importlib.

A finder and loader for `sys.meta_path` (PEP 451). It takes a module compiled in `__pycache__` if it is up to date with
its source, or never to be checked, as in an image. A module that is not compiled, or older than its source, is left to
importlib. That asks for the same in more system calls, and looks for three kinds of extension modules first.

The finder is the package itself: one module less for importlib to find, before the finder is there.
"""

import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER
from _imp import _fix_co_filename  # type: ignore[attr-defined]  # typeshed lacks it, importlib has it from there
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

CHECKED = MAGIC_NUMBER + bytes(4)
UNCHECKED = MAGIC_NUMBER + b"\1\0\0\0"
"""How compiled modules begin (PEP 552): checked by their source's time and size; by its hash, and never checked."""

TAG = sys.implementation.cache_tag


class Compiled:
    """The finder, and the loader as well. The class itself is used, without an instance."""

    @staticmethod
    def find_spec(name: str, path: "Sequence[str] | None", target: object = None) -> ModuleSpec | None:
        """A spec for a module of this package, or None. A plain module is looked for before a package: most are."""
        if path is None or name[:7] != "pyinit.":
            return None
        last = name.rpartition(".")[2]
        for directory, module in ((path[0], last), (f"{path[0]}/{last}", "__init__")):
            source = f"{directory}/{module}.py"
            cached = f"{directory}/__pycache__/{module}.{TAG}.pyc"
            try:
                content = _read(cached)
            except OSError:
                continue
            if not _is_current(content[:16], source):
                return None
            spec = ModuleSpec(name, LOADER, origin=source, loader_state=content, is_package=module != last)
            spec.has_location = True
            spec.cached = cached  # importlib would take as long to work it out as we to read the file
            if spec.submodule_search_locations is not None:
                spec.submodule_search_locations = [directory]
            return spec
        return None

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """The usual kind."""

    @staticmethod
    def exec_module(module: "ModuleType") -> None:
        """Run the code of the module. Its tracebacks name the source where it is now, not where it was compiled."""
        spec = module.__spec__
        assert spec
        _run(spec.loader_state, spec.origin, module)


def _read(path: str) -> bytes:
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    content = posix.read(descriptor, posix.fstat(descriptor).st_size)
    posix.close(descriptor)
    return content


def _run(content: bytes, source: str | None, module: "ModuleType") -> None:
    code = loads(memoryview(content)[16:])
    _fix_co_filename(code, source)
    exec(code, module.__dict__)


def _is_current(heading: bytes, source: str) -> bool:
    """Whether this Python compiled it from the source as it is now; or the source is not to be looked at."""
    if heading[:8] == UNCHECKED:
        return True
    try:
        found = posix.stat(source)
    except OSError:
        return False
    return heading == CHECKED + _low(int(found.st_mtime)) + _low(found.st_size)


def _low(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


LOADER: "Any" = Compiled
"""What importlib asks of a loader, though not of its class."""
