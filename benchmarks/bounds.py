"""The bounds of the design: one table. A row names its line of it."""

from dataclasses import dataclass

BARE = "python3 -I -S -c pass"
"""A bare interpreter, from its start to its end: the least that a program in Python costs."""


@dataclass(frozen=True)
class Bound:
    """What the median of our ratios to `of` may be. Without `of`, what our own median may be, in the row's unit."""

    value: float
    of: str = ""
    is_least: bool = False

    def is_met(self, found: float) -> bool:
        """Whether `found` keeps within it."""
        return found >= self.value if self.is_least else found <= self.value

    def excess(self, found: float) -> float:
        """By what part of the bound `found` is on the wrong side; negative on the right one. 0 counts as 1."""
        beyond = self.value - found if self.is_least else found - self.value
        return beyond / (self.value or 1)

    def text(self, unit: str) -> str:
        """The bound in words."""
        return f"at {'least' if self.is_least else 'most'} {self.value:g} {f'of {self.of}' if self.of else unit}"


BOUNDS = {
    "1,000 up": Bound(0.75, "daemontools"),
    "500 logged": Bound(0.35, "daemontools"),
    "10 executed": Bound(2.2, BARE),
    "10 logged": Bound(3.0, BARE),
    "restart": Bound(1.25, "daemontools"),
    "first service": Bound(1.45, BARE),
    "INIT -- true": Bound(1.35, BARE),
    "signal": Bound(1.2, "tini"),
    "orphan storm": Bound(1.0, "tini", is_least=True),
    "memory of 1": Bound(10.5),
    "memory of 100": Bound(0.40, "daemontools"),
    "memory of 1,000": Bound(0.065, "daemontools"),
    "down": Bound(0.3, "s6"),
    "svstat": Bound(2.2, "daemontools"),
    "multilog": Bound(3.0, "daemontools", is_least=True),
    "multilog, median": Bound(5.0, "daemontools", is_least=True),
    "svlog": Bound(5.0, BARE),
    "chain": Bound(1.3, BARE),
    "wake-ups": Bound(0.0),
}
