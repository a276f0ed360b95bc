"""The package keeps the rules of its rooms; and each rule fails where it is broken."""

from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from rooms import Sources

SOURCES = rooms.read(Path(__file__).resolve().parents[2] / "pyinit")

Rule = Callable[[Sources], list[str]]

NOT_YET: dict[Rule, set[str]] = {}
"""Complaints about code that is being rewritten. It only shrinks: one that is no complaint any more is an error."""

RULES: list[Rule] = [
    *(rooms.wrong_ranks, rooms.services_with_logs, rooms.circles, rooms.impure, rooms.kernel_calls, rooms.doubles),
    *(rooms.catches_everything, rooms.slow, rooms.too_long, rooms.undocumented),
]


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps_the_rule(rule: Rule) -> None:
    complaints = set(rule(SOURCES))
    assert sorted(complaints - NOT_YET.get(rule, set())) == []
    assert sorted(NOT_YET.get(rule, set()) - complaints) == [], "take these off NOT_YET"


def test_every_pure_room_and_every_exception_exists() -> None:
    for room in rooms.PURE:
        assert any(rooms.is_below(module, (room,)) for module in SOURCES), room
    assert set(SOURCES) >= {*rooms.BEFORE_THE_ROOMS, *rooms.CATCHES}


def package(**modules: str) -> Sources:
    """A package of modules; `system__loop` stands for pyinit.system.loop."""
    names = {name: name if name == "__main__" else name.replace("__", ".") for name in modules}
    return {f"pyinit.{names[name]}": f'"""Text."""\n{text}\n' for name, text in modules.items()}


GOOD = package(
    __main__="from pyinit.launch.finder import Finder\nfrom pyinit.commands.svc import main as svc",
    launch__finder='from pyinit import report\nclass Finder:\n    """Text."""',
    report='from pyinit import errors\ndef die() -> None:\n    """Text."""',
    errors="import errno",
    formats__letters="import struct\nfrom _signal import SIGTERM",
    system__loop="from posix import fork\nimport pyinit.formats.letters\ntry:\n    f()\nexcept Exception:\n    f()",
    services__life__phases="from pyinit.formats.letters import struct",
    services__pair="from pyinit.system.loop import fork\nfrom pyinit.services.life import phases",
    logs__client="from pyinit.system import loop",
    init__assembly="from pyinit.services.pair import fork\nfrom pyinit.logs import client",
    commands__svc='from pyinit.init.assembly import fork\ndef main() -> None:\n    """Text."""',
)


@pytest.mark.parametrize("rule", RULES)
def test_a_good_package_has_no_complaint(rule: Rule) -> None:
    assert rule(GOOD) == []


@pytest.mark.parametrize(
    ("rule", "broken", "complaint"),
    [
        (
            rooms.wrong_ranks,
            {"system__a": "from pyinit.services import pair"},
            "pyinit.system.a imports pyinit.services.pair",
        ),
        (
            rooms.wrong_ranks,
            {"logs__a": "from pyinit.services.pair import x"},
            "pyinit.logs.a imports pyinit.services.pair",
        ),
        (
            rooms.wrong_ranks,
            {"view__a": "def f():\n    import pyinit.init.assembly"},
            "pyinit.view.a imports pyinit.init.assembly",
        ),
        (
            rooms.wrong_ranks,
            {"init__a": "from pyinit.launch.finder import F"},
            "pyinit.init.a imports pyinit.launch.finder",
        ),
        (
            rooms.wrong_ranks,
            {"launch__a": "from pyinit.services import pair"},
            "pyinit.launch.a imports pyinit.services.pair",
        ),
        (
            rooms.wrong_ranks,
            {"commands__a": "from pyinit.commands import svc"},
            "pyinit.commands.a imports pyinit.commands.svc",
        ),
        (
            rooms.wrong_ranks,
            {"testing__a": "from pyinit.services import pair"},
            "pyinit.testing.a imports pyinit.services.pair",
        ),
        (rooms.wrong_ranks, {"utils__a": "from pyinit import report"}, "pyinit.utils.a imports pyinit.report"),
        (rooms.wrong_ranks, {"system__a": "from . import b"}, "pyinit.system.a imports .: imports are absolute"),
        (
            rooms.services_with_logs,
            {"logs__a": "def f():\n    from pyinit.services import pair"},
            "pyinit.logs.a imports pyinit.services.pair",
        ),
        (
            rooms.services_with_logs,
            {"services__a": "from pyinit.logs import client"},
            "pyinit.services.a imports pyinit.logs.client",
        ),
        (rooms.impure, {"formats__a": "import time"}, "pyinit.formats.a imports time"),
        (
            rooms.impure,
            {"services__life__a": "from pyinit.system import loop"},
            "pyinit.services.life.a imports posix through pyinit.system.loop",
        ),
        (rooms.impure, {"logs__multilog__lines": "def f():\n    open('a')"}, "pyinit.logs.multilog.lines calls open"),
        (rooms.kernel_calls, {"services__a": "import posix\nposix.fork()"}, "pyinit.services.a uses fork"),
        (rooms.kernel_calls, {"services__a": "import os as o\no.kill(1, 1)"}, "pyinit.services.a uses kill"),
        (rooms.kernel_calls, {"logs__a": "from posix import waitpid as w"}, "pyinit.logs.a uses waitpid"),
        (rooms.kernel_calls, {"init__a": "from signal import signal"}, "pyinit.init.a uses signal"),
        (rooms.kernel_calls, {"init__a": "def f():\n    import subprocess"}, "pyinit.init.a uses subprocess"),
        (rooms.doubles, {"view__a": "class Finder:\n    pass"}, "name Finder: pyinit.launch.finder, pyinit.view.a"),
        (rooms.doubles, {"view__loop": ""}, "file loop: pyinit.system.loop, pyinit.view.loop"),
        (
            rooms.catches_everything,
            {"logs__a": "try:\n    f()\nexcept (OSError, Exception):\n    pass"},
            "pyinit.logs.a catches Exception",
        ),
        (rooms.catches_everything, {"logs__a": "try:\n    f()\nexcept:\n    pass"}, "pyinit.logs.a catches everything"),
        (rooms.slow, {"view__a": "if x:\n    import json"}, "pyinit.view.a imports json"),
        (rooms.too_long, {"view__a": "\n" * 300}, "pyinit.view.a: 302 lines"),
        (rooms.too_long, {"view__a": "def f():\n" + "    x = 1\n" * 48}, "pyinit.view.a.f: 49 lines"),
        (rooms.undocumented, {"view__a": "class A:\n    '''A.'''\n    def b(self):\n        pass"}, "pyinit.view.a.b"),
    ],
)
def test_a_broken_package_has_the_complaint(rule: Rule, broken: dict[str, str], complaint: str) -> None:
    assert complaint in rule({**GOOD, **package(**broken)})


@pytest.mark.parametrize(
    "late",
    [
        "from pyinit.view import b",
        "def f():\n    from pyinit.view.b import x",
        "if TYPE_CHECKING:\n    from pyinit.view import b",
    ],
)
def test_a_circle_is_found_however_it_is_imported(late: str) -> None:
    sources = {**GOOD, **package(view__a=late, view__b="import pyinit.view.a")}
    assert rooms.circles(sources) == [
        "pyinit.view.a <- pyinit.view.b <- pyinit.view.a",
        "pyinit.view.b <- pyinit.view.a <- pyinit.view.b",
    ]


def test_what_a_type_checker_alone_imports_is_neither_slow_nor_impure() -> None:
    sources = {**GOOD, **package(formats__a="if TYPE_CHECKING:\n    import pathlib")}
    assert rooms.slow(sources) == rooms.impure(sources) == []
