"""Log throughput against the length of lines: `t s16777215 n10 ./main`, 10 to 10,000 bytes a line."""

from statistics import median

from benchmarks import plots
from benchmarks.multilog_throughput import text_lines, throughput
from benchmarks.rows import Row
from benchmarks.workshop import Workshop

SCRIPT = "t s16777215 n10 ./main"
LENGTHS = (10, 30, 100, 300, 1000, 3000, 10_000)


def measure(workshop: Workshop) -> list[Row]:
    """A row a length, and a plot."""
    rows: list[Row] = []
    lines: dict[str, dict[int, float]] = {}
    for length in (100,) if workshop.quick else LENGTHS:
        if not workshop.wants(f"lines of {length:,} bytes, {SCRIPT}, "):
            continue
        data = workshop.directory / "lines"
        block = text_lines(length)
        data.write_bytes(block * (8 if workshop.quick else 64))
        row = throughput(workshop, f"lines of {length:,} bytes", SCRIPT, data)
        data.unlink()
        row.bound = ""
        rows.append(row)
        for name, samples in row.samples.items():
            lines.setdefault(name, {})[length] = median(samples)
    if workshop.only:
        return rows
    workshop.plots["throughput"] = plots.Plot("Logging throughput, stamped lines", "bytes a line", "MB/s", lines)
    return rows
