"""Imports of this package's own modules in half the time that importlib takes, or less: the most of what starting is.

A finder and loader for `sys.meta_path` (PEP 451), for what lies compiled in `__pycache__` and is up to date with its
source, or need not be (an image's). Whatever is not compiled, or older than its source, is left to importlib.
"""

import posix
import sys
from _frozen_importlib import BuiltinImporter, ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER
from _imp import _fix_co_filename  # type: ignore[attr-defined]  # typeshed lacks it, importlib has it from there
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType
    from typing import Any

CHECKED = MAGIC_NUMBER + bytes(4)
UNCHECKED = MAGIC_NUMBER + b"\1\0\0\0"
"""How compiled modules begin (PEP 552): by their source's time and size; by its hash, as an image has them."""

TAG = sys.implementation.cache_tag


class Compiled:
    """See the head of this file. Used as it is, not as an instance."""

    @staticmethod
    def find_spec(name: str, path: "Sequence[str] | None", target: object = None) -> ModuleSpec | None:
        """PEP 451's, for what is in this package. A module is looked for first: there are few packages."""
        if path is None or name[:7] != "pyinit.":
            return None
        last = name.rpartition(".")[2]
        for directory, module in ((path[0], last), (f"{path[0]}/{last}", "__init__")):
            source = f"{directory}/{module}.py"
            try:
                content = _read(directory, module)
            except OSError:
                continue
            if not _is_current(content[:16], source):
                return None
            spec = ModuleSpec(name, LOADER, origin=source, loader_state=content, is_package=module != last)
            spec.has_location = True
            if spec.submodule_search_locations is not None:
                spec.submodule_search_locations = [directory]
            return spec
        return None

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """The usual kind."""

    @staticmethod
    def exec_module(module: "ModuleType") -> None:
        """Run its code, which tells where its source is now, not where it was compiled."""
        spec = module.__spec__
        assert spec
        _run(spec.loader_state, spec.origin, module)


def boot(this: "ModuleType", place: str, heading: bytes) -> None:
    """Have `this` module, as the launcher has run it, and `pyinit.__main__` imported from the directory `place`.

    Not if `heading`, its first 16 bytes, says that it is out of date: then importlib finds everything itself.
    """
    directory = place + "/pyinit"
    this.__file__ = directory + "/compiled.py"
    if _is_current(heading, this.__file__) and _load("pyinit", directory, "__init__"):
        sys.modules[__name__] = sys.modules["pyinit"].__dict__["compiled"] = this
        load(("gc", "pyinit.__main__"))


def load(names: "Iterable[str]") -> None:
    """Import modules of this package, each named after those that it imports, without importlib at all.

    For the many that process 1 starts with. Built-in ones of the interpreter may be among them: importlib takes longer
    to find one than that takes to be made. Nothing depends on it: what can't be had so is left to the import statement
    that asks for it.
    """
    top = sys.modules["pyinit"].__path__[0]
    for name in names:
        package, _, last = name.rpartition(".")
        if not package:
            _load_built_in(name)
            continue
        directory = top + package[6:].replace(".", "/")
        if package not in sys.modules and not _load(package, directory, "__init__"):
            return
        if name not in sys.modules and not _load(name, directory, last):
            return


def _load(name: str, directory: str, file: str) -> bool:
    """Import a module, or a package, from its file in the directory; False if that can't be done."""
    source = f"{directory}/{file}.py"
    try:
        content = _read(directory, file)
    except OSError:
        return False
    if not _is_current(content[:16], source):
        return False
    module = sys.modules[name] = type(sys)(name)
    module.__file__ = source
    if file == "__init__":
        module.__path__ = [directory]
    is_run = False
    try:
        _run(content, source, module)
        is_run = True
    finally:
        if not is_run:
            del sys.modules[name]
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)
    return True


def _load_built_in(name: str) -> None:
    if name in sys.modules or name not in sys.builtin_module_names:
        return
    spec = ModuleSpec(name, BUILT_IN, origin="built-in")
    module = sys.modules[name] = BUILT_IN.create_module(spec)
    module.__spec__ = spec
    BUILT_IN.exec_module(module)


def _read(directory: str, module: str) -> bytes:
    descriptor = posix.open(f"{directory}/__pycache__/{module}.{TAG}.pyc", posix.O_RDONLY | posix.O_CLOEXEC)
    content = posix.read(descriptor, posix.fstat(descriptor).st_size)
    posix.close(descriptor)
    return content


def _run(content: bytes, source: str | None, module: "ModuleType") -> None:
    code = loads(memoryview(content)[16:])
    _fix_co_filename(code, source)
    exec(code, module.__dict__)


def _is_current(heading: bytes, source: str) -> bool:
    """Whether what is headed so was compiled by this Python from the source as it is, or is not to be checked."""
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
BUILT_IN: "Any" = BuiltinImporter
"""What importlib asks of a loader, though not of its class."""
