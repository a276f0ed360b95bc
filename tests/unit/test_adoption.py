"""Our place in the tree of processes: by python-prctl where it is there, else by ctypes, and never without a word."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ASK = """
import sys
sys.path.insert(0, {root!r})
{before}
from pyinit.system.adoption import adopt_orphans, die_with_parent
done = adopt_orphans(), die_with_parent(10)
by = [name for name in ("prctl", "ctypes") if sys.modules.get(name)]
sys.modules.pop("ctypes", None)
from ctypes import CDLL, byref, c_int
subreaper, signal = c_int(), c_int()
CDLL(None).prctl(37, byref(subreaper), 0, 0, 0)
CDLL(None).prctl(2, byref(signal), 0, 0, 0)
print(*done, subreaper.value, signal.value, *by)
"""
"""37 is PR_GET_CHILD_SUBREAPER, 2 is PR_GET_PDEATHSIG."""

FAKE = """
class prctl:
    set_child_subreaper = staticmethod(lambda on: None)
    set_pdeathsig = staticmethod(lambda number: None)
sys.modules["prctl"] = prctl"""


def asked(before: str) -> list[str]:
    """What a process off process 1 says of itself: both results, the kernel's two answers, the modules used."""
    program = ASK.format(root=str(ROOT), before=before)
    return subprocess.run(
        [sys.executable, "-IS", "-c", program], capture_output=True, check=True, text=True
    ).stdout.split()


def test_without_python_prctl_ctypes_makes_both_calls() -> None:
    assert asked("sys.modules['prctl'] = None") == ["True", "True", "1", "10", "ctypes"]


def test_python_prctl_comes_first() -> None:
    assert asked(FAKE) == ["True", "True", "0", "0", "prctl"]


def test_with_neither_it_is_false() -> None:
    before = "sys.modules['prctl'] = sys.modules['ctypes'] = None"
    assert asked(before)[:4] == ["False", "False", "0", "0"]


def test_what_the_kernel_refuses_is_false() -> None:
    refusing = FAKE.replace("lambda on: None", "lambda on: posix.stat('/nonexistent')").replace(
        "\nclass", "\nimport posix\nclass"
    )
    assert asked(refusing)[:2] == ["False", "True"]
