"""Imports run one way, pure modules do no I/O, and only the loop catches everything: read from the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "pyinit"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "commands": {"services", "logs", "system", "report", "options", "tai", "errors", "commands", "compiled"},
    "services": {"services", "system", "report", "tai"},
    "logs": {"logs", "system", "report", "tai", "compiled"},
    "system": {"system", "report"},
    "report": {"errors"},
    "__main__": {"system", "commands", "compiled", "launchers"},
    "launchers": {"report"},
}

JOINS_SERVICES_AND_LOGS = {"pyinit.commands.pyinit", "pyinit.commands.svlog", "pyinit.commands.svstat"}

PURE = {
    *("pyinit.tai", "pyinit.getopt", "pyinit.formats.control", "pyinit.formats.status", "pyinit.services.life.state"),
    *(
        "pyinit.services.life.shutdown",
        "pyinit.logs.multilog.script",
        "pyinit.logs.multilog.pattern",
        "pyinit.logs.multilog.lines",
    ),
    *("pyinit.logs.collector.settings", "pyinit.logs.reading.merging", "pyinit.logs.reading.show"),
}

IMPURE = {"os", "posix", "time", "select", "fcntl", "socket", "_socket", "resource", "subprocess"}

SLOW = {
    *("os", "signal", "socket", "typing", "enum", "dataclasses", "collections", "argparse", "getopt", "pathlib"),
    *("subprocess", "selectors", "asyncio", "threading", "logging", "json", "functools", "contextlib", "importlib"),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def layer_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(tree: ast.AST, at_run_time: bool = False) -> Iterator[str]:
    """Every module named by an import statement; those for the type checker only where `at_run_time` is False."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and at_run_time:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            if module.startswith("pyinit"):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            yield module
        else:
            yield from imports(node, at_run_time)


def at_start(tree: ast.Module) -> set[str]:
    """What importing the module imports: not what its functions do when they are called."""
    return {
        name
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        for name in imports(ast.Module([node], []), at_run_time=True)
    }


@pytest.fixture(params=MODULES, ids=name_of)
def path(request) -> Path:
    return request.param


def test_imports_run_one_way(path):
    module = name_of(path)
    allowed = MAY_IMPORT.get(layer_of(module), set())
    for name in imports(ast.parse(path.read_text())):
        if name.startswith("pyinit.") and (layer := layer_of(name)) != "__version__":
            assert layer in allowed, f"{module} imports {name}"


def test_services_and_logs_are_joined_in_one_place(path):
    module = name_of(path)
    layers = {layer_of(name) for name in imports(ast.parse(path.read_text())) if name.startswith("pyinit.")}
    assert not {"services", "logs"} <= layers or module in JOINS_SERVICES_AND_LOGS


def test_commands_do_not_import_each_other(path):
    module = name_of(path)
    if layer_of(module) == "commands":
        others = {name for name in imports(ast.parse(path.read_text())) if name.startswith("pyinit.commands")}
        assert not others


def test_pure_modules_do_no_io(path):
    if name_of(path) in PURE:
        roots = {name.partition(".")[0] for name in imports(ast.parse(path.read_text()))}
        assert not roots & IMPURE


def test_every_pure_module_exists():
    assert set(map(name_of, MODULES)) >= PURE


def test_nothing_slow_is_imported_at_start(path):
    assert not {name.partition(".")[0] for name in at_start(ast.parse(path.read_text()))} & SLOW


def test_only_the_loop_catches_everything(path):
    allowed = {"pyinit.system.loop": {"Exception"}, "pyinit.system.spawn": {"BaseException"}}
    caught = {
        ast.unparse(node.type) if node.type else "bare except"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or "Exception" in ast.unparse(node.type))
    }
    assert caught <= allowed.get(name_of(path), set())


def public(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Functions, classes and their methods, but for what is private or inside of that."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)
        elif isinstance(node, ast.If):
            yield from public(node)


def test_public_things_say_what_they_are(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for node in public(tree):
        assert ast.get_docstring(node), f"{name_of(path)}.{node.name}"


def test_modules_are_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 300
