"""The rules of the package's rooms, as functions over {name of a module: its source}. Each returns its complaints.

Nothing here is imported from the package: the rules are read from the syntax trees. `tests/unit/test_rooms.py` applies
them to the package, and shows each of them to fail on a broken example.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

Sources = dict[str, str]
"""Name of a module, such as `pyinit.system.loop`, to its text. A package has the name of its folder."""

PACKAGE = "pyinit"

RANKS = (
    {"report", "errors", "getopt", "tai", "__init__"},
    {"formats"},
    {"system"},
    {"services", "logs", "view"},
    {"init", "convert", "web", "testing"},
    {"commands"},
    {"__main__"},
)
"""A room imports itself and rooms of lower ranks. Rooms of one rank do not know each other, the lowest excepted."""

LAUNCH = {"__main__", "commands", "launch"}
"""`launch` stands outside the ranks: only these rooms import it. It imports the ground floor and `system`."""

PURE = ("formats", "services.life", "logs.multilog.script", "logs.multilog.pattern", "logs.multilog.lines")

PURE_LIBRARY = {
    *("re", "struct", "_struct", "binascii", "errno", "itertools", "operator", "math", "bisect", "_bisect"),
    *("heapq", "_heapq", "collections", "_collections"),
}
"""What pure modules may import of the library: no I/O, no clock, no process. Constants they may take from anywhere."""

IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}

KERNEL = {
    *("fork", "forkpty", "vfork", "fork_exec", "posix_spawn", "posix_spawnp", "execv", "execve", "system", "popen"),
    *("kill", "killpg", "pidfd_send_signal", "raise_signal", "pthread_kill", "alarm", "setitimer", "pause"),
    *("wait", "wait3", "wait4", "waitid", "waitpid", "sigwait", "sigwaitinfo", "sigtimedwait", "sigpending"),
    *("pthread_sigmask", "set_wakeup_fd", "siginterrupt", "signal"),
}
"""Functions of the modules below that fork, execute, signal, or wait for processes and signals."""

KERNEL_MODULES = {"posix", "os", "signal", "_signal", "_posixsubprocess"}

BEFORE_THE_ROOMS = {"pyinit.__main__": {"pthread_sigmask", "signal"}}
"""Process 1 holds its signals before its first import of a room: it would lose a signal that comes in between."""

CATCHES = {"pyinit.system.loop": {"Exception"}, "pyinit.system.fork": {"BaseException"}}
"""The loop, and the last words of a forked child."""

SHARED = ("main", "pack", "unpack")
"""Public names that mean the same wherever they are: a command, and the two directions of a format."""

SLOW = {
    *("os", "signal", "socket", "typing", "enum", "dataclasses", "collections", "argparse", "pathlib", "re"),
    *("subprocess", "selectors", "asyncio", "threading", "logging", "json", "functools", "contextlib", "importlib"),
}
"""Modules that cost start-up more than they help it."""

MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 48


def read(root: Path) -> Sources:
    """The package that lies in the folder `root`."""
    sources = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        sources[".".join(part for part in parts if part != "__init__")] = path.read_text()
    return sources


def room_of(module: str) -> str:
    """The first folder or file below the package: `system` for pyinit.system.loop."""
    return module.split(".")[1] if "." in module else "__init__"


def is_below(module: str, rooms: tuple[str, ...]) -> bool:
    """Whether the module is one of the rooms, or lies in one."""
    return any(f"{module}.".startswith(f"{PACKAGE}.{room}.") for room in rooms)


def statements(tree: ast.AST, typing: bool = True) -> Iterator[ast.AST]:
    """Every node of a tree; `typing`: those for the type checker too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing:
            for other in node.orelse:
                yield other
                yield from statements(other, typing)
            continue
        yield node
        yield from statements(node, typing)


def imported(source: str, known: Sources, typing: bool = True) -> Iterator[str]:
    """Names of modules that a source imports, anywhere: `pyinit.a.b` for one of the package, else the library's."""
    for node in statements(ast.parse(source), typing):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from sorted({name if name in known else base for name in names})


def acting(source: str, known: Sources) -> Iterator[str]:
    """What a source imports at run time but for constants, which do nothing: `from _signal import SIGTERM`."""
    for node in statements(ast.parse(source), typing=False):
        if isinstance(node, ast.ImportFrom) and all(alias.name.isupper() for alias in node.names):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(ast.unparse(node), known)


def ours(source: str, known: Sources, typing: bool = True) -> set[str]:
    """The modules of the package among what a source imports."""
    return {name for name in imported(source, known, typing) if name.split(".")[0] == PACKAGE}


def wrong_ranks(sources: Sources) -> list[str]:
    """Imports that go up, or sideways; and relative ones, which nobody could rank."""
    rank = {room: number for number, rooms in enumerate(RANKS) for room in rooms}
    found = []
    for module, source in sources.items():
        here = room_of(module)
        for name in imported(source, sources):
            if name.startswith("."):
                found.append(f"{module} imports {name}: imports are absolute")
            if name.split(".")[0] != PACKAGE:
                continue
            there = room_of(name)
            if there == "launch":
                is_allowed = here in LAUNCH
            elif here == "launch":
                is_allowed = there == "system" or rank.get(there) == 0
            elif here not in rank or there not in rank:
                is_allowed = False
            elif here == "testing":
                is_allowed = there in ("view", "testing") or rank[there] < rank["view"]
            elif here == "commands":
                is_allowed = rank[there] < rank[here]
            else:
                is_allowed = here == there or rank[there] < rank[here] or rank[here] == rank[there] == 0
            if not is_allowed:
                found.append(f"{module} imports {name}")
    return found


def services_with_logs(sources: Sources) -> list[str]:
    """Modules of services that import logs, and the other way round."""
    return [
        f"{module} imports {name}"
        for module, source in sources.items()
        for name in sorted(ours(source, sources))
        if {room_of(module), room_of(name)} == {"services", "logs"}
    ]


def circles(sources: Sources) -> list[str]:
    """Modules that reach themselves through imports, those for typing and late ones included; one way for each."""
    graph = {module: ours(source, sources) & set(sources) for module, source in sources.items()}
    found = []
    for module in graph:
        came_from: dict[str, str] = {}
        queue = [module]
        while queue and module not in came_from:
            here = queue.pop(0)
            for name in sorted(graph[here] - set(came_from)):
                came_from[name] = here
                queue.append(name)
        if module in came_from:
            way = [came_from[module]]
            while way[-1] != module:
                way.append(came_from[way[-1]])
            found.append(" <- ".join([module, *way]))
    return found


def impure(sources: Sources) -> list[str]:
    """What pure modules import that acts or reads a clock, themselves or through others; and calls that act."""
    found = []
    for module in sources:
        if not is_below(module, PURE):
            continue
        seen, queue = {module}, [module]
        while queue:
            here = queue.pop()
            tree = ast.parse(sources[here])
            for name in acting(sources[here], sources):
                if name in sources:
                    queue += {name} - seen
                    seen.add(name)
                elif name.split(".")[0] not in PURE_LIBRARY:
                    found.append(f"{module} imports {name}" + (f" through {here}" if here != module else ""))
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
                    found.append(f"{module} calls {node.func.id}" + (f" through {here}" if here != module else ""))
    return found


def kernel_calls(sources: Sources) -> list[str]:
    """Functions that fork, execute, signal or wait, used outside of `system`, whatever they are called there."""
    found = []
    for module, source in sources.items():
        if room_of(module) == "system":
            continue
        tree = ast.parse(source)
        aliases: dict[str, str] = {}
        used: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                aliases |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module in KERNEL_MODULES:
                used |= {alias.name for alias in node.names} & (KERNEL | {"*"})
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in KERNEL:
                used |= {node.attr} if aliases.get(node.value.id) in KERNEL_MODULES else set()
        used |= {"subprocess"} & set(imported(source, sources))
        found += [f"{module} uses {name}" for name in sorted(used - BEFORE_THE_ROOMS.get(module, set()))]
    return found


def doubles(sources: Sources) -> list[str]:
    """Public names of functions and classes that two modules define, and base names that two modules have."""
    names: dict[str, list[str]] = defaultdict(list)
    files: dict[str, list[str]] = defaultdict(list)
    for module, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                names[node.name].append(module)
        is_package = any(other.startswith(f"{module}.") for other in sources)
        if room_of(module) != "commands" and not is_package:
            files[module.rpartition(".")[2]].append(module)
    for name in SHARED:
        names.pop(name, None)
    return [
        f"{kind} {name}: {', '.join(modules)}"
        for kind, table in (("name", names), ("file", files))
        for name, modules in sorted(table.items())
        if len(modules) > 1
    ]


def catches_everything(sources: Sources) -> list[str]:
    """Handlers of Exception, of BaseException, or of everything, but for those that CATCHES allows."""
    found = []
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ExceptHandler):
                types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                caught = {ast.unparse(type_) if type_ else "everything" for type_ in types}
                wide = caught & {"Exception", "BaseException", "everything"} - CATCHES.get(module, set())
                found += [f"{module} catches {name}" for name in sorted(wide)]
    return found


def slow(sources: Sources) -> list[str]:
    """Slow modules that are imported as soon as a module is: not by its functions when they are called."""
    found = []
    for module, source in sources.items():
        body = [node for node in ast.parse(source).body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
        text = "\n".join(map(ast.unparse, body))
        names = {name.split(".")[0] for name in imported(text, sources, typing=False)}
        found += [f"{module} imports {name}" for name in sorted(names & SLOW)]
    return found


def too_long(sources: Sources) -> list[str]:
    """Modules and functions that nobody reads in one sitting."""
    found = []
    for module, source in sources.items():
        if (lines := len(source.splitlines())) > MOST_LINES:
            found.append(f"{module}: {lines} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    found.append(f"{module}.{node.name}: {lines} lines")
    return found


def _public(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions, classes and their methods, but for what is private or inside of that."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)
        elif isinstance(node, ast.If):
            yield from _public(node)


def undocumented(sources: Sources) -> list[str]:
    """Modules, and public classes, functions and methods, without a docstring."""
    found = []
    for module, source in sources.items():
        tree = ast.parse(source)
        found += [module] if not ast.get_docstring(tree) else []
        found += [f"{module}.{node.name}" for node in _public(tree) if not ast.get_docstring(node)]
    return found
