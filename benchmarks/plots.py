"""Plots on two logarithmic axes, as SVG. matplotlib (the extra `bench`) is imported where one is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MARKERS = "osD^vPX"


@dataclass
class Plot:
    """`lines`: by contestant, y by x."""

    title: str
    x: str
    y: str
    lines: Mapping[str, Mapping[int, float]]


def draw(plot: Plot, path: Path) -> None:
    """Write the plot; raises ImportError without matplotlib."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = plot.title  # the same numbers make the same file
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter

    figure, axes = plt.subplots(figsize=(7, 4.2))
    for marker, (name, points) in zip(MARKERS, plot.lines.items(), strict=False):
        width = 2.2 if name == "pyinit" else 1.2
        axes.plot(list(points), list(points.values()), marker=marker, markersize=4, linewidth=width, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=True, which="major", linewidth=0.4)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
