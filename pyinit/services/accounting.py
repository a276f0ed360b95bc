"""Says on stderr what has happened to a service. `life/account.py` has the lines."""

from pyinit import report
from pyinit.services.context import PROG
from pyinit.services.life.moment import BLOCKED, FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.context import Context
    from pyinit.services.life.moment import State


def tell_step(context: "Context", name: bytes, before: "State", after: "State") -> None:
    """Say the line for a step, if it is worth one. Its module is loaded for the first end, or failure."""
    if not context.tells or not (before.pid or after.phase in (FAILED, BLOCKED)):
        return
    if context.accounts is None:
        from pyinit.services.life.account import Accounts

        context.accounts = Accounts()
    line = context.accounts.line(name, before, after, context.loop.kernel.monotonic())
    if line:
        report.say(context.loop.prog, line)


def tell_out_of_memory(context: "Context", name: bytes, pid: int) -> bool:
    """Say it if the kernel killed the process for want of memory; whether it did."""
    if context.memory is None or not context.memory.has_struck():
        return False
    report.say(PROG, b"warning: %b (pid %d) was killed: the container is out of memory" % (name, pid))
    return True
