"""A signal on its way: from kill() on process 1 to the handler of its child, which it is forwarded to.

SIGUSR1, one at a time, ten milliseconds apart: signals reach a container that sleeps. Sender and receiver are C
programs that read one clock.
"""

import subprocess
from collections.abc import Callable
from statistics import quantiles

from benchmarks.machine import UNSHARE, children, wait_until
from benchmarks.orphans import bare_inits, init
from benchmarks.record import Record
from benchmarks.rows import Row, column, interleave
from benchmarks.workshop import BrokenMeasurement, Workshop


def measure(workshop: Workshop) -> list[Row]:
    """Two rows."""
    count = 20 if workshop.quick else 200
    contestants = {name: _run(workshop, name, count) for name in bare_inits(workshop)}
    samples = interleave(contestants, workshop.rounds(7))
    return [
        Row("signal to the child's handler, median", "us", column(samples, "median"), "signal"),
        Row("signal to the child's handler, p99", "us", column(samples, "p99"), "signal"),
    ]


def _run(workshop: Workshop, name: str, count: int) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        sent = Record(workshop.directory / "sent", count)
        received = Record(workshop.directory / "received", count + 1)
        words = [*init(workshop, name), str(workshop.program("receiver")), str(received.path)]
        process = subprocess.Popen([*UNSHARE, *words], stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: received.count == 1, lambda: f"the receiver under {name}")
            (first,) = children(process.pid)
            sender = [str(workshop.program("sender")), str(sent.path), str(received.path), str(first), str(count)]
            done = subprocess.run(sender, check=False)
            if done.returncode or received.count != count + 1:
                raise BrokenMeasurement(f"{name} forwarded {received.count - 1} of {count} signals")
        finally:
            process.kill()
            process.wait()
        delays = sorted(b - a for a, b in zip(sent.times(), received.times()[1:], strict=True))
        cuts = quantiles(delays, n=100)
        return {"median": cuts[49] / 1000, "p99": cuts[98] / 1000}

    return run
